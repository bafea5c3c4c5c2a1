"""Bulk enrolment: every row judged, one certificate each, after any crash; and a report that hurts nobody."""

import csv
import itertools
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import ca.bulk.run
from authz.directory import Directory, DirectoryFile
from ca.bulk.errors import BadRow, BadTable, RowsPending, RowsRefused, RowTwice
from ca.bulk.read import MOST_ROWS, parsed, read
from ca.errors import ForeignName, UnknownProfile, WeakKey
from ca.issuer import Issuers
from ca.request import Holder
from kms.sign import KeySigner
from tests.support.forked import PROCESSES
from yinxin.act import SYSTEM
from yinxin.authz import Denied
from yinxin.crypto.errors import MalformedRequest
from yinxin.crypto.keys import Identity, PrivateKey
from yinxin.crypto.pem import encode
from yinxin.crypto.requests import CertificationRequest
from yinxin.crypto.suite import INTL
from yinxin.errors import YinxinError
from yinxin.steps import listen

from .conftest import CLERK, OFFICER, PROVINCE, REGISTRAR, Site
from .test_faces import run  # noqa: F401 - a fixture
from .test_refuse import short
from .test_status import gone
from .test_suspend import at_once

HEAD = "holder,post,profile,csr,reference"
PEOPLE = 7


@pytest.fixture
def peopled(site: Site) -> Site:
    """The site with a few more people, all in one post."""
    people(site)
    return site


def people(site: Site, count: int = PEOPLE) -> None:
    values: dict[str, Any] = {name: [*rows] for name, rows in PROVINCE.items()}
    for number in range(count):
        values["people"].append({"id": f"p-{number}", "name": "欧阳𬭚"})
        values["appointments"].append({"person": f"p-{number}", "post": "clerk-a", "valid_from": "2020-01-01T00:00:00+08:00"})  # fmt: skip
    Directory(site.store).load(SYSTEM, DirectoryFile.parse(values))


def request(key: PrivateKey | None = None, name: dict[str, str] | None = None) -> str:
    return CertificationRequest.build(key or PrivateKey.generate(INTL), name or {}).pem


def written(
    folder: Path, *rows: str, head: str = HEAD, encoding: str = "utf-8", name: str = "list.csv"
) -> Path:
    file = folder / name
    file.write_bytes("\r\n".join([head, *rows, ""]).encode(encoding))
    return file


def listed(folder: Path, count: int = PEOPLE, csr: str = "") -> Path:
    """A list of people, each with a request of her own beside it, or the word given."""
    rows = []
    for number in range(count):
        if not csr and not (folder / f"{number}.pem").exists():
            (folder / f"{number}.pem").write_text(request())
        rows.append(
            f"p-{number},clerk-a,person-signing,{csr or f'{number}.pem'},{'' if csr else f'r-{number}'}"
        )
    return written(folder, *rows)


def enrolled(site: Site, file: Path, **more: Any) -> list[dict[str, Any]]:
    batch = site.ca.bulk.enrol(REGISTRAR, read(file), progress=lambda _: None, **more)
    return list(site.ca.bulk.outcome(batch))


# --- the list --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_chinese_spreadsheets_are_read(tmp_path: Path, encoding: str) -> None:
    file = written(tmp_path, "欧阳𬭚,岗,person-signing,p12,", encoding=encoding)
    (entry,) = read(file).entries
    assert (entry.number, entry.holder.id, entry.holder.post, entry.csr) == (2, "欧阳𬭚", "岗", None)


def test_heads_may_be_chinese(tmp_path: Path) -> None:
    """Seen to fail: each was an unknown column. One column under both heads is there twice."""
    file = written(
        tmp_path, "门户,tls-server,p12,service,,county-a,30,r-1",
        head="持有人,证书模板,证书请求,持有人类别,岗位,机关,有效天数, 行号\u3000", encoding="gb18030",
    )  # fmt: skip
    (entry,) = read(file).entries
    holder = Holder("service", "门户", None, "county-a")
    assert (entry.holder, entry.profile, entry.csr, entry.days, entry.reference) == (
        holder,
        "tls-server",
        None,
        30,
        "r-1",
    )
    with pytest.raises(BadTable, match="holder"):
        read(written(tmp_path, head="持有人,holder,profile,csr"))
    with pytest.raises(BadTable, match="证书请求"):
        read(written(tmp_path, head="持有人,profile"))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff\xff\xff",
        b"holder,csr\r\n",
        b"holder,profile,csr,colour\r\n",
        b"holder,profile,csr,csr\r\n",
        b'holder,profile,csr\r\n"a\r\n',
        b"holder,profile,csr\r\na\0,person-signing,p12\r\n",
    ],
)
def test_a_file_that_is_no_list_is_refused_whole(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "bad.csv").write_bytes(data)
    with pytest.raises(BadTable):
        read(tmp_path / "bad.csv")


@pytest.mark.parametrize(
    "row",
    [
        "p-0,clerk-a,person-signing,,r",
        ",clerk-a,person-signing,p12,r",
        "p-0,clerk-a,person-signing,p12,=r",
        "p-0,clerk-a,person-signing,../secret.pem,r",
        "p-0,clerk-a,person-signing,/etc/hostname,r",
        "p-0,clerk-a,person-signing,none.pem,r",
        "p-0,clerk-a,person-signing",
        f"p-0,clerk-a,person-signing,{'a' * 300},r",
    ],
)
def test_a_wrong_row_says_so_itself(tmp_path: Path, row: str) -> None:
    """Seen to fail, with a file from outside the folder, when `_csr` does not look where it lies."""
    (tmp_path / "secret.pem").write_text(request())
    (tmp_path / "in").mkdir()
    (error,) = read(written(tmp_path / "in", row)).rows.values()
    assert isinstance(error, BadRow)


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("p-0,clerk-a,person-signing,p12,r,３６５", ("半角数字", "ASCII digits")),
        pytest.param(f"p-0,clerk-a,person-signing,p12,r,{'9' * 5000}", ("1 至 36525", "36525"), id="digits"),
        ("p-0,clerk-a,person-signing,p12,r,0", ("1 至 36525", "from 1 to 36525")),
        ("p-0,clerk-a,person-signing", ("本行 3 格，表头 6 列", "3 here, 6 in the head")),
    ],
)
def test_a_wrong_row_says_what_would_be_right(tmp_path: Path, row: str, says: tuple[str, str]) -> None:
    (tmp_path / "list.csv").write_text(f"holder,post,profile,csr,reference,days\n{row}\n")
    (error,) = read(tmp_path / "list.csv").rows.values()
    assert isinstance(error, BadRow)
    assert says[0] in error.text("zh")
    assert says[1] in error.text("en")


def test_a_file_that_is_to_be_a_burden_is_none() -> None:
    """Seen to fail: every line of it was held before they were counted, and each of its columns compared with all."""
    with pytest.raises(BadTable, match=f"more than {MOST_ROWS}"):
        parsed((HEAD + "\n" * (MOST_ROWS + 9) + '"a"b').encode(), "1.csv")
    begun = time.process_time()
    with pytest.raises(BadTable, match="unknown columns"):
        parsed(f"{HEAD}{',x' * 100_000}\n".encode(), "1.csv")
    assert time.process_time() - begun < 5


# --- judging ---------------------------------------------------------------------------------------------------


def test_every_row_is_judged_and_nothing_changes(peopled: Site, tmp_path: Path) -> None:
    weak = tmp_path / "weak.pem"
    weak.write_text(encode("CERTIFICATE REQUEST", short(peopled)))
    (tmp_path / "ok.pem").write_text(request())
    (tmp_path / "foreign.pem").write_text(request(name={"commonName": "别人"}))
    (tmp_path / "junk.pem").write_text("x")
    file = written(
        tmp_path,
        "p-0,clerk-a,person-signing,ok.pem,",
        "p-1,clerk-a,person-signing,weak.pem,",
        "p-2,clerk-a,person-signing,foreign.pem,",
        "p-3,clerk-a,nothing,p12,",
        "p-0,clerk-a,person-signing,p12,",
        "p-4,clerk-a,person-signing,junk.pem,",
        "p-5,clerk-b,person-signing,p12,",
        "li,clerk-b,person-signing,p12,",
        "p-6,clerk-a,person-signing,p12,",
    )
    before, events = len(peopled.rows()), len(peopled.events())
    judged = peopled.ca.bulk.judge(REGISTRAR, read(file))
    kinds = {number: type(row) for number, row in judged.items() if isinstance(row, YinxinError)}
    assert kinds[3] is WeakKey
    assert kinds[4] is ForeignName
    assert kinds[5] is UnknownProfile
    assert kinds[6] is RowTwice
    assert kinds[7] is MalformedRequest
    # not in that post, and not in the officer's county
    assert set(kinds) == {3, 4, 5, 6, 7, 8, 9}
    assert kinds[9] is Denied
    assert (len(peopled.rows()), len(peopled.events())) == (before, events)


# --- enrolling -------------------------------------------------------------------------------------------------


def test_each_row_gives_one_certificate_however_often(peopled: Site, tmp_path: Path) -> None:
    file = listed(tmp_path)
    first = enrolled(peopled, file)
    assert [row["state"] for row in first] == ["issued"] * PEOPLE
    assert enrolled(peopled, file) == first
    # another file with the same rows, and one more that is wrong
    longer = written(
        tmp_path, *file.read_text().split("\n")[1:-1], "zhang,clerk-b,person-signing,0.pem,", name="2.csv"
    )
    again = enrolled(peopled, longer)
    assert [row["serial"] for row in again[:-1]] == [row["serial"] for row in first]
    assert again[-1]["state"] == "refused"
    assert len(peopled.rows(profile="person-signing")) == PEOPLE


def test_four_at_once_give_each_row_one_certificate(peopled: Site, tmp_path: Path) -> None:
    file = listed(tmp_path, 4)
    at_once(4, lambda: str(enrolled(peopled, file)))
    assert {row["state"] for row in enrolled(peopled, file)} == {"issued"}
    assert len(peopled.rows(profile="person-signing", state="issued")) == 4


@pytest.mark.parametrize(
    ("kind", "name"), [(KeySigner, "sign"), (Issuers, "issuing")], ids=["signed", "judged"]
)
def test_what_may_go_better_later_stays_pending(
    peopled: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: type, name: str
) -> None:
    """Seen to fail when every error refuses the row, and (judged) while only what issuance said was looked at for this."""
    file = listed(tmp_path, 3)
    with monkeypatch.context() as patched:
        patched.setattr(kind, name, gone)
        assert {row["state"] for row in enrolled(peopled, file)} == {"pending"}
    assert {row["state"] for row in enrolled(peopled, file)} == {"issued"}


def test_keys_of_the_platform_open_with_their_passwords(peopled: Site, tmp_path: Path) -> None:
    file, keys = listed(tmp_path, 2, "p12"), tmp_path / "keys"
    for suite in ("intl", "sm"):
        rows = enrolled(peopled, file, keys=keys, suite=suite) if suite == "intl" else enrolled(peopled, written(tmp_path, "p-5,clerk-a,person-signing,p12,", name="sm.csv"), keys=keys, suite="sm")  # fmt: skip
        assert {row["state"] for row in rows} == {"issued"}
    for name in (
        "p-0.clerk-a.person-signing.intl",
        "p-1.clerk-a.person-signing.intl",
        "p-5.clerk-a.person-signing.sm",
    ):
        password = (keys / f"{name}.password").read_text()
        identity = Identity.load_p12(keys / f"{name}.p12", password)
        peopled.ca.checker.check(identity.certificate, (), peopled.clock.now())
    assert {oct(each.stat().st_mode)[-3:] for each in keys.iterdir()} == {"600"}
    assert oct(keys.stat().st_mode)[-3:] == "700"
    assert not list(keys.glob("*pending*"))


def _enrol_and_die(url: str, folder: Path, file: Path, keys: Path, seen: Path) -> None:
    """Enrol, and die at the first step that no earlier run died at; steps in the process count once a kind."""
    site = Site(url, folder)
    died = set(seen.read_text().split()) if seen.exists() else set()
    counts = itertools.count()

    def reached(name: str) -> None:
        key = f"{name}:{next(counts) // 6}"
        if key in died:
            return
        with seen.open("a") as file_:
            file_.write(key + "\n")
            file_.flush()
            os.fsync(file_.fileno())
        os.kill(os.getpid(), signal.SIGKILL)

    listen(reached)
    ca.bulk.run.TOGETHER = 2
    site.ca.bulk.enrol(REGISTRAR, read(file), progress=lambda _: None, keys=keys)


def test_killed_at_every_step_each_person_has_one_certificate(
    founded: Callable[..., Site], tmp_path: Path
) -> None:
    """Each person has exactly one certificate, for the key in the file."""
    site = founded(intent_seconds=10)
    people(site, 4)
    file, keys, seen = listed(tmp_path, 4, "p12"), tmp_path / "keys", tmp_path / "seen"
    site.keys.close()
    kills = 0
    for _ in range(60):
        process = PROCESSES.Process(target=_enrol_and_die, args=(site.url, site.folder, file, keys, seen))
        process.start()
        process.join()
        if process.exitcode == 0:
            break
        assert process.exitcode == -signal.SIGKILL
        kills += 1
    else:
        raise AssertionError("the enrolment does not end")
    assert kills >= 6
    site = founded(intent_seconds=10)
    site.clock.advance(__import__("datetime").timedelta(seconds=61))
    site.ca.reconcile()
    rows = enrolled(site, file, keys=keys)
    assert [row["state"] for row in rows] == ["issued"] * 4
    issued = site.rows(profile="person-signing", state="issued")
    assert sorted(row.holder for row in issued) == [f"p-{number}" for number in range(4)]
    for row in issued:
        name = f"{row.holder}.clerk-a.person-signing.intl"
        identity = Identity.load_p12(keys / f"{name}.p12", (keys / f"{name}.password").read_text())
        assert identity.certificate.fingerprint == row.fingerprint


def test_a_row_that_cannot_be_read_is_named_as_it_stands(
    peopled: Site,
    run: Callable[..., Any],  # noqa: F811
    tmp_path: Path,
) -> None:
    """Seen to fail (all empty) while they were named of good rows alone."""
    bad = tmp_path / "unread.csv"
    bad.write_text(
        "holder,post,kind,profile,csr,days\n"
        "p-0,clerk-a,,person-signing,none.pem,\n"
        "p-1,clerk-a,=robot,person-signing,p12,\n"
        "p-2,clerk-a,,,p12,\n"
        ",clerk-a,,person-signing,p12,\n"
        "p-4,clerk-a,person-signing,p12,\n"
        "p-5,clerk-a,service,tls-server,p12,soon\n"
    )
    report = tmp_path / "report.csv"
    for dry in (["--dry-run"], ["--keys", tmp_path / "k"]):
        with pytest.raises(RowsRefused):
            run("enrol", "--csv", bad, *dry, "--report", report, person=REGISTRAR)
        told = list(csv.DictReader(report.read_text("utf-8-sig").splitlines()))
        assert {row["code"] for row in told} == {"ca.bad_row"}
        assert [(row["holder"], row["profile"]) for row in told] == [
            ("person:p-0", "person-signing"),
            ("'=robot:p-1", "person-signing"),
            ("person:p-2", ""),
            ("", "person-signing"),
            ("", ""),
            ("service:p-5", "tls-server"),
        ]
    assert peopled.rows(holder="p-0") == []


# --- the command -----------------------------------------------------------------------------------------------


def test_on_the_command_line(
    peopled: Site,
    run: Callable[..., Any],  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    report = tmp_path / "report.csv"
    (tmp_path / "0.pem").write_text(request())
    good = "p-0,clerk-a,person-signing,0.pem,r-0"
    bad = written(tmp_path, good, "=HYPERLINK(1),clerk-a,person-signing,p12,r-1")
    with pytest.raises(RowsRefused):
        run("enrol", "--csv", bad, "--dry-run", "--report", report, person=REGISTRAR)
    told = list(csv.DictReader(report.read_text("utf-8-sig").splitlines()))
    assert [row["state"] for row in told] == ["pending", "refused"]
    assert told[1]["reason_zh"]
    assert told[1]["reason_en"]
    assert "=HYPERLINK" not in [cell for row in told for cell in row.values()]
    assert peopled.rows(profile="person-signing") == []
    with pytest.raises(RowsRefused):
        run("enrol", "--csv", bad, "--keys", tmp_path / "k", "--report", report, person=REGISTRAR)
    told = list(csv.DictReader(report.read_text("utf-8-sig").splitlines()))
    assert [row["state"] for row in told] == ["issued", "refused"]
    fine = written(tmp_path, good, name="fine.csv")
    answer = run("enrol", "--csv", fine, "--json", person=REGISTRAR)
    assert (answer["rows"], answer["issued"]) == (1, 1)
    with pytest.raises(RowsRefused):
        run(
            "enrol",
            "--csv",
            written(tmp_path, "li,clerk-b,person-signing,0.pem,", name="x.csv"),
            person=CLERK,
        )
    with pytest.raises(RowsRefused):
        run("enrol", "--csv", tmp_path / "x.csv", "--dry-run", "--report", report, person=CLERK)
    (refused,) = csv.DictReader(report.read_text("utf-8-sig").splitlines())
    # seen to fail (both empty) while a dry run named them of good rows alone
    assert (refused["holder"], refused["profile"]) == ("person:li", "person-signing")
    monkeypatch.setattr(KeySigner, "sign", gone)
    with pytest.raises(RowsPending):
        run("enrol", "--csv", listed(tmp_path, 2), person=OFFICER)
