"""Static files: nginx serves what the platform would say, and never what it would not say any more."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest

from ca import revoke as revoking
from ca.issue import Issued
from ca.status import presign, publish
from ca.status.line import Line
from tests.support.nginx import nginx
from yinxin.crypto.status import CertId, CertificateList, Good, OcspRequest, OcspResponse, Revoked, Status

from .conftest import REGISTRAR, Site
from .test_plain_port import Port

pytestmark = pytest.mark.engines("any")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "published"


@pytest.fixture
def site(founded: Callable[..., Site], folder: Path) -> Site:
    return founded(status={"publish_folder": str(folder), "shards": 2})


@pytest.fixture
def port(site: Site) -> Iterator[Port]:
    port = Port(site)
    yield port
    port.close()


def question(site: Site, issued: Issued) -> bytes:
    return OcspRequest.build([CertId.of(issued.certificate.serial, site.ca.certificate("intl-issuing"))])


def file_of(site: Site, folder: Path, issued: Issued) -> Path | None:
    path = publish.answer_path(issued.serial, site.ca.certificate("intl-issuing"))
    return None if path is None else folder / path


def issued_with_a_file(site: Site, folder: Path, reference: str) -> Issued:
    for number in range(10):
        made = site.ca.issue(REGISTRAR, site.request(f"{reference}-{number}"))
        if file_of(site, folder, made) is not None:
            return made
    raise AssertionError("no certificate has a file")


def status(site: Site, answer: bytes) -> Status:
    response = OcspResponse(answer)
    response.verify(site.ca.certificate("intl-issuing"), site.clock.now())
    return response.answers[0].status


def test_nginx_serves_files_and_asks_for_the_rest(
    site: Site, port: Port, folder: Path, tmp_path: Path
) -> None:
    from ca.status.face import encoded

    made = [issued_with_a_file(site, folder, f"n-{number}") for number in range(4)]
    site.ca.presign()
    site.ca.renew_lists()
    with nginx(tmp_path / "nginx", folder, port.where[1]) as url, httpx.Client() as client:
        for each in made:
            text = encoded(question(site, each))
            for spelt in (text, quote(text, safe="")):
                answer = client.get(f"{url}/ocsp/{spelt}")
                assert answer.headers["content-type"] == "application/ocsp-response"
                assert status(site, answer.content) == Good()
                assert answer.headers["cache-control"].startswith("max-age=0")
        crl = made[0].certificate.crl_urls[0].removeprefix(site.ctx.settings.public_url)
        before = client.get(url + crl)
        assert before.headers["content-type"] == "application/pkix-crl"
        assert client.get(f"{url}/ca/intl-issuing.crt").content == site.ca.certificate("intl-issuing").der
        assert port.slow == []
        # by POST, and what has no file
        assert status(site, client.post(f"{url}/ocsp", content=question(site, made[0])).content) == Good()
        unknown = OcspRequest.build([CertId.of(5, site.ca.certificate("intl-issuing"))])
        assert client.get(f"{url}/ocsp/{encoded(unknown)}").status_code == 200
        # the next request after a revocation knows of it, by OCSP and by list
        site.ca.revoke(REGISTRAR, made[0].serial, "keyCompromise")
        answer = client.get(f"{url}/ocsp/{encoded(question(site, made[0]))}")
        assert isinstance(status(site, answer.content), Revoked)
        after = CertificateList(client.get(url + crl).content)
        assert after.lookup(made[0].certificate.serial) is not None
        assert after.number == CertificateList(before.content).number + 1
        delta = CertificateList(client.get(url + crl.replace(".crl", ".delta.crl")).content)
        assert delta.number == after.number
        # and it gets a file again
        site.ca.presign()
        file = file_of(site, folder, made[0])
        assert file is not None
        assert isinstance(status(site, file.read_bytes()), Revoked)


def test_the_file_goes_before_the_revocation_is_committed(
    site: Site, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seen to fail with the answer taken away after the commit only: a crash between would leave “good” standing."""
    made = issued_with_a_file(site, folder, "f")
    site.ca.presign()
    file = file_of(site, folder, made)
    assert file is not None
    assert file.exists()

    def crash(*_: object) -> None:
        assert not file.exists()
        raise OSError("power cut")

    monkeypatch.setattr(revoking, "change", crash)
    with pytest.raises(OSError, match="power cut"):
        site.ca.revoke(REGISTRAR, made.serial, "superseded")
    assert site.rows(serial=made.serial)[0].revoked_at is None


def test_an_answer_written_while_it_changes_is_taken_away(
    site: Site, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seen to fail without the second look after writing."""
    made = issued_with_a_file(site, folder, "w")
    file = file_of(site, folder, made)
    assert file is not None
    true = publish._put

    def late(where: Path, data: bytes) -> None:
        if where == file and site.rows(serial=made.serial)[0].revoked_at is None:
            site.ca.revoke(REGISTRAR, made.serial, "superseded")
        true(where, data)

    monkeypatch.setattr(publish, "_put", late)
    monkeypatch.setattr(presign, "LONGEST", 0.5)
    issuer = site.ctx.issuers.get("intl-issuing")
    presign._batch(site.ctx, issuer, presign.service(site.ctx, "ocsp-responder", issuer))
    assert not file.exists()


def test_the_timer_mends_what_a_crash_left(site: Site, folder: Path) -> None:
    """A stale answer and an old list that were put back are gone after the next run."""
    made = issued_with_a_file(site, folder, "t")
    site.ca.presign()
    site.ca.renew_lists()
    file = file_of(site, folder, made)
    assert file is not None
    line = site.rows(serial=made.serial)[0].shard
    old = folder / "crl" / "intl-issuing" / f"{line}.crl"
    good, before = file.read_bytes(), old.read_bytes()
    site.ca.revoke(REGISTRAR, made.serial, "superseded")
    file.write_bytes(good)
    old.write_bytes(before)
    (folder / ".through").write_text("0")
    site.ca.renew_lists()
    assert not file.exists()
    assert CertificateList(old.read_bytes()).number == CertificateList(before).number + 1


def test_a_list_never_goes_back(site: Site, folder: Path) -> None:
    """Seen to fail without the comparison of numbers."""
    first = site.ca.crl("intl-root")
    site.clock.advance(site.ca.published(Line("intl-root")).half - site.clock.now())
    second = CertificateList(site.ca.crl("intl-root"))
    publish.a_list(site.ctx, Line("intl-root"), second.number - 1, first, None)
    assert (folder / "crl" / "intl-root.crl").read_bytes() == second.der


def test_tables_from_a_backup_are_published_all_the_same(
    founded: Callable[..., Site], site: Site, folder: Path, tmp_path: Path
) -> None:
    """The next list is above the one that is there, and what changes is followed.

    Seen to fail: the list was not published, for its number was behind; and the answer stayed, for its change was.
    """
    made = [issued_with_a_file(site, folder, f"b-{number}") for number in range(3)]
    line = Line("intl-issuing", site.rows(serial=made[0].serial)[0].shard)
    site.ca.presign()
    site.ca.renew_lists()
    database, backup = site.url.removeprefix("sqlite:///"), str(tmp_path / "backup")
    copied(database, backup)
    for each in made[1:]:
        site.ca.revoke(REGISTRAR, each.serial, "superseded")
        site.clock.advance(site.ca.published(line).half - site.clock.now())
        site.ca.renew_lists()
    file, answer = folder / "crl" / f"{line.path}.crl", file_of(site, folder, made[0])
    assert answer is not None
    before = CertificateList(file.read_bytes()).number
    site.store.engine.dispose()
    copied(backup, database)
    # by a process that publishes nothing
    founded(status={"shards": 2}).ca.revoke(REGISTRAR, made[0].serial, "keyCompromise")
    assert answer.exists()
    site = founded(status={"publish_folder": str(folder), "shards": 2})
    site.ca.renew_lists()
    assert not answer.exists()
    site.clock.advance(site.ca.published(line).half - site.clock.now())
    site.ca.renew_lists()
    after = CertificateList(file.read_bytes())
    assert after.lookup(made[0].certificate.serial) is not None
    assert after.number == before + 1
    assert CertificateList(site.ca.crl(line.path)).number == after.number


def copied(source: str, target: str) -> None:
    with closing(sqlite3.connect(source)) as one, closing(sqlite3.connect(target)) as other:
        one.backup(other)
