"""The inventory: every way of looking finds what is there and nothing else, in pages that hold everything once."""

import csv
import io
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any, get_args

import pytest
import sqlalchemy as sa

import ca.inventory
from ca import Holder
from ca.inventory import Filter, Sort, position
from ca.issue_many import Wanted, issue_many
from ca.models import BETWEEN, LONGEST_NAME, CertificateRow, NameRow
from ca.service import Authority
from yinxin.act import SYSTEM
from yinxin.authz import Denied
from yinxin.clock import rfc3339
from yinxin.crypto.keys import PrivateKey
from yinxin.crypto.suite import INTL
from yinxin.tables import cell, lines

from .conftest import AUDITOR, CLERK, OFFICER, REGISTRAR, Site
from .test_faces import app, client, raw, run  # noqa: F401 - fixtures


@pytest.fixture(params=["few", "many"])
def filled(site: Site, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Site:
    """A dozen certificates; with `many`, more than an index is asked for, so that rows are checked on the way."""
    if request.param == "many":
        monkeypatch.setattr(ca.inventory, "FEW", 2)
    for number in range(6):
        site.clock.advance(timedelta(seconds=1))
        name = f"host-{number}.example.gov.cn"
        asked = site.request(
            f"s-{number}", subject={"commonName": name}, san=[("dns", name)], days=10 + number
        )
        site.ca.issue(REGISTRAR, asked)
    site.clock.advance(timedelta(seconds=1))
    site.ca.issue(REGISTRAR, site.person("p-zhang"))
    site.ca.issue(OFFICER, site.person("p-li", "li", "clerk-b"))
    rows = {row.reference: row for row in site.rows()}
    site.ca.revoke(REGISTRAR, rows["s-1"].serial, "superseded")
    site.ca.suspend(REGISTRAR, rows["s-2"].serial)
    return site


def found(site: Site, organ: str = "city", **wanted: Any) -> list[str]:
    """References of what is found, each page of two."""
    references: list[str] = []
    asked, after = Filter(organ=organ, **wanted), ""
    while page := site.ca.search(OFFICER, asked, after=after, limit=2):
        references += [row.reference for row in page]
        after = position(page[-1], asked.sort)
    return references


SERVERS = [f"s-{number}" for number in range(6)]


WAYS: tuple[tuple[dict[str, Any], set[str]], ...] = (
    ({"holder": "li"}, {"p-li"}),
    ({"organ": "county-b"}, {"p-li"}),
    ({"organ": "county-a", "profile": "person-signing"}, {"p-zhang"}),
    ({"name": "张"}, {"p-zhang"}),
    ({"name": "HOST-3"}, {"s-3"}),
    ({"name": "%"}, set()),
    ({"name": "_ost"}, set()),
    ({"name": "example.gov.cn"}, set(SERVERS)),
    ({"state": "revoked"}, {"s-1"}),
    ({"state": "suspended"}, {"s-2"}),
    ({"state": "issued"}, {"s-0", "s-3", "s-4", "s-5", "p-zhang", "p-li"}),
    ({"state": "expired"}, set()),
    ({"authority": "sm-issuing"}, set()),
    ({"state": "issued", "name": "host", "authority": "intl-issuing"}, {"s-0", "s-3", "s-4", "s-5"}),
)


def test_every_way_of_looking(filled: Site, subtests: pytest.Subtests) -> None:
    """Seen to fail when a name is looked for with LIKE, so that % and _ match anything."""
    for wanted, expected in WAYS:
        with subtests.test(wanted=wanted):
            references = found(filled, **wanted)
            assert set(references) == expected
            assert len(references) == len(expected)


def test_names_that_share_a_row_are_found_each_and_never_together(
    site: Site, subtests: pytest.Subtests
) -> None:
    """Seen to fail when a row is cut off at its length, and when what is looked for may stand across two names."""
    names = [f"{letter * 60}.example.gov.cn" for letter in "abcdefg"]
    names += [f"{'.'.join([letter * 50] * 4)}.example.gov.cn" for letter in "hi"]  # of 218 characters
    site.ca.issue(REGISTRAR, site.request("many", subject={}, san=[("dns", name) for name in names]))
    site.ca.issue(REGISTRAR, site.request("one"))
    with site.store.read() as session:
        of = sa.select(CertificateRow.serial).where(CertificateRow.reference == "many").scalar_subquery()
        rows = session.scalars(sa.select(NameRow.text).where(NameRow.serial == of)).all()
    assert {name[:LONGEST_NAME] for name in names} <= {name for row in rows for name in row.split(BETWEEN)}
    assert max(map(len, rows)) <= LONGEST_NAME
    assert len(rows) < len(names)
    for name in names:
        with subtests.test(name=name):
            assert found(site, name=name[:LONGEST_NAME]) == ["many"]
    for across in ("example.gov.cn\nb", "cn\n", "\n"):
        with subtests.test(across=across):
            assert found(site, name=across) == []
    assert set(found(site, name="example")) == {"one", "many"}


def test_rows_of_one_name_each_are_found_as_before(site: Site) -> None:
    names = [("dns", "a.example.gov.cn"), ("dns", "b.example.gov.cn")]
    site.ca.issue(REGISTRAR, site.request("old", san=names))
    with site.store.engine.begin() as connection:
        serial, text = connection.execute(
            sa.select(NameRow.serial, NameRow.text).where(NameRow.text.contains("b.example"))
        ).one()
        connection.execute(sa.delete(NameRow).where(NameRow.serial == serial))
        connection.execute(
            sa.insert(NameRow), [{"serial": serial, "text": each} for each in text.split(BETWEEN)]
        )
    assert found(site, name="b.ex") == found(site, name="example") == ["old"]


def test_by_serial_number_key_and_end(filled: Site) -> None:
    row = next(row for row in filled.rows() if row.reference == "s-4")
    assert found(filled, serial=row.serial[:10].upper()) == ["s-4"]
    assert found(filled, key=row.spki_digest) == ["s-4"]
    assert found(filled, ends_from=row.not_after, ends_to=row.not_after) == ["s-4"]
    later = row.not_after + timedelta(seconds=1)
    assert set(found(filled, ends_from=later)) == {"s-5", "p-zhang", "p-li"}
    filled.clock.advance(timedelta(days=11))
    assert set(found(filled, state="expired")) == {"s-0"}


def test_pages_in_every_order_hold_everything_once(filled: Site, subtests: pytest.Subtests) -> None:
    """Two end at the same instant. Seen to fail when a position is the time alone."""
    rows = {row.reference: row for row in filled.rows()}
    for sort in get_args(Sort):
        with subtests.test(sort=sort):
            names = found(filled, sort=sort)
            assert sorted(names) == sorted([*SERVERS, "p-li", "p-zhang"])
            values = [getattr(rows[name], sort.removeprefix("-")) for name in names]
            assert values == sorted(values, reverse=sort.startswith("-"))


def test_what_is_issued_in_bulk_or_by_ceremony_is_found_by_name(site: Site) -> None:
    issue_many(site.ctx, REGISTRAR, [Wanted(site.request("many"))])
    assert found(site, name="a.example") == ["many"]
    with site.store.read() as session:
        nameless = sa.select(CertificateRow.serial).where(
            CertificateRow.serial.not_in(sa.select(NameRow.serial))
        )
        assert session.scalars(nameless).all() == []


def test_who_may_not_look_finds_nothing(filled: Site) -> None:
    for actor, wanted in ((CLERK, Filter()), (REGISTRAR, Filter(organ="city")), (SYSTEM, Filter())):
        with pytest.raises(Denied):
            filled.ca.search(actor, wanted)
        with pytest.raises(Denied):
            next(filled.ca.every(actor, wanted))
    assert len(list(filled.ca.every(AUDITOR, Filter(organ="city")))) == 8


# --- exports ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1+1", "＋1", "－1", "＠SUM(A1)"]
)
def test_no_cell_is_a_formula(text: str) -> None:
    """Seen to fail with the signs of a Chinese keyboard, which its spreadsheets take for the others."""
    (row,) = list(csv.reader(io.StringIO("".join(lines([{"a": text}], ["a"], "csv")), newline="")))[1:]
    assert row == [f"'{text}"]
    assert (cell("a=1"), cell(None), cell(5)) == ("a=1", "", "5")


def test_exports_hold_everything_line_by_line(
    filled: Site,
    run: Callable[..., Any],  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("ca.service.EXPORT_PAGE", 3)
    # a holder's name is the officer's to choose, and a spreadsheet's to misread
    service = filled.request(
        "f", holder=Holder("service", "=cmd", None, "county-a"), key=PrivateKey.generate(INTL)
    )
    filled.ca.issue(REGISTRAR, service)
    rows = list(csv.DictReader(io.StringIO(run("list", "--organ", "city", "--export", "csv"))))
    assert {row["reference"] for row in rows} == {*SERVERS, "p-zhang", "p-li", "f"}
    assert "'=cmd" in {row["holder"] for row in rows}
    told = [json.loads(line) for line in run("list", "--name", "host-2", "--export", "jsonl").splitlines()]
    assert [(row["reference"], row["state"]) for row in told] == [("s-2", "suspended")]
    assert len(list(csv.DictReader(io.StringIO(run("report"))))) == 9


def test_over_http(filled: Site, client: Callable[[str], Any]) -> None:  # noqa: F811
    register = client("officer").ca
    end = rfc3339(next(row.not_after for row in filled.rows() if row.reference == "s-4"))
    listed = register.certificates(name="host", ends_to=end, sort="-not_after", limit="2")
    assert [each.subject.split(".")[0].split("=")[-1] for each in listed] == [
        f"host-{n}" for n in (4, 3, 2, 1, 0)
    ]
    assert isinstance(filled.ca, Authority)
