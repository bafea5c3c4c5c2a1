"""A file that one person signed on her own side, with all that is needed to check it offline.

The container is ASiC-E with CAdES: the file itself, the certificates and the revocation information of that moment, and
her timestamped signature over the manifest of all of them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from yinxin import canonical
from yinxin.evidence import container
from yinxin.evidence.errors import MalformedEvidence

DESCRIPTOR = "signed.json"
FORMAT = 1
_FOLDER = "content/"


@dataclass(frozen=True, slots=True)
class SignedFile:
    """The file by its bare name, and what a path and a timestamp need, in DER."""

    name: str
    data: bytes
    certificates: Sequence[bytes]
    crls: Sequence[bytes]
    ocsps: Sequence[bytes]

    def __post_init__(self) -> None:
        """Raise MalformedEvidence for a name that is none."""
        plain = all(each.isprintable() and each not in '/\\"' for each in self.name)
        if not plain or self.name.strip(". ") == "" or len(self.name) > 200:
            raise MalformedEvidence(reason="not a bare file name")

    def files(self) -> dict[str, bytes]:
        """The files of the container, the descriptor among them."""
        files = {_FOLDER + self.name: self.data}
        files |= container.numbered("certificates", "cer", self.certificates)
        files |= container.numbered("revocation", "crl", self.crls)
        files |= container.numbered("revocation", "ocsp", self.ocsps)
        counts = {"certificates": len(self.certificates), "crls": len(self.crls), "ocsps": len(self.ocsps)}
        return files | {DESCRIPTOR: canonical.encode({"v": FORMAT, "name": self.name, "counts": counts})}

    @classmethod
    def of(cls, files: Mapping[str, bytes]) -> Self:
        """Read the files of a container; raises MalformedEvidence when a part is missing or one too many is there."""
        try:
            body = canonical.decode(files[DESCRIPTOR])
            name, counts = str(body["name"]), body["counts"]
            signed = cls(
                name,
                files[_FOLDER + name],
                container.read_numbered(files, "certificates", "cer", counts["certificates"]),
                container.read_numbered(files, "revocation", "crl", counts["crls"]),
                container.read_numbered(files, "revocation", "ocsp", counts["ocsps"]),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise MalformedEvidence(reason=f"{error} is missing") from error
        if signed.files() != dict(files):
            raise MalformedEvidence(reason="a file too many, or another descriptor")
        return signed

    def to_sign(self) -> bytes:
        """The manifest that the signature covers."""
        return container.manifest(self.files())

    def pack(self, signature: bytes) -> bytes:
        """The container, given the detached CMS signature over `to_sign`."""
        return container.pack(self.files(), signature)
