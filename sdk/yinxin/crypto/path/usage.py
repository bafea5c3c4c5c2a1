"""What a certificate is shown for."""

from enum import Enum


class Usage(Enum):
    """What a certificate is shown for: the key usages of which one must be given, and likewise the extended ones.

    Where a certificate has no extended key usage it is not limited (RFC 5280 4.2.1.12), but TIMESTAMP demands it, and
    that of a source of authority (X.509 17.2) is for ATTRIBUTES alone, and ATTRIBUTES for no other.
    """

    SIGNATURE = (
        frozenset({"digitalSignature", "contentCommitment"}),
        frozenset({"documentSigning", "emailProtection", "clientAuth"}),
    )
    CLIENT = (frozenset({"digitalSignature"}), frozenset({"clientAuth"}))
    SERVER = (frozenset({"digitalSignature", "keyEncipherment", "keyAgreement"}), frozenset({"serverAuth"}))
    TIMESTAMP = (frozenset({"digitalSignature", "contentCommitment"}), frozenset({"timeStamping"}))
    ENCRYPTION = (
        frozenset({"keyEncipherment", "dataEncipherment", "keyAgreement"}),
        frozenset({"emailProtection", "clientAuth", "serverAuth"}),
    )
    #: who signs attribute certificates (RFC 5755 4.5); further conditions are `yinxin.crypto.attribute.verify`'s
    ATTRIBUTES = (frozenset({"digitalSignature"}), frozenset[str]())
    AUTHORITY = (frozenset({"keyCertSign"}), frozenset[str]())
    ANY = (frozenset[str](), frozenset[str]())

    @property
    def key_usage(self) -> frozenset[str]:
        """One of these must be in keyUsage, if the certificate has that extension."""
        return self.value[0]

    @property
    def purposes(self) -> frozenset[str]:
        """One of these must be in extendedKeyUsage, if the certificate has that extension."""
        return self.value[1]
