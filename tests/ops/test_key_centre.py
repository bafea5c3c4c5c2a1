"""The key centre in a process of its own: the only one that opens the module, and it may die at any moment."""

import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from ca.holders import ReservedHolder
from ca.request import Holder, IssueRequest
from kms.engine.remote import RemoteEngine
from kms.errors import CentreUnreachable, NotOurService
from kms.secrets.errors import SecretStoreSealed
from kms.secrets.openbao import SECRET_ID
from kms.secrets.secret import is_secret_name
from kms.settings import CALLER, CENTRE
from ops.acting import acting_person, identity_of
from ops.data import DataDirectory
from ops.key_centre import ADMITTED_SECONDS, VERB, Admission
from ops.platform import Platform, Seams
from ops.service_certificates import NoServiceCertificate, demand, issue_service_certificates
from ops.service_pins import BadServicePins, pinned, pins_file
from tests.laws.province import folder, template
from tests.support.openbao import openbao
from yinxin.act import SYSTEM, Actor, Kind
from yinxin.client import https
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.keys import PrivateKey
from yinxin.crypto.requests import CertificationRequest

__all__ = ["folder", "template"]

ROOT = Path(__file__).parents[2]


class Centre:
    """`yinxin serve --only kms` on a founded folder."""

    def __init__(self, data: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.address = f"127.0.0.1:{probe.getsockname()[1]}"
        self.data, self.setting = data, f'kms.address="{self.address}"'
        self.log = data.with_name(f"{data.name}.centre.log")
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, *, ready: bool = True) -> None:
        """Run it, and wait until it says that it is ready, or that it is not."""
        file = self.announced
        file.unlink(missing_ok=True)
        command = [sys.executable, "-I", "-X", "utf8", "-m", "ops.cli", "serve", "--only", "kms"]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*command, "--data", str(self.data), "--set", self.setting],
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.until(lambda: file.exists() if ready else "not ready" in self.log.read_text())

    @property
    def announced(self) -> Path:
        return self.data / "run" / f"{CENTRE}.json"

    def until(self, there: Callable[[], bool]) -> None:
        assert self.process is not None
        until = time.monotonic() + 60
        while not there():
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < until, self.log.read_text()
            time.sleep(0.05)

    def kill(self) -> None:
        assert self.process is not None
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        assert self.process is not None
        self.process.terminate()
        assert self.process.wait(30) == 0, self.log.read_text()


@pytest.fixture
def centre(folder: Path) -> Iterator[Centre]:
    """Founded where the module is; then the two certificates; then apart."""
    made = Centre(folder)
    with Platform.open(DataDirectory(folder), [made.setting], holds_keys=True) as platform:
        officer = acting_person(platform, None, None)
        issued = issue_service_certificates(platform, officer)
        assert issue_service_certificates(platform, officer) == issued
        assert set(issued) == {CENTRE, CALLER}
    made.start()
    yield made
    if made.process is not None and made.process.poll() is None:
        made.kill()


@pytest.mark.slow
def test_one_process_holds_the_keys_and_may_die(centre: Centre) -> None:
    data = DataDirectory(centre.data)
    with Platform.open(data, [centre.setting, "kms.patience=120"]) as platform:
        assert platform.kms.remote
        assert platform.kms.health().ok
        assert platform.kms.token._module is None
        signer = platform.kms.signer("intl-issuing")
        failures: list[BaseException] = []
        stop = threading.Event()
        signed: list[bytes] = []

        def work() -> None:
            try:
                while not stop.is_set():
                    signed.append(signer.sign(b"x"))
            except BaseException as error:  # noqa: BLE001 - whatever it is, the test must see it
                failures.append(error)

        threads = [threading.Thread(target=work) for _ in range(4)]
        for each in threads:
            each.start()
        for _ in range(2):
            stop.wait(0.5)
            centre.kill()
            centre.start()
        before = len(signed)
        while len(signed) < before + 20 and not failures:
            time.sleep(0.05)
        stop.set()
        for each in threads:
            each.join()
        assert [str(each) for each in failures] == []
        # a key that is made while the centre dies is made once
        made = platform.kms.create(SYSTEM, label="new", purpose="seal", algorithm="ecdsa-p256")
        assert platform.kms.health().ok
        centre.kill()
        impatient = Platform(data, platform.settings, Seams.real())
        impatient.kms.engine._patience = 0.3  # type: ignore[attr-defined]
        with pytest.raises(CentreUnreachable):
            impatient.kms.create(SYSTEM, label="later", purpose="seal", algorithm="ecdsa-p256")
        centre.start()
        later = impatient.kms.create(SYSTEM, label="later", purpose="seal", algorithm="ecdsa-p256")
        assert {made.label, later.label} <= {each.label for each in platform.kms.register()}
        assert platform.kms.health().facts["unfinished"] == []
        _only_ours(centre, platform)
        impatient.close()
    centre.stop()


def _only_ours(centre: Centre, platform: Platform) -> None:
    """No certificate, no connection. A person's certificate, and the caller's when it is revoked: refused, on record."""
    host, _, port = centre.address.rpartition(":")
    trust = centre.data / "trust" / "intl.root.pem"
    with (
        pytest.raises(httpx.TransportError),
        httpx.Client(verify=ssl.create_default_context(cafile=str(trust))) as bare,
    ):
        bare.post(f"https://{host}:{port}/engine", content=b"x")
    person = identity_of(platform, None, None)
    others = RemoteEngine(centre.address, lambda: https(trust=trust, identity=person), deadline=5, patience=1)
    with closing(others), pytest.raises(NotOurService):
        others.facts()
    # whoever has a certificate for that host from our authority, and not the pinned one, is sent nothing
    pins = frozenset({"0" * 64})
    elsewhere = RemoteEngine(
        centre.address, lambda: https(trust=trust, identity=person, pins=pins), deadline=5, patience=0
    )
    with closing(elsewhere), pytest.raises(CentreUnreachable, match="pinned"):
        elsewhere.facts()
    platform.audit.sequence()
    refused = [each.fields() for each in platform.audit.entries(limit=1000) if each.fields()["verb"] == VERB]
    assert [each["outcome"] for each in refused] == ["refused"]


@pytest.fixture
def apart(folder: Path) -> Iterator[Platform]:
    """Where the module is, with both certificates issued."""
    with Platform.open(DataDirectory(folder), ['kms.address="127.0.0.1:1"'], holds_keys=True) as platform:
        issue_service_certificates(platform, acting_person(platform, None, None))
        yield platform


def application(platform: Platform, holder: str, reference: str) -> IssueRequest:
    """What an officer may ask for: a certificate for whichever service she names."""
    csr = CertificationRequest.build(PrivateKey.generate("ecdsa-p256"), {"commonName": "application"}, ())
    organ = acting_person(platform, None, None).organ
    return IssueRequest(reference, "tls-client", csr.der, Holder("service", holder, None, organ))


def caller_certificate(platform: Platform) -> Certificate:
    file = platform.data.path("tls", f"{CALLER}.pem")
    return Certificate.load_many(file.read_bytes())[0]


def refusals(platform: Platform, verb: str) -> list[str]:
    platform.audit.sequence()
    entries = [each.fields() for each in platform.audit.entries(limit=1000)]
    return [each["error"] for each in entries if each["verb"] == verb and each["outcome"] == "refused"]


def test_the_services_names_are_nobody_elses(apart: Platform) -> None:
    officer = acting_person(apart, None, None)
    for number, name in enumerate((CALLER, CENTRE)):
        with pytest.raises(ReservedHolder, match=name):
            apart.ca.issue(officer, application(apart, name, f"mine/{number}"))
        (answer,) = apart.ca.issue_many(officer, [application(apart, name, f"mine/many/{number}")])
        assert isinstance(answer, ReservedHolder)
    assert refusals(apart, "ca.issue") == [ReservedHolder.code] * 4
    assert apart.ca.issue(officer, application(apart, "another", "mine/another"))


def test_a_certificate_of_the_callers_name_is_not_the_callers(apart: Platform) -> None:
    admission = Admission(apart)
    ours = caller_certificate(apart)
    assert admission(ours.der) == Actor(Kind.SERVICE, CALLER, certificate=ours.fingerprint)
    officer = acting_person(apart, None, None)
    forged = apart.ca.issue_reserved(officer, application(apart, CALLER, "mine")).certificate
    with pytest.raises(NotOurService, match="pinned"):
        admission(forged.der)
    assert refusals(apart, VERB) == [NotOurService.code]


def test_a_renewed_certificate_takes_the_old_ones_place(apart: Platform) -> None:
    file = pins_file(apart.data)
    old, centre = caller_certificate(apart), pinned(apart.data, CENTRE)
    assert file.stat().st_mode & 0o777 == 0o600
    assert pinned(apart.data, CALLER) == {old.fingerprint}
    apart.data.path("tls", f"{CALLER}.pem").unlink()
    issue_service_certificates(apart, acting_person(apart, None, None))
    new = caller_certificate(apart)
    assert new != old
    assert pinned(apart.data, CALLER) == {new.fingerprint}
    assert pinned(apart.data, CENTRE) == centre
    with pytest.raises(NotOurService, match="pinned"):
        Admission(apart)(old.der)
    Admission(apart)(new.der)
    # a founding of before there were pins, or a file that went: nobody is admitted, until the command has run again
    file.unlink()
    with pytest.raises(NotOurService, match="pinned"):
        Admission(apart)(new.der)
    with pytest.raises(NoServiceCertificate, match=file.name):
        demand(apart.data, CENTRE)
    issue_service_certificates(apart, acting_person(apart, None, None))
    Admission(apart)(new.der)
    file.write_text("[")
    with pytest.raises(BadServicePins):
        Admission(apart)(new.der)


def test_a_revoked_caller_is_heard_no_more(apart: Platform) -> None:
    """At once by a connection that comes new, and by one that was admitted when it is looked at again."""
    ours = caller_certificate(apart)
    admission = Admission(apart)
    admission(ours.der)
    apart.ca.revoke(acting_person(apart, None, None), f"{ours.serial:x}", "keyCompromise")
    with pytest.raises(NotOurService, match="revoked"):
        Admission(apart)(ours.der)
    at, caller = admission._admitted[ours.der]
    admission._admitted[ours.der] = at - timedelta(seconds=ADMITTED_SECONDS), caller
    with pytest.raises(NotOurService, match="revoked"):
        admission(ours.der)
    assert refusals(apart, VERB) == [NotOurService.code] * 2


@pytest.mark.slow
def test_its_secrets_stand_in_openbao(centre: Centre, tmp_path: Path) -> None:
    """While the store is sealed nothing is served and it does not say ready; unsealed, the same process goes on.

    Seen to fail when the announcement is made before the secrets were read.
    """
    centre.stop()
    with openbao(tmp_path) as bao:
        plain = {
            each.name: each.read_text("utf-8").strip()
            for each in (centre.data / "secrets").iterdir()
            if is_secret_name(each.name)
        }
        bao.write(plain)
        for name in plain:
            (centre.data / "secrets" / name).unlink()
        secret_id = centre.data / "secrets" / SECRET_ID
        secret_id.touch(0o600)
        secret_id.write_text(bao.secret_id(), "ascii")
        with (centre.data / "config.toml").open("a", encoding="utf-8") as configuration:
            configuration.write(
                f'\n[secrets]\nsource = "openbao"\n[secrets.openbao]\naddress = "{bao.address}"\n'
                f'role_id = "{bao.role_id}"\nca_file = "{bao.ca_file}"\n'
            )
        bao.seal()
        centre.start(ready=False)
        assert not centre.announced.exists()
        assert SecretStoreSealed.code in centre.log.read_text()
        with (
            pytest.raises(SecretStoreSealed) as refused,
            Platform.open(DataDirectory(centre.data), [centre.setting]),
        ):
            pass
        assert refused.value.retryable
        bao.unseal()
        centre.until(centre.announced.exists)
        with Platform.open(DataDirectory(centre.data), [centre.setting]) as platform:
            signer = platform.kms.signer("intl-issuing")
            signer.public_key.verify(signer.sign(b"x"), b"x")
        bao.seal()
        centre.until(lambda: not centre.announced.exists())
        bao.unseal()
        centre.until(centre.announced.exists)
        centre.stop()


def test_without_its_certificate_nothing_is_called(folder: Path) -> None:
    with (
        pytest.raises(NoServiceCertificate) as caught,
        Platform.open(DataDirectory(folder), ['kms.address="127.0.0.1:1"']),
    ):
        pass
    assert CALLER in caught.value.facts["file"]
