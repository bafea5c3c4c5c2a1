"""A token of one's own: its key signs as one from a file does; a wrong PIN is tried once."""

import base64
import json
import os
from contextlib import suppress
from pathlib import Path

import pkcs11
import pytest
from click.testing import CliRunner, Result
from pkcs11 import Attribute, CertificateType, KeyType, ObjectClass

from ca.bulk.keys import placeholder
from kms.mechanisms import NATIVE, read_public_key
from ops.cli.context import Context
from ops.cli.main import root
from ops.cli.sign import IdentityMissing, NotToBeShown, StatementAsFile
from tests.support.softhsm import Token
from yinxin.authz import sign_in_statement
from yinxin.clock import SystemClock
from yinxin.crypto import cms, own_token
from yinxin.crypto.own_token import (
    NoIdentityOnToken,
    TokenMissing,
    TokenPin,
    TokenSigner,
    TokenTaken,
    identity_on,
)

pytestmark = pytest.mark.engines("any")
LETTER = "关于同意开工的函\n".encode()


def furnish(token: Token, label: str, identifier: bytes, kind: str = "ecdsa-p256") -> None:
    """A pair and the certificate for it, as a card office leaves them."""
    native = NATIVE[kind]
    module = pkcs11.lib(token.module)
    pin = token.pin_file.read_text("ascii")
    with module.get_token(token_label=token.label).open(rw=True, user_pin=pin) as session:
        if native.key_type is KeyType.RSA:
            public, private = session.generate_keypair(
                KeyType.RSA, 3072, store=True, id=identifier, label=label
            )
        else:
            curve = session.create_domain_parameters(
                KeyType.EC, {Attribute.EC_PARAMS: native.curve}, local=True
            )
            public, private = curve.generate_keypair(store=True, id=identifier, label=label)
        signer = TokenSigner(private, read_public_key(native, public), token.label)
        certificate = placeholder(signer, label, SystemClock().now())
        session.create_object(
            {
                Attribute.CLASS: ObjectClass.CERTIFICATE,
                Attribute.CERTIFICATE_TYPE: CertificateType.X_509,
                Attribute.TOKEN: True,
                Attribute.LABEL: label,
                Attribute.ID: identifier,
                Attribute.SUBJECT: certificate.subject.der,
                Attribute.VALUE: certificate.der,
            }
        )
    module.finalize()


@pytest.mark.parametrize("kind", ["ecdsa-p256", "ecdsa-p384", "rsa-3072"])
def test_it_signs_as_a_key_from_a_file(token: Token, kind: str) -> None:
    furnish(token, "sign", b"1", kind)
    pin = token.pin_file.read_text("ascii")
    with identity_on(token.module, token.label, pin) as identity:
        signature = cms.sign_detached(identity, LETTER, signed_at=None)
        assert pin not in repr(identity) + repr(identity.key)
    assert cms.verify_detached(signature, LETTER).certificate == identity.certificate


def test_what_is_not_there_and_what_is_not_right(token: Token) -> None:
    pin = token.pin_file.read_text("ascii")
    with pytest.raises(NoIdentityOnToken), identity_on(token.module, token.label, pin):
        pass
    furnish(token, "one", b"1")
    furnish(token, "two", b"2")
    for label in (None, "three"):
        with pytest.raises(NoIdentityOnToken), identity_on(token.module, token.label, pin, label=label):
            pass
    with identity_on(token.module, token.label, pin, label="two") as identity:
        assert "two" in identity.certificate.subject.text
    with pytest.raises(TokenPin) as caught, identity_on(token.module, token.label, "00000000x"):
        pass
    assert "00000000x" not in str(caught.value)
    with pytest.raises(TokenMissing), identity_on(token.module, "another", pin):
        pass
    with pytest.raises(TokenMissing), identity_on("/no/such/library.so", token.label, pin):
        pass


def test_one_identity_at_a_time_is_open(token: Token, monkeypatch: pytest.MonkeyPatch) -> None:
    """Seen to fail while the second let the library go at its end: the first could not sign any more; and to wait while it was not refused at once."""
    monkeypatch.setattr(own_token, "_WAIT", 3600)
    furnish(token, "one", b"1")
    furnish(token, "two", b"2")
    pin = token.pin_file.read_text("ascii")
    with identity_on(token.module, token.label, pin, label="one") as one:
        with (
            pytest.raises(TokenTaken),
            identity_on(spelt_otherwise(token.module), token.label, pin, label="two"),
        ):
            pass
        one.key.sign(LETTER)
        child = os.fork()
        if child == 0:
            with suppress(TokenTaken), identity_on(token.module, token.label, pin, label="two"):
                os._exit(1)
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
    with identity_on(token.module, token.label, pin, label="two") as two:
        two.key.sign(LETTER)


def spelt_otherwise(path: str) -> str:
    return f"{os.path.dirname(path)}/./{os.path.basename(path)}"  # noqa: PTH119, PTH120 - `Path` would take the dot away


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(root, [*map(str, arguments)], obj=Context())


def test_the_command_signs_with_it(token: Token, tmp_path: Path) -> None:
    furnish(token, "sign", b"1")
    (tmp_path / "letter.txt").write_bytes(LETTER)
    own = ("--library", token.module, "--token", token.label, "--pin-file", token.pin_file)
    done = run("sign", tmp_path / "letter.txt", "--form", "cms", *own, "--json")
    assert done.exit_code == 0, (done.output, done.exception)
    signature = base64.b64decode(json.loads(done.stdout)["signature_base64"])
    cms.verify_detached(signature, LETTER)
    assert "letter.txt" in done.stderr
    done = run("sign", tmp_path / "letter.txt", "--form", "cms", *own, "--out", tmp_path / "letter.p7s")
    assert done.exit_code == 0, (done.output, done.exception)
    cms.verify_detached((tmp_path / "letter.p7s").read_bytes(), LETTER)
    assert isinstance(run("sign", tmp_path / "letter.txt", *own).exception, NotToBeShown)
    done = run(
        "sign-in", "--challenge", "abc", "--origin", "https://localhost", *own, "--out", tmp_path / "answer"
    )
    assert done.exit_code == 0, (done.output, done.exception)
    answer = base64.b64decode((tmp_path / "answer").read_text("ascii"))
    cms.verify_detached(answer, sign_in_statement("abc", "https://localhost"))


def test_no_challenge_is_signed_as_a_file(token: Token, tmp_path: Path) -> None:
    """Whoever is asked to sign "a file" does not sign somebody in. Seen to fail when the octets are not looked at."""
    (tmp_path / "letter.txt").write_bytes(sign_in_statement("abc", "https://localhost"))
    for form in ("cms", "asice"):
        refused = run(
            "sign",
            tmp_path / "letter.txt",
            "--form",
            form,
            "--url",
            "https://localhost",
            "--out",
            tmp_path / "x",
        )
        assert isinstance(refused.exception, StatementAsFile)
    (tmp_path / "letter.txt").write_bytes(LETTER)
    assert isinstance(run("sign", tmp_path / "letter.txt", "--form", "cms").exception, IdentityMissing)
    assert run("sign", tmp_path / "letter.txt", "--form", "asice").exit_code == 2
