"""What the holder of a certificate signs to have its successor."""

from yinxin import canonical
from yinxin.crypto.suite import INTL


def renewal_statement(csr: bytes) -> bytes:
    """The canonical bytes that the old key signs (CMS, detached): they name the new request, DER, by its SHA-256."""
    return canonical.encode({"v": 1, "type": "renewal", "csr": INTL.hash.digest(csr).hex()})
