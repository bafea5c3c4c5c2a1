"""JSON Web Signatures in the flattened form, and the keys in them (RFC 7515, 7517, 7518, 7638, 8037), read strictly.

What is refused here is what RFC 8555 section 6.2 refuses: no `none`, no MAC where a signature is due, no unprotected
header, no members that are given twice, no base64 with padding or with bits that mean nothing.
"""

import base64
import binascii
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa, utils

from yinxin.crypto import suite as suites
from yinxin.crypto.errors import BadSignature, MalformedJose, UnsupportedAlgorithm
from yinxin.crypto.keys import PublicKey, Signer
from yinxin.crypto.suite import HashAlgorithm, SignatureAlgorithm

#: signature algorithms → (how it signs, kind of key)
ALGORITHMS: Mapping[str, tuple[SignatureAlgorithm, str]] = {
    "ES256": (suites.ECDSA_SHA256, "ecdsa-p256"),
    "ES384": (suites.ECDSA_SHA384, "ecdsa-p384"),
    "RS256": (suites.RSA_SHA256, "rsa"),
    "EdDSA": (suites.ED25519, "ed25519"),
}
_MACS: Mapping[str, HashAlgorithm] = {"HS256": suites.SHA256, "HS384": suites.SHA384, "HS512": suites.SHA512}
_CURVES: Mapping[str, tuple[type[ec.EllipticCurve], int]] = {
    "P-256": (ec.SECP256R1, 32),
    "P-384": (ec.SECP384R1, 48),
}
#: members of a key that make its thumbprint (RFC 7638 3.2, RFC 8037 section 2)
_MEMBERS = {"EC": ("crv", "kty", "x", "y"), "RSA": ("e", "kty", "n"), "OKP": ("crv", "kty", "x")}
#: bits of an RSA modulus: what is larger costs the verifier more than it gives
_LARGEST_RSA = 8192
#: deeper JSON is no header and no key
_DEEPEST = 16


def encode64(data: bytes) -> str:
    """base64url without padding (RFC 7515 section 2)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def decode64(text: object, field: str) -> bytes:
    """The octets of base64url without padding, in its one spelling; raises MalformedJose."""
    if not isinstance(text, str):
        raise MalformedJose(field=field, reason="not a string")
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise MalformedJose(field=field, reason="not base64url") from error
    if encode64(data) != text:
        raise MalformedJose(field=field, reason="not the one spelling of base64url without padding")
    return data


def read_object(data: bytes, field: str) -> dict[str, Any]:
    """A JSON object with no member given twice, and of a depth that means something; raises MalformedJose."""
    try:
        value = _DECODER.decode(data.decode("utf-8"))
        if b"\\u" in data:
            json.dumps(value, ensure_ascii=False).encode()  # half of a surrogate pair is no text
    except (ValueError, RecursionError) as error:
        raise MalformedJose(field=field, reason="not a JSON object") from error
    if not isinstance(value, dict) or _depth(value) > _DEEPEST:
        raise MalformedJose(field=field, reason="not a JSON object")
    return value


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError("a member stands twice")
    return made


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is no JSON")


#: made once: `json.loads` would make one for every header
_DECODER = json.JSONDecoder(object_pairs_hook=_once, parse_constant=_no_constant)


def _depth(value: Any) -> int:
    level, deep = [value], 0
    while level:
        deep += 1
        if deep > _DEEPEST:
            break
        level = [
            below
            for each in level
            if isinstance(each, dict | list)
            for below in (each.values() if isinstance(each, dict) else each)
        ]
    return deep


@dataclass(frozen=True)
class Jwk:
    """A public key as JSON; `members` are those that count, in their one spelling."""

    key: PublicKey
    members: Mapping[str, str]

    @classmethod
    def read(cls, value: object) -> Self:
        """The key in a parsed JSON value; raises MalformedJose, MalformedKey or UnsupportedAlgorithm."""
        if not isinstance(value, dict):
            raise MalformedJose(field="jwk", reason="not a JSON object")
        kind = value.get("kty")
        if not isinstance(kind, str) or kind not in _MEMBERS:
            raise UnsupportedAlgorithm(what="jwk", algorithm=str(kind)[:20])
        if "d" in value or "k" in value:
            raise MalformedJose(field="jwk", reason="it holds a secret")
        members = {name: value.get(name) for name in _MEMBERS[kind]}
        if not all(isinstance(each, str) for each in members.values()):
            raise MalformedJose(field="jwk", reason=f"{', '.join(members)} must be strings")
        spelled = {name: str(each) for name, each in members.items()}
        return cls(PublicKey(_spki(kind, spelled)), spelled)

    @classmethod
    def of(cls, key: PublicKey) -> Self:
        """The key as JSON; raises UnsupportedAlgorithm for a kind that has no such form."""
        if key.algorithm not in {kind for _, kind in ALGORITHMS.values()}:
            raise UnsupportedAlgorithm(what="jwk", algorithm=key.algorithm)
        library = serialization.load_der_public_key(key.spki)
        if isinstance(library, ec.EllipticCurvePublicKey):
            numbers = library.public_numbers()
            name, size = next((n, s) for n, (c, s) in _CURVES.items() if isinstance(library.curve, c))
            x, y = (encode64(each.to_bytes(size)) for each in (numbers.x, numbers.y))
            return cls(key, {"crv": name, "kty": "EC", "x": x, "y": y})
        if isinstance(library, rsa.RSAPublicKey):
            public = library.public_numbers()
            n, e = (encode64(each.to_bytes((each.bit_length() + 7) // 8)) for each in (public.n, public.e))
            return cls(key, {"e": e, "kty": "RSA", "n": n})
        point = library.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        return cls(key, {"crv": "Ed25519", "kty": "OKP", "x": encode64(point)})

    @property
    def thumbprint(self) -> str:
        """SHA-256 over the members that count (RFC 7638), base64url."""
        text = json.dumps(dict(self.members), sort_keys=True, separators=(",", ":"))
        return encode64(suites.SHA256.digest(text.encode("ascii")))


def _spki(kind: str, members: Mapping[str, str]) -> bytes:
    octets = {name: decode64(text, name) for name, text in members.items() if name not in ("kty", "crv")}
    try:
        key = _library_key(kind, members, octets)
    except ValueError as error:
        raise MalformedJose(field="jwk", reason="no such key") from error
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_bytes(serialization.Encoding.DER, form)


def _library_key(
    kind: str, members: Mapping[str, str], octets: Mapping[str, bytes]
) -> ec.EllipticCurvePublicKey | rsa.RSAPublicKey | ed25519.Ed25519PublicKey:
    if kind == "RSA":
        n, e = (int.from_bytes(octets[name]) for name in ("n", "e"))
        if n.bit_length() > _LARGEST_RSA or octets["n"][:1] == b"\0" or octets["e"][:1] == b"\0":
            raise ValueError("larger than is verified, or padded")
        if not (65537 <= e < 1 << 33 and e & 1):
            raise UnsupportedAlgorithm(what="jwk", algorithm=f"rsa e={str(e)[:12]}")
        return rsa.RSAPublicNumbers(e, n).public_key()
    curve = members["crv"]
    if kind == "OKP":
        if curve != "Ed25519":
            raise UnsupportedAlgorithm(what="jwk", algorithm=curve[:20])
        return ed25519.Ed25519PublicKey.from_public_bytes(octets["x"])
    if curve not in _CURVES:
        raise UnsupportedAlgorithm(what="jwk", algorithm=curve[:20])
    made, size = _CURVES[curve]
    if {len(octets["x"]), len(octets["y"])} != {size}:
        raise ValueError("not the size of the curve")
    x, y = (int.from_bytes(octets[name]) for name in ("x", "y"))
    return ec.EllipticCurvePublicNumbers(x, y, made()).public_key()


@dataclass(frozen=True)
class Jws:
    """A flattened JWS as it came; nothing in it is believed before `verify` or `verify_mac`."""

    header: Mapping[str, Any]
    payload: bytes
    signature: bytes
    signed: bytes

    @classmethod
    def read(cls, data: bytes | Mapping[str, Any]) -> Self:
        """Read octets, or a JSON object that stood inside another; raises MalformedJose."""
        value = read_object(data, "body") if isinstance(data, bytes) else data
        if set(value) != {"protected", "payload", "signature"}:
            raise MalformedJose(field="body", reason="it must hold protected, payload and signature alone")
        header = read_object(decode64(value["protected"], "protected"), "protected")
        if "crit" in header or "b64" in header:
            raise MalformedJose(field="protected", reason="no extension is understood")
        payload, signature = (decode64(value[name], name) for name in ("payload", "signature"))
        return cls(header, payload, signature, f"{value['protected']}.{value['payload']}".encode("ascii"))

    @classmethod
    def read_compact(cls, text: str) -> Self:
        """Read the compact form (RFC 7515 7.1); raises MalformedJose."""
        parts = text.split(".")
        if len(parts) != 3:
            raise MalformedJose(field="token", reason="not three parts")
        return cls.read(dict(zip(("protected", "payload", "signature"), parts, strict=True)))

    @property
    def algorithm(self) -> str:
        """What the header claims; raises MalformedJose when it is no text."""
        name = self.header.get("alg")
        if not isinstance(name, str):
            raise MalformedJose(field="alg", reason="missing")
        return name

    def verify(self, key: PublicKey) -> None:
        """Raise BadSignature unless `key` made it, UnsupportedAlgorithm when it is no signature of such a key's."""
        name = self.algorithm
        algorithm, kind = ALGORITHMS.get(name, (None, ""))
        if algorithm is None or kind != key.algorithm:
            raise UnsupportedAlgorithm(what="JWS", algorithm=name[:20])
        signature = self.signature
        if algorithm.family == "ec":
            half = len(signature) // 2
            if half not in {size for _, size in _CURVES.values()} or len(signature) % 2:
                raise BadSignature(what="JWS")
            r, s = (int.from_bytes(part) for part in (signature[:half], signature[half:]))
            signature = utils.encode_dss_signature(r, s)
        key.verify(signature, self.signed, algorithm, what="JWS")

    def verify_mac(self, secret: bytes) -> None:
        """Raise BadSignature unless `secret` made it (RFC 7518 3.2), in constant time; UnsupportedAlgorithm."""
        hash_ = _MACS.get(self.algorithm)
        if hash_ is None:
            raise UnsupportedAlgorithm(what="JWS", algorithm=self.algorithm[:20])
        if not hmac.compare_digest(hmac.digest(secret, self.signed, hash_.name), self.signature):
            raise BadSignature(what="JWS")


def sign(signer: Signer, header: Mapping[str, Any], payload: bytes) -> dict[str, str]:
    """A flattened JWS of `signer`'s; `alg` is added to the header. Raises UnsupportedAlgorithm for SM2."""
    kind = signer.public_key.algorithm
    name = next((name for name, (_, known) in ALGORITHMS.items() if known == kind), None)
    if name is None:
        raise UnsupportedAlgorithm(what="JWS", algorithm=kind)
    protected, body = encode64(json.dumps({"alg": name, **header}).encode()), encode64(payload)
    signature = signer.sign(f"{protected}.{body}".encode("ascii"))
    if ALGORITHMS[name][0].family == "ec":
        size = next(size for curve, size in _CURVES.values() if kind == _KINDS[curve])
        signature = b"".join(each.to_bytes(size) for each in utils.decode_dss_signature(signature))
    return {"protected": protected, "payload": body, "signature": encode64(signature)}


def compact(signed: Mapping[str, str]) -> str:
    """The compact form of what `sign` gives (RFC 7515 7.1)."""
    return ".".join(signed[name] for name in ("protected", "payload", "signature"))


def encode_object(claims: Mapping[str, Any]) -> bytes:
    """Claims as the octets of a JSON object."""
    return json.dumps(dict(claims), ensure_ascii=False, separators=(",", ":")).encode()


def mac(secret: bytes, header: Mapping[str, Any], payload: bytes) -> dict[str, str]:
    """A flattened JWS under a shared secret, HS256 (RFC 7518 3.2)."""
    protected, body = encode64(json.dumps({"alg": "HS256", **header}).encode()), encode64(payload)
    tag = hmac.digest(secret, f"{protected}.{body}".encode("ascii"), suites.SHA256.name)
    return {"protected": protected, "payload": body, "signature": encode64(tag)}


_KINDS = {ec.SECP256R1: "ecdsa-p256", ec.SECP384R1: "ecdsa-p384"}
