"""Making keys inside the module, so that they can never leave it."""

from collections.abc import Mapping
from typing import Any

from pkcs11 import Attribute, MechanismFlag, ObjectClass
from pkcs11.exceptions import PKCS11Error, TemplateInconsistent

from kms.engine.gcm import prove_wrapping
from kms.mechanisms import Native, from_signed, read_public_key, to_sign
from kms.token import objects
from yinxin.crypto.errors import BadSignature
from yinxin.crypto.keys import PublicKey

#: the classes of object that a key consists of
KINDS = (ObjectClass.PRIVATE_KEY, ObjectClass.PUBLIC_KEY, ObjectClass.SECRET_KEY)
#: what makes a key one that stays (PKCS#11 v3.1, 4.9): no value in the clear, no wrapping under another key, no changing
STAYS: dict[Attribute, Any] = {
    Attribute.PRIVATE: True,
    Attribute.SENSITIVE: True,
    Attribute.EXTRACTABLE: False,
    Attribute.MODIFIABLE: False,
}
_TRIAL = b"yinxin: is this pair one pair?"


def find_or_make(session: Any, native: Native, identifier: bytes, label: str) -> PublicKey | None:
    """The key of this CKA_ID: what a crashed run left, when it is whole, else a new one. None for keys that wrap.

    Only for a key that nobody has used yet: what is not whole is destroyed. Safe to repeat.
    """
    left = {kind: objects(session, identifier, kind) for kind in KINDS}
    try:
        return proved(session, native, identifier)
    except (PKCS11Error, BadSignature):
        for each in (each for found in left.values() for each in found):
            each.destroy()
    make(session, native, {"id": identifier, "label": label, "store": True}, STAYS)
    return proved(session, native, identifier)


def make(
    session: Any, native: Native, naming: Mapping[str, Any], template: Mapping[Attribute, Any]
) -> tuple[Any, Any]:
    """A new key's secret and public object (None for one that wraps), named so, its secret made by this template."""
    if not native.signs:
        secret = session.generate_key(
            native.key_type,
            native.bits,
            capabilities=MechanismFlag.ENCRYPT | MechanismFlag.DECRYPT,
            template=template,
            **naming,
        )
        return secret, None
    how: dict[str, Any] = {
        "mechanism": native.generate,
        "capabilities": MechanismFlag.SIGN | MechanismFlag.VERIFY,
        "private_template": template,
    }
    if native.parameter_set is not None:
        how["public_template"] = {Attribute.PARAMETER_SET: native.parameter_set}
    if native.curve is None:
        public, private = session.generate_keypair(native.key_type, native.bits, **naming, **how)
    else:
        parameters = {Attribute.EC_PARAMS: native.curve}
        domain = session.create_domain_parameters(native.key_type, parameters, local=True)
        public, private = domain.generate_keypair(**naming, **how)
    return private, public


def proved(session: Any, native: Native, identifier: bytes, *, travelled: bool = False) -> PublicKey | None:
    """The public key, after the key has shown that it stays, that it is alone, and that its halves belong together.

    One that `travelled` came wrapped from another token, and says so.
    """
    (key,) = _alone(session, identifier, native.kind)
    _demand_staying(key, travelled=travelled)
    if not native.signs:
        prove_wrapping(key)
        return None
    (public,) = _alone(session, identifier, ObjectClass.PUBLIC_KEY)
    public_key = read_public_key(native, public)
    prepared = _TRIAL if native.whole else public_key.prehash(_TRIAL)
    raw = key.sign(to_sign(native, public_key, prepared), mechanism=native.use)
    public_key.verify(from_signed(native, raw), _TRIAL)
    return public_key


def _demand_staying(key: Any, *, travelled: bool = False) -> None:
    """Ask the module itself: a token that ignores part of a template must not go unnoticed."""
    stays = key[Attribute.SENSITIVE], key[Attribute.EXTRACTABLE], key[Attribute.NEVER_EXTRACTABLE]
    if stays != (True, False, not travelled):
        raise TemplateInconsistent


def _alone(session: Any, identifier: bytes, kind: ObjectClass) -> list[Any]:
    found = objects(session, identifier, kind)
    if len(found) != 1:
        raise TemplateInconsistent
    return found
