"""The octets of an object: wrapped under the KEK in the database, opened for an answer and cleansed after it."""

from collections.abc import Mapping
from typing import Any

from kms.generation.held import Held
from kms.info import Wrapped
from kms.keyring.secret import Keys
from kms.kmip.models import KmipObjectRow
from kms.wrap import unwrap_octets, wrap_octets
from yinxin import canonical
from yinxin.act import Actor
from yinxin.randomness import Randomness


def about(row: KmipObjectRow) -> dict[str, Any]:
    """What the ciphertext is bound to: put into another row, or another client's, it does not open."""
    return {
        "id": row.id,
        "client": row.client,
        "object_type": row.object_type,
        "algorithm": row.algorithm,
        "length": row.length,
        "form": row.form,
        "secret_type": row.secret_type,
    }


def _bound(told: Mapping[str, Any], kek: str) -> bytes:
    return canonical.encode({"v": 1, "type": "kms.kmip-object", "kek": kek, **told})


def put(keys: Keys, actor: Actor, row: KmipObjectRow, secret: bytes, randomness: Randomness) -> None:
    """Give the row its ciphertext; raises as `Token.use`."""
    row.about = about(row)
    kek = keys.wrapping_key(actor)
    wrapped = wrap_octets(keys.engine, kek, _bound(row.about, kek.label), secret, randomness)
    row.kek, row.nonce, row.blob = wrapped.kek, wrapped.nonce, wrapped.blob


def take(keys: Keys, row: KmipObjectRow) -> bytes:
    """What `put` was given, for whoever calls to cleanse; raises WrappedKeyAltered, or as `Token.use`."""
    kek = keys.key(row.kek or "")
    wrapped = Wrapped(kek.label, row.nonce or b"", row.blob or b"")
    return unwrap_octets(keys.engine, kek, _bound(about(row), kek.label), wrapped, f"kmip {row.id}")


#: how the ciphertexts are bound, for rewrapping
HELD = Held(KmipObjectRow, lambda row, kek: _bound(row.about, kek))
