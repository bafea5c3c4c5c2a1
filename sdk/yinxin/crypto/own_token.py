"""A key on a PKCS#11 token of one's own (a card, a USB key): it signs there, and only digests go in.

Needs the extra `token` (python-pkcs11). The PIN is tried once for each opening, never again: tokens lock after a few.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from yinxin.crypto import der
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.cryptoki import library_at
from yinxin.crypto.errors import Malformed, UnsupportedAlgorithm
from yinxin.crypto.keys import Identity, PublicKey
from yinxin.errors import Invalid, Misconfigured, NotFound, Unavailable


class TokenMissing(Misconfigured):
    """The PKCS#11 library, or the token in it, is not there."""

    code = "token.missing"
    exit = 69
    zh = "没有可用的令牌 {token}（{reason}）：请插好令牌，并核对 PKCS#11 库的路径和令牌名称。"
    en = "There is no token {token} ({reason}): put it in, and check the path of the PKCS#11 library and the token's label."


class TokenPin(Invalid):
    """The token refused the PIN, or has locked it."""

    code = "token.pin"
    zh = "令牌 {token} 没有接受口令（{reason}）：请核对后再试；多次输错令牌会锁定，锁定后用管理口令解锁。"
    en = "The token {token} did not accept the PIN ({reason}): check it before you try again; it locks after a few, and is then unlocked by its administrator's PIN."


class NoIdentityOnToken(NotFound):
    """No certificate with its private key is on the token under this label, or several are."""

    code = "token.no_identity"
    zh = "令牌 {token} 上符合条件的签名证书有 {found} 张，须恰有一张：请用标签指明用哪一张，或先把证书写入令牌。"
    en = "The token {token} holds {found} certificates for signing that fit, and it takes exactly one: name it by its label, or put the certificate on the token first."


class TokenFailed(Unavailable):
    """The token answered before and does not now, or will not sign so."""

    code = "token.failed"
    zh = "令牌 {token} 未能签名（{reason}）：请重新插好令牌再试。"
    en = "The token {token} did not sign ({reason}): put it in again, then try once more."


class TokenTaken(Unavailable):
    """The PKCS#11 library is somebody else's in this program: nobody else's session is ended for one's own."""

    code = "token.taken"
    zh = "PKCS#11 库 {library} 正由本程序的另一处使用，或在进程分叉之前已打开：请先结束该处的使用，或另起进程签名。"
    en = "The PKCS#11 library {library} is in use elsewhere in this program, or was open before the process was forked: end that use first, or sign in a process of its own."


#: seconds to wait for a service's call that is in the library
_WAIT = 10


@contextmanager
def identity_on(library: str, token: str, pin: str, *, label: str | None = None) -> Iterator[Identity]:
    """The key and certificate on the token called `token`, for as long as it is open.

    `label` names the certificate where there are several. The library is this call's alone, and let go at its end: a key centre of the
    same process that uses it waits until then, and opens its own again. Raises TokenMissing, TokenPin, NoIdentityOnToken; TokenTaken
    while another identity is open in this process, and in a fork of one that had the library open.
    """
    with _taken(library), _opened(library, token, pin) as session:
        yield _identity(session, token, label)


@contextmanager
def _taken(path: str) -> Iterator[None]:
    """Alone in the library; raises TokenTaken."""
    library = library_at(path)
    lock = library.lock  # a fork meanwhile gives the child another
    if library.taken or library.inherited or not lock.acquire(timeout=_WAIT):
        raise TokenTaken(library=path)
    try:
        library.taken = True
        if library.holder is not None:
            library.holder.let_go()
        yield
    finally:
        library.taken = False
        lock.release()


@contextmanager
def _opened(library: str, token: str, pin: str) -> Iterator[Any]:
    """A session on the token in a library that is ours; raises TokenMissing, TokenPin."""
    import pkcs11
    from pkcs11 import exceptions as cryptoki

    try:
        module = pkcs11.lib(library)
    except (pkcs11.PKCS11Error, RuntimeError, OSError) as error:
        raise TokenMissing(token=token, reason=type(error).__name__) from error
    try:
        try:
            session = module.get_token(token_label=token).open(user_pin=pin)
        except (
            cryptoki.PinIncorrect,
            cryptoki.PinLocked,
            cryptoki.PinLenRange,
            cryptoki.PinInvalid,
        ) as error:
            raise TokenPin(token=token, reason=type(error).__name__) from error
        except pkcs11.PKCS11Error as error:
            raise TokenMissing(token=token, reason=type(error).__name__) from error
        with session:
            yield session
    finally:
        module.finalize()


def _identity(session: Any, token: str, label: str | None) -> Identity:
    from pkcs11 import Attribute, ObjectClass

    certificates = []
    for each in session.get_objects({Attribute.CLASS: ObjectClass.CERTIFICATE}):
        try:
            certificates.append((each, Certificate(bytes(each[Attribute.VALUE]))))
        except Malformed:
            continue  # of another kind, or not for us
    keys = {
        bytes(each[Attribute.ID]): each
        for each in session.get_objects({Attribute.CLASS: ObjectClass.PRIVATE_KEY})
    }
    fitting = [
        (keys[bytes(each[Attribute.ID])], certificate)
        for each, certificate in certificates
        if bytes(each[Attribute.ID]) in keys and label in (None, str(each[Attribute.LABEL]))
    ]
    if len(fitting) != 1:
        raise NoIdentityOnToken(token=token, found=len(fitting))
    ((key, own),) = fitting
    above = tuple(certificate for _, certificate in certificates if certificate != own)
    return Identity(TokenSigner(key, own.public_key, token), own, above)


class TokenSigner:
    """Signs with one private key on the token (`yinxin.crypto.Signer`); ECDSA and RSA, what tokens of people do."""

    def __init__(self, key: Any, public_key: PublicKey, token: str) -> None:
        self._key = key
        self._token = token
        self.public_key = public_key

    def sign(self, message: bytes) -> bytes:
        """The signature over `message`, verified before it is used; raises TokenFailed, BadSignature, UnsupportedAlgorithm."""
        import pkcs11
        from pkcs11 import Mechanism

        family = self.public_key.signature_algorithm.family
        if family not in ("ec", "rsa"):
            raise UnsupportedAlgorithm(what="token", algorithm=self.public_key.algorithm)
        digest = self.public_key.prehash(message)
        try:
            if family == "rsa":
                hash_ = self.public_key.signature_algorithm.hash
                # DigestInfo with NULL parameters (RFC 8017 9.2 note 1)
                told = der.sequence(der.sequence(der.oid(hash_.oid), der.null()), der.octets(digest))
                signature = bytes(self._key.sign(told, mechanism=Mechanism.RSA_PKCS))
            else:
                raw = bytes(self._key.sign(digest, mechanism=Mechanism.ECDSA))
                half = len(raw) // 2  # r ‖ s becomes Ecdsa-Sig-Value (RFC 3279 2.2.3)
                numbers = (int.from_bytes(raw[:half]), int.from_bytes(raw[half:]))
                signature = der.sequence(*map(der.integer, numbers))
        except pkcs11.PKCS11Error as error:
            raise TokenFailed(token=self._token, reason=type(error).__name__) from error
        self.public_key.verify(signature, message, what=self._token)
        return signature

    def __repr__(self) -> str:
        return f"<TokenSigner {self._token}>"
