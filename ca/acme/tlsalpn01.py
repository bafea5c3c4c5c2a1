"""tls-alpn-01 (RFC 8737, RFC 8738 section 6): the answer is in a certificate that the host shows for one protocol."""

import ssl
from ipaddress import ip_address

from ca.acme.errors import BadTls, WrongResponse
from ca.acme.reach import Reach
from yinxin.crypto import der, oids
from yinxin.crypto.errors import MalformedDer
from yinxin.crypto.general_names import read_general_names
from yinxin.crypto.oids import read_extensions
from yinxin.crypto.suite import INTL
from yinxin.text import Text

PROTOCOL = "acme-tls/1"


def probe(reach: Reach, kind: str, name: str, _token: str, expected: str) -> None:
    """Connect and look at the certificate; raises NoAddress, NoConnection, BadTls, WrongResponse."""
    where = f"{name}:{reach.settings.tlsalpn01_port}"
    shown = _shown(reach, kind, name, where)
    wanted = INTL.hash.digest(expected.encode("ascii"))
    try:
        der.check(shown)
        extensions = read_extensions(der.elements(der.elements(shown)[0])[-1], 3)
        proof, names = extensions.get(oids.ACME_IDENTIFIER), extensions.get(oids.SUBJECT_ALTERNATIVE_NAME)
        said = tuple((k, t.lower()) for k, t in read_general_names(names.value)) if names else ()
        held = proof is not None and proof.critical and proof.value == der.octets(wanted)
    except (MalformedDer, ValueError, IndexError) as error:
        raise WrongResponse(where=where, seen=str(error)[:120]) from error
    if said != ((kind, name),):
        listed = ", ".join(text for _, text in said[:3]) or "-"
        seen = Text(f"证书中的名称是 {listed}", f"the certificate is for {listed}")
        raise WrongResponse(where=where, seen=seen)
    if not held:
        seen = Text(
            "证书的 acmeIdentifier 缺失、非关键或内容不符",
            "its acmeIdentifier is missing, not critical, or wrong",
        )
        raise WrongResponse(where=where, seen=seen)


def _shown(reach: Reach, kind: str, name: str, where: str) -> bytes:
    """The certificate that the host shows for this protocol, DER."""
    until = reach.until()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # it is self-signed; what it proves is in its extension
    context.set_alpn_protocols([PROTOCOL])
    # an address has no server name of its own: RFC 8738 section 6 takes its reverse name
    asked = ip_address(name).reverse_pointer if kind == "ip" else name
    made = reach.connect(name, reach.settings.tlsalpn01_port, until)
    try:
        made.settimeout(max(until - reach.clock(), 0.001))
        with context.wrap_socket(made, server_hostname=asked) as secured:
            protocol, certificate = secured.selected_alpn_protocol(), secured.getpeercert(binary_form=True)
    except (OSError, ValueError) as error:
        raise BadTls(where=where, reason=str(error)[:120] or type(error).__name__) from error
    finally:
        made.close()
    if protocol != PROTOCOL or not certificate:
        raise BadTls(where=where, reason=Text(f"未选用 {PROTOCOL}", f"it did not choose {PROTOCOL}"))
    return certificate
