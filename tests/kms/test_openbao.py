"""Secrets in a real OpenBao: read, rotated, refused, sealed and gone; and the token whose PIN stands there."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from kms.custodians.sealed import FILE
from kms.custodians.source import CustodianSecrets
from kms.errors import WrongPin
from kms.secrets import HSM_PIN, HSM_SO_PIN, SecretFiles, SecretsSettings, Sources
from kms.secrets.errors import (
    SecretAbsent,
    SecretFileLoose,
    SecretFileMissing,
    SecretIdSpent,
    SecretIdSwapped,
    SecretLoginRefused,
    SecretRefused,
    SecretStoreSealed,
    SecretStoreUnavailable,
    SecretStoreUntrusted,
)
from kms.secrets.openbao import OpenBao
from kms.secrets.settings import OpenBaoSettings
from ops.bench.served import free_port
from tests.support.openbao import POLICY, Bao, openbao
from yinxin.act import SYSTEM
from yinxin.clock import ManualClock
from yinxin.errors import YinxinError

from .conftest import World
from .test_token import counted

# the server is a download of 180 MB on a fresh machine, and takes ten seconds to start
pytestmark = [pytest.mark.engines("any"), pytest.mark.slow]

START = datetime(2026, 11, 29, 8, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bao]:
    with openbao(tmp_path_factory.mktemp("openbao")) as bao:
        yield bao


@pytest.fixture
def bao(server: Bao) -> Bao:
    """As every test finds it."""
    server.permit(POLICY)
    server.write({HSM_PIN: "hush-hush", "other": "else"})
    return server


def source(bao: Bao, folder: Path, *, content: str | None = None, **settings: object) -> OpenBao:
    """A source as a start of the platform has it."""
    file = folder / "secret-id"
    if content is not None or not file.exists():
        file.unlink(missing_ok=True)
        file.touch(0o600)
        file.write_text(content if content is not None else bao.secret_id(), "ascii")
    given = {"address": bao.address, "role_id": bao.role_id, "ca_file": str(bao.ca_file)} | settings
    return OpenBao(OpenBaoSettings.model_validate(given), file, ManualClock(START))


def told(error: BaseException | None) -> str:
    """All that an error and whatever it came of says or holds."""
    said = ""
    while error is not None:
        said += f"{error!r} {error} {getattr(error, 'facts', '')} {vars(error)}"
        error = error.__cause__ or error.__context__
    return said


def test_a_secret_is_read_anew_each_time(bao: Bao, tmp_path: Path) -> None:
    secrets = source(bao, tmp_path)
    with secrets.read(HSM_PIN) as first:
        assert first.text() == "hush-hush"
    version = bao.write({HSM_PIN: "changed"})
    with secrets.read(HSM_PIN) as second:
        assert second.text() == "changed"
    assert second.state != first.state
    assert f":{version}:" in second.state
    assert secrets.read(HSM_PIN).state == second.state
    assert "hush" not in repr(vars(secrets)), "something that was read is kept"


def test_a_field_may_be_called_otherwise(bao: Bao, tmp_path: Path) -> None:
    with source(bao, tmp_path, fields={HSM_PIN: "other"}).read(HSM_PIN) as secret:
        assert secret.text() == "else"
        assert secret.place == f"{bao.address} secret/yinxin#other"


def test_the_environment_has_no_say(bao: Bao, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "VAULT_ADDR"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    for name in ("VAULT_TOKEN", "VAULT_NAMESPACE", "VAULT_CACERT", "REQUESTS_CA_BUNDLE"):
        monkeypatch.setenv(name, "/nowhere")
    before = dict(os.environ)
    with source(bao, tmp_path).read(HSM_PIN) as secret:
        assert secret.text() == "hush-hush"
    assert dict(os.environ) == before


def test_a_revoked_token_is_got_anew(bao: Bao, tmp_path: Path) -> None:
    secrets = source(bao, tmp_path)
    secrets.read(HSM_PIN)
    first = secrets._token
    secrets.read(HSM_PIN)
    assert secrets._token == first, "one log-in serves until its token ends"
    bao.ask("POST", "auth/token/revoke", {"token": first})
    with secrets.read(HSM_PIN) as secret:
        assert secret.text() == "hush-hush"
    assert secrets._token != first


def test_the_token_is_renewed_at_half_its_time(bao: Bao, tmp_path: Path) -> None:
    secrets = source(bao, tmp_path)
    secrets.keep()
    assert secrets._token == "", "nobody logs in before a secret is needed"
    secrets.read(HSM_PIN)
    clock, token = secrets._clock, secrets._token
    assert isinstance(clock, ManualClock)

    def renewed() -> bool:
        return "last_renewal_time" in bao.ask("POST", "auth/token/lookup", {"token": token})["data"]

    clock.advance(timedelta(seconds=29))
    secrets.keep()
    assert not renewed()
    clock.advance(timedelta(seconds=2))
    secrets.keep()
    assert renewed()
    assert secrets._token == token
    bao.ask("POST", "auth/token/revoke", {"token": token})
    clock.advance(timedelta(seconds=31))
    secrets.keep()
    assert secrets._token != token, "a token that cannot be renewed is got anew"


def test_sealed_and_unsealed(bao: Bao, tmp_path: Path) -> None:
    secrets = source(bao, tmp_path)
    secrets.read(HSM_PIN)
    bao.seal()
    try:
        with pytest.raises(SecretStoreSealed) as refused:
            secrets.read(HSM_PIN)
        with pytest.raises(SecretStoreSealed):
            source(bao, tmp_path).read(HSM_PIN)
    finally:
        bao.unseal()
    assert refused.value.retryable
    with secrets.read(HSM_PIN) as secret:
        assert secret.text() == "hush-hush"


def test_nobody_answers(bao: Bao, tmp_path: Path) -> None:
    secrets = source(bao, tmp_path, address=f"https://127.0.0.1:{free_port()}")
    with pytest.raises(SecretStoreUnavailable) as refused:
        secrets.read(HSM_PIN)
    assert refused.value.retryable
    assert refused.value.__cause__ is None
    assert refused.value.__context__ is None


def test_a_server_that_cannot_prove_who_it_is_is_told_nothing(bao: Bao, tmp_path: Path) -> None:
    with pytest.raises(SecretStoreUntrusted) as refused:
        source(bao, tmp_path, ca_file="").read(HSM_PIN)
    assert not refused.value.retryable
    with pytest.raises(SecretStoreUntrusted):
        source(bao, tmp_path, ca_file=str(tmp_path / "nowhere.pem")).read(HSM_PIN)


@pytest.mark.parametrize("wrong", ["secret-id", "role"])
def test_a_login_that_is_refused(bao: Bao, tmp_path: Path, wrong: str) -> None:
    given = bao.secret_id()
    settings = {"role_id": "00000000-0000-0000-0000-000000000000"} if wrong == "role" else {}
    if wrong == "secret-id":
        bao.ask("POST", "auth/approle/role/yinxin/secret-id/destroy", {"secret_id": given})
    secrets = source(bao, tmp_path, content=given, **settings)
    with pytest.raises(SecretLoginRefused) as refused:
        secrets.read(HSM_PIN)
    assert not refused.value.retryable
    assert str(tmp_path / "secret-id") in str(refused.value)
    assert given not in told(refused.value)
    if wrong == "secret-id":  # a new one is taken from the file without a restart
        (tmp_path / "secret-id").write_text(bao.secret_id())
        secrets.read(HSM_PIN)


@pytest.mark.parametrize("content", [None, ""])
def test_no_secret_id(bao: Bao, tmp_path: Path, content: str | None) -> None:
    secrets = source(bao, tmp_path, content=content or "x")
    (tmp_path / "secret-id").unlink() if content is None else (tmp_path / "secret-id").write_text("")
    with pytest.raises(SecretFileMissing):
        secrets.read(HSM_PIN)


def test_a_loose_secret_id(bao: Bao, tmp_path: Path) -> None:
    secrets = source(bao, tmp_path)
    (tmp_path / "secret-id").chmod(0o644)
    with pytest.raises(SecretFileLoose):
        secrets.read(HSM_PIN)


def test_a_policy_that_does_not_permit(bao: Bao, tmp_path: Path) -> None:
    secrets = source(bao, tmp_path)
    secrets.read(HSM_PIN)
    bao.permit('path "secret/data/other" { capabilities = ["read"] }')
    with pytest.raises(SecretRefused, match="secret/data/yinxin") as refused:
        secrets.read(HSM_PIN)
    assert not refused.value.retryable
    bao.permit(POLICY)
    secrets.read(HSM_PIN)


@pytest.mark.parametrize("settings", [{"fields": {HSM_PIN: "wrong"}}, {"path": "elsewhere"}, {"mount": "kv"}])
def test_a_secret_that_is_not_there(bao: Bao, tmp_path: Path, settings: dict[str, object]) -> None:
    bao.permit('path "+/data/*" { capabilities = ["read"] }')
    with pytest.raises(SecretAbsent):
        source(bao, tmp_path, **settings).read(HSM_PIN)


@pytest.mark.parametrize("value", [17, {"a": "b"}, "", "two\nlines", "x" * 300])
def test_a_value_that_is_no_line(bao: Bao, tmp_path: Path, value: object) -> None:
    bao.write({HSM_PIN: value})
    with pytest.raises(SecretAbsent):
        source(bao, tmp_path).read(HSM_PIN)


def test_a_deleted_version_and_one_written_anew(bao: Bao, tmp_path: Path) -> None:
    secrets = source(bao, tmp_path)
    bao.ask("DELETE", "secret/metadata/yinxin")
    bao.write({HSM_PIN: "first"})
    first = secrets.read(HSM_PIN).state
    bao.ask("DELETE", "secret/data/yinxin")
    with pytest.raises(SecretAbsent):
        secrets.read(HSM_PIN)
    bao.ask("DELETE", "secret/metadata/yinxin")
    bao.write({HSM_PIN: "second"})
    assert secrets.read(HSM_PIN).state != first, "both are version 1"


def test_a_wrapped_secret_id_is_taken_once(bao: Bao, tmp_path: Path) -> None:
    secrets = source(bao, tmp_path, content=bao.wrapping_token(), wrapped=True)
    secrets.read(HSM_PIN)
    bao.ask("POST", "auth/token/revoke", {"token": secrets._token})
    secrets.read(HSM_PIN)  # with the secret id that this process has
    (tmp_path / "secret-id").rename(tmp_path / "away")
    bao.ask("POST", "auth/token/revoke", {"token": secrets._token})
    secrets.read(HSM_PIN)
    (tmp_path / "away").rename(tmp_path / "secret-id")
    with pytest.raises(SecretIdSpent, match="inquire"):
        source(bao, tmp_path, wrapped=True).read(HSM_PIN)
    source(bao, tmp_path, content=bao.wrapping_token(), wrapped=True).read(HSM_PIN)


@pytest.mark.parametrize("by", ["wrap", "another method", "another role's facts"])
def test_a_wrapping_token_that_was_swapped_is_not_unwrapped(bao: Bao, tmp_path: Path, by: str) -> None:
    """Whoever takes the right token leaves one of his own, with what looks like a secret id in it.

    Seen to fail when the token is unwrapped without asking who made it.
    """
    bao.ask("POST", "secret/data/bait", {"data": {"secret_id": bao.secret_id()}})
    made = {
        "wrap": lambda: bao.ask(
            "POST", "sys/wrapping/wrap", {"secret_id": bao.secret_id()}, X_Vault_Wrap_TTL="300s"
        ),
        "another method": lambda: bao.ask("GET", "secret/data/bait", X_Vault_Wrap_TTL="300s"),
        "another role's facts": lambda: bao.ask(
            "GET", "auth/approle/role/yinxin/role-id", X_Vault_Wrap_TTL="300s"
        ),
    }[by]()["wrap_info"]["token"]
    with pytest.raises(SecretIdSwapped, match="inquire") as refused:
        source(bao, tmp_path, content=made, wrapped=True).read(HSM_PIN)
    assert made not in told(refused.value)
    assert not refused.value.retryable
    bao.ask("POST", "sys/wrapping/unwrap", {"token": made})  # which it still can be, once
    source(bao, tmp_path, content=bao.wrapping_token(), wrapped=True).read(HSM_PIN)


# --- the token whose PIN stands there ---


@pytest.fixture
def kept(bao: Bao, world: World, tmp_path: Path) -> World:
    """A token whose PINs stand in the store."""
    pins = {name: (world.secrets / name).read_text().strip() for name in (HSM_PIN, HSM_SO_PIN)}
    bao.write(pins)
    for name in pins:
        (world.secrets / name).unlink()
    chosen = SecretsSettings.model_validate(
        {"source": "openbao", "openbao": {"address": bao.address, "role_id": bao.role_id}}
    )
    sealed = CustodianSecrets(world.secrets / FILE)
    world.source = Sources(chosen, SecretFiles(world.secrets), sealed, source(bao, tmp_path))
    world.restarted()
    return world


def test_a_pin_that_was_changed_in_the_store(bao: Bao, kept: World) -> None:
    """Seen to fail when the PIN is kept from the first log-in."""
    old = bao.ask("GET", "secret/data/yinxin")["data"]["data"][HSM_PIN]
    kept.centre.token.use(lambda session: session.set_pin(old, "another-pin"))
    bao.write({HSM_PIN: "another-pin"})
    kept.centre.token.close()
    kept.centre.create(SYSTEM, label="seal", purpose="seal", algorithm="ecdsa-p256")


def test_a_wrong_pin_is_tried_once_for_each_version(
    bao: Bao, kept: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seen to fail when the state leaves the version out."""
    right = bao.ask("GET", "secret/data/yinxin")["data"]["data"][HSM_PIN]
    bao.write({HSM_PIN: "not-the-pin"})
    logins = counted(monkeypatch, kept.centre.token)
    for _ in range(3):
        with pytest.raises(WrongPin, match=f"{bao.address} secret/yinxin#hsm-pin") as refused:
            kept.centre.token.open()
    assert "not-the-pin" not in told(refused.value)
    assert sum(each.tries for each in logins) == 1
    bao.write({HSM_PIN: right})
    kept.centre.token.open()


def test_a_start_waits_for_the_store(bao: Bao, kept: World) -> None:
    """Sealed, nothing is opened and health says why; unsealed, the same process goes on."""
    kept.centre.token.close()
    bao.seal()
    try:
        with pytest.raises(YinxinError) as refused:
            kept.centre.create(SYSTEM, label="seal", purpose="seal", algorithm="ecdsa-p256")
        health = kept.centre.health()
    finally:
        bao.unseal()
    assert (refused.value.code, refused.value.retryable) == ("kms.secret_store_sealed", True)
    assert (health.ok, health.facts["error"]) == (False, "kms.secret_store_sealed")
    kept.centre.create(SYSTEM, label="seal", purpose="seal", algorithm="ecdsa-p256")
    assert kept.centre.health().ok


def test_a_platform_starts_when_the_store_is_back(bao: Bao, tmp_path: Path) -> None:
    """Sealed at the first start, nothing is half done: the next start makes token and keys, with PINs from the store."""
    from ops.data import DataDirectory
    from ops.platform import Platform

    bao.write({HSM_PIN: "a-pin-of-the-store", HSM_SO_PIN: "an-so-pin-of-the-store"})
    data = DataDirectory(tmp_path / "data")
    source(bao, data.path("secrets"))
    data.path("secrets", "secret-id").rename(data.path("secrets", "openbao-secret-id"))
    settings = (
        "secrets.source=openbao",
        f'secrets.openbao.address="{bao.address}"',
        f'secrets.openbao.ca_file="{bao.ca_file}"',
        f'secrets.openbao.role_id="{bao.role_id}"',
    )
    bao.seal()
    try:
        with pytest.raises(SecretStoreSealed), Platform.open(data, settings):
            pass
    finally:
        bao.unseal()
    assert not data.path("token", "tokens").exists()
    with Platform.open(data, settings) as platform:
        assert platform.kms.health().ok
        platform.jobs.run_due()
    assert [file.name for file in data.path("secrets").iterdir()] == ["openbao-secret-id"]
