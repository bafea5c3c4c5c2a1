"""Whose an encryption key is, by what our authorities signed, and not by what a table says.

Whoever writes in the database can name another's key in a pair, another holder at a key, or a transport key of her own. She
cannot sign a certificate, nor put a root into the folder `trust/`, to which every authority that is believed here leads. So a key goes out only where the certificate over that very key, the certificate it is
meant for and, where there is a transport key, the request that named it say the same. The secret itself is bound to its row.
"""

from ca.context import Context
from ca.models import CertificateRow
from ca.pair.errors import KeyOfAnother
from ca.pair.models import PairRow
from ca.trust import believed
from kms.escrow import UserKey
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.errors import BadSignature, Malformed, WrongIssuer
from yinxin.crypto.keys import PublicKey
from yinxin.crypto.path import Usage, validate
from yinxin.crypto.recipients import Recipient
from yinxin.crypto.requests import CertificationRequest
from yinxin.errors import YinxinError
from yinxin.text import Text

_NO_CERTIFICATE = Text("没有由本平台签发的加密证书", "no encryption certificate of ours")
_ANOTHER_KEY = Text("加密证书不是这个密钥的", "its encryption certificate is for another key")
_ANOTHER_HOLDER = Text("证书属于另一持有者", "the certificates are of two holders")
_NO_ROOT = Text(
    "签发机构不通向数据目录 trust/ 中的任何根证书；在仪式所在节点之外，请先复制该目录",
    "its authority does not lead to a root in the folder trust/ of the data directory; on another node than the ceremony's, copy that folder first",
)
_NO_TRANSPORT = Text(
    "传输密钥没有签名密钥签名的请求为证，请换发双证书",
    "no request signed by the signing key names the transport key; have the pair renewed",
)


def certificate_of(ctx: Context, serial: str | None, key: str) -> Certificate:
    """The certificate of this serial number, which one of our authorities signed; raises KeyOfAnother about `key`."""
    with ctx.store.read() as session:
        row = session.get(CertificateRow, serial) if serial else None
        der, authority = (row.der, row.authority) if row is not None else (None, "")
    issuer = ctx.issuers.get(authority).certificate if der else None
    if not der or issuer is None:
        raise KeyOfAnother(key=key, reason=_NO_CERTIFICATE)
    try:
        certificate = Certificate(der)
        certificate.issued_by(issuer)
    except (Malformed, BadSignature, WrongIssuer) as error:
        raise KeyOfAnother(key=key, reason=_NO_CERTIFICATE) from error
    if f"{certificate.serial:x}" != serial:
        raise KeyOfAnother(key=key, reason=_NO_CERTIFICATE)
    rooted(ctx, certificate, authority, key)
    return certificate


def rooted(ctx: Context, certificate: Certificate, authority: str, key: str) -> None:
    """A certificate of this authority leads to a root in the folder `trust/`; raises KeyOfAnother about `key`.

    Which authorities there are, a table says. What was signed is held to the moment at which it was: it may have ended since.
    """
    chain = ctx.issuers.get(authority).chain
    roots = believed(ctx.trust, (each for each in chain if each.is_self_issued))
    signed = max(each.not_before for each in (certificate, *chain))
    try:
        validate(certificate, chain, roots, at=signed, usage=Usage.ANY, require_revocation=False)
    except YinxinError as error:
        raise KeyOfAnother(key=key, reason=_NO_ROOT) from error


def certified(ctx: Context, key: UserKey, public_key: PublicKey) -> Certificate:
    """The certificate over this key in escrow, which names the holder that it is said to have; raises KeyOfAnother."""
    certificate = certificate_of(ctx, key.certificate, key.id)
    if certificate.public_key != public_key:
        raise KeyOfAnother(key=key.id, reason=_ANOTHER_KEY)
    named_for(certificate, key.holder_kind, key.holder, key.id)
    return certificate


def named_for(certificate: Certificate, kind: str | None, holder: str | None, key: str) -> None:
    """A person's certificate names her by her identifier; raises KeyOfAnother about `key`.

    An organ's has its name and code, which may change; whoever approves is shown them.
    """
    named = certificate.subject.get("serialNumber")
    if named != holder and (named is not None or kind == "person"):
        raise KeyOfAnother(key=key, reason=_ANOTHER_HOLDER)


def recipient_of(ctx: Context, pair: PairRow, public_key: PublicKey) -> Recipient:
    """To whom the pair's encryption key, whose public half this is, is delivered; raises KeyOfAnother."""
    signing = certificate_of(ctx, pair.signing, pair.user_key)
    encryption = certificate_of(ctx, pair.encryption, pair.user_key)
    if encryption.public_key != public_key:
        raise KeyOfAnother(key=pair.user_key, reason=_ANOTHER_KEY)
    if not _of_one_holder(signing, encryption):
        raise KeyOfAnother(key=pair.user_key, reason=_ANOTHER_HOLDER)
    return received_by(pair, signing)


def received_by(pair: PairRow, signing: Certificate) -> Recipient:
    """What is meant for the holder of a signing certificate is encrypted to it, or to the transport key that it signed for.

    Raises KeyOfAnother.
    """
    if pair.transport is None:
        return signing
    refused = KeyOfAnother(key=pair.user_key, reason=_NO_TRANSPORT)
    if pair.request is None:
        raise refused
    try:
        request = CertificationRequest.load(pair.request)
        request.verify()
    except (Malformed, BadSignature) as error:
        raise refused from error
    told = request.transport_key
    if request.public_key != signing.public_key or told is None or told.spki != pair.transport:
        raise refused
    return told


def _of_one_holder(signing: Certificate, encryption: Certificate) -> bool:
    """A person's two certificates have one subject. An organ's name the organ; a seal has a name of its own beside it."""
    if encryption.subject.get("serialNumber") is not None:
        return signing.subject.folded == encryption.subject.folded
    seal = "contentCommitment" in (signing.key_usage or ()) and signing.subject.get("serialNumber") is None
    return seal and all(
        signing.subject.get(each) == encryption.subject.get(each)
        for each in ("organizationName", "organizationIdentifier")
    )
