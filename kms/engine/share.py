"""One key in two tokens, without ever having been outside them.

The other token has a receiving key (RSA-3072, unwraps and does nothing else). For each key to be shared, this token
makes a transport key, wraps it for the receiving key (RSA-OAEP) and the new key under it (AES key wrap with padding,
RFC 5649), and both tokens take the new key from that wrapping as SENSITIVE and not EXTRACTABLE. Transport key and
original are session objects and are destroyed at once, so nothing is left in these tokens that could let the key out
again. The one difference to a key made where it stays: CKA_NEVER_EXTRACTABLE says, truly, that it has travelled.

Where there is a vault token, the transport key is wrapped for its receiving key as well. That token alone can put it under
the receiving key of a token that comes later; neither it nor anybody else sees the key itself.
"""

from dataclasses import replace
from typing import Any

from pkcs11 import MGF, Attribute, KeyType, Mechanism, MechanismFlag, ObjectClass
from pkcs11.constants import DEFAULT

from kms.engine.engine import KeyReference, SharedKey
from kms.generate import KINDS, STAYS, make, proved
from kms.mechanisms import NATIVE, Native, read_public_key
from kms.token import objects
from yinxin.crypto import der

#: CKA_ID of the key by which a token receives others; identifiers of keys in the register are never this short
RECEIVER = b"receiver"
_RECEIVER_BITS = 3072
#: SHA-1 in OAEP and MGF1: the one pair that every module has; their security does not rest on collisions (RFC 8017 B.1)
_OAEP = (Mechanism.SHA_1, MGF.SHA1, None)
#: what the wrapping needs of a module
NEEDED = frozenset({"RSA_PKCS_OAEP", "AES_KEY_WRAP_PAD", "AES_KEY_GEN"})
#: key types whose wrapping PKCS#11 modules do not agree on: SoftHSM2 refuses it
UNSHARED = frozenset({KeyType.EC_EDWARDS, KeyType.ML_DSA})
_LEAVES: dict[Attribute, Any] = {
    Attribute.PRIVATE: True,
    Attribute.SENSITIVE: True,
    Attribute.EXTRACTABLE: True,
}
#: in a template of a private key to be unwrapped, what python-pkcs11 would state and a module would refuse
_UNSAID: dict[Attribute, Any] = dict.fromkeys((Attribute.ENCRYPT, Attribute.WRAP, Attribute.VERIFY), DEFAULT)


def receiver(session: Any) -> bytes:
    """The modulus and exponent, as RSAPublicKey, of this token's receiving key; made when it is first asked for."""
    found = objects(session, RECEIVER, ObjectClass.PUBLIC_KEY)
    if len(found) != 1 or len(objects(session, RECEIVER, ObjectClass.PRIVATE_KEY)) != 1:
        for each in [each for kind in KINDS for each in objects(session, RECEIVER, kind)]:
            each.destroy()
        session.generate_keypair(
            KeyType.RSA,
            _RECEIVER_BITS,
            id=RECEIVER,
            label="receiver",
            store=True,
            capabilities=MechanismFlag.WRAP | MechanismFlag.UNWRAP,
            private_template=STAYS,
        )
        found = objects(session, RECEIVER, ObjectClass.PUBLIC_KEY)
    modulus, exponent = (
        int.from_bytes(found[0][each]) for each in (Attribute.MODULUS, Attribute.PUBLIC_EXPONENT)
    )
    return der.sequence(der.integer(modulus), der.integer(exponent))


def make_shared(session: Any, key: KeyReference, received_by: bytes, vault: bytes = b"") -> SharedKey:
    """Make the key in this token, with its wrapping for the tokens whose receiving keys are given. Safe to repeat.

    Only for a key that nobody has used yet: what is there is destroyed.
    """
    native = NATIVE[key.algorithm]
    _clear(session, key.identifier)
    passing: list[Any] = []
    try:
        transport = session.generate_key(
            KeyType.AES,
            256,
            store=False,
            capabilities=MechanismFlag.WRAP | MechanismFlag.UNWRAP,
            template=_LEAVES,
        )
        passing.append(transport)
        secret, public = make(session, native, {"store": False}, _LEAVES)
        passing += [each for each in (secret, public) if each is not None]
        spki = read_public_key(native, public).spki if public is not None else None
        shared = SharedKey(
            spki,
            _passed(session, transport, received_by),
            bytes(transport.wrap_key(secret, mechanism=Mechanism.AES_KEY_WRAP_PAD)),
            _public_value(native, public),
            _passed(session, transport, vault) if vault else b"",
        )
        _take(session, native, key, transport, shared)
    finally:
        for each in passing:
            each.destroy()
    return shared


def pass_on(session: Any, shared: SharedKey, received_by: bytes) -> SharedKey:
    """A key that was wrapped for this token, for the one whose receiving key is given: its transport key changes hands."""
    transport = _transport(session, shared.transport, _LEAVES)
    try:
        return replace(shared, transport=_passed(session, transport, received_by), kept=b"")
    finally:
        transport.destroy()


def take_shared(session: Any, key: KeyReference, shared: SharedKey) -> bytes | None:
    """The same key in this token, from the wrapping; its public key as the token proves it. Safe to repeat."""
    native = NATIVE[key.algorithm]
    _clear(session, key.identifier)
    transport = _transport(
        session, shared.transport, {Attribute.SENSITIVE: True, Attribute.EXTRACTABLE: False}
    )
    try:
        return _take(session, native, key, transport, shared)
    finally:
        transport.destroy()


def _transport(session: Any, wrapped: bytes, template: dict[Attribute, Any]) -> Any:
    """The transport key that was wrapped for this token, for this session."""
    (own,) = objects(session, RECEIVER, ObjectClass.PRIVATE_KEY)
    return own.unwrap_key(
        ObjectClass.SECRET_KEY,
        KeyType.AES,
        wrapped,
        store=False,
        capabilities=MechanismFlag.WRAP | MechanismFlag.UNWRAP,
        mechanism=Mechanism.RSA_PKCS_OAEP,
        mechanism_param=_OAEP,
        template=template,
    )


def _passed(session: Any, transport: Any, received_by: bytes) -> bytes:
    """The transport key, wrapped for the token of this receiving key."""
    receiving = _imported(session, received_by)
    try:
        return bytes(receiving.wrap_key(transport, mechanism=Mechanism.RSA_PKCS_OAEP, mechanism_param=_OAEP))
    finally:
        receiving.destroy()


def _take(session: Any, native: Native, key: KeyReference, transport: Any, shared: SharedKey) -> bytes | None:
    template = STAYS | _UNSAID if native.signs else STAYS
    transport.unwrap_key(
        native.kind,
        native.key_type,
        shared.wrapped,
        mechanism=Mechanism.AES_KEY_WRAP_PAD,
        id=key.identifier,
        label=key.label,
        store=True,
        capabilities=MechanismFlag.SIGN if native.signs else MechanismFlag.ENCRYPT | MechanismFlag.DECRYPT,
        template=template,
    )
    if native.signs:
        session.create_object(_public_object(native, key, shared.public))
    public_key = proved(session, native, key.identifier, travelled=True)
    return public_key.spki if public_key else None


def _public_value(native: Native, public: Any) -> list[bytes]:
    """The attributes of the public half that a token needs to hold it as well."""
    if public is None:
        return []
    if native.key_type == KeyType.RSA:
        return [bytes(public[Attribute.MODULUS]), bytes(public[Attribute.PUBLIC_EXPONENT])]
    return [bytes(public[Attribute.EC_POINT])]


def _public_object(native: Native, key: KeyReference, value: list[bytes]) -> dict[Attribute, Any]:
    about: dict[Attribute, Any] = {
        Attribute.CLASS: ObjectClass.PUBLIC_KEY,
        Attribute.KEY_TYPE: native.key_type,
        Attribute.TOKEN: True,
        Attribute.ID: key.identifier,
        Attribute.LABEL: key.label,
        Attribute.VERIFY: True,
        Attribute.ENCRYPT: False,
        Attribute.WRAP: False,
    }
    if native.key_type == KeyType.RSA:
        return about | {Attribute.MODULUS: value[0], Attribute.PUBLIC_EXPONENT: value[1]}
    return about | {Attribute.EC_PARAMS: native.curve, Attribute.EC_POINT: value[0]}


def _imported(session: Any, encoded: bytes) -> Any:
    """The other token's receiving key, for this session."""
    modulus, exponent = (der.content(each) for each in der.elements(encoded))
    return session.create_object(
        {
            Attribute.CLASS: ObjectClass.PUBLIC_KEY,
            Attribute.KEY_TYPE: KeyType.RSA,
            Attribute.MODULUS: modulus.lstrip(b"\0"),
            Attribute.PUBLIC_EXPONENT: exponent,
            Attribute.TOKEN: False,
            Attribute.WRAP: True,
            Attribute.ENCRYPT: False,
            Attribute.VERIFY: False,
        }
    )


def _clear(session: Any, identifier: bytes) -> None:
    for kind in KINDS:
        for each in objects(session, identifier, kind):
            each.destroy()
