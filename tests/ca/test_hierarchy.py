"""The hierarchy as it stands: which generation signs, what is said of each, and the ways up from it."""

from datetime import timedelta
from typing import Any

import pytest

from ca.errors import AuthorityRetired, AuthorityRevoked, UnknownAuthority
from ca.hierarchy.chains import chains
from ca.models import AuthorityRow, CertificateRow
from yinxin.act import SYSTEM
from yinxin.authz import Denied

from .conftest import CLERK, OFFICER, REGISTRAR, Site


def change(site: Site, name: str, **values: Any) -> None:
    with site.store.act(SYSTEM, "ca.authority", f"authority:{name}") as act:
        row = act.session.get_one(AuthorityRow, name)
        for field, value in values.items():
            setattr(row, field, value)


def test_the_founding_leaves_first_generations_that_sign(site: Site) -> None:
    rows = site.ca.hierarchy(OFFICER)
    assert [(row["depth"], row["name"], row["line"], row["generation"], row["state"]) for row in rows] == [
        (0, "intl-root", "intl-root", 1, "issuing"),
        (1, "intl-issuing", "intl-issuing", 1, "issuing"),
        (0, "pq-root", "pq-root", 1, "issuing"),
        (1, "pq-issuing", "pq-issuing", 1, "issuing"),
        (0, "sm-root", "sm-root", 1, "issuing"),
        (1, "sm-issuing", "sm-issuing", 1, "issuing"),
    ]
    assert [row["key_place"] for row in rows] == ["hsm", "hsm", *["wrapped"] * 4]
    one = site.ca.authority(OFFICER, "sm-issuing")
    assert [each["serial"] for each in one["certificates"]] == [one["serial"]]
    assert (one["issuer"], one["parent"]) == (rows[4]["subject"], "sm-root")


def test_the_hierarchy_is_shown_to_those_who_may(site: Site) -> None:
    with pytest.raises(Denied):
        site.ca.hierarchy(CLERK)
    with pytest.raises(UnknownAuthority):
        site.ca.authority(OFFICER, "intl-nobody")


def test_a_retired_authority_issues_nothing_and_tells_status(site: Site) -> None:
    """Seen to fail when `issuing` does not look at `retired_at`."""
    change(site, "intl-issuing", retired_at=site.clock.now() + timedelta(hours=1))
    assert site.ca.issue(REGISTRAR, site.request("before")).certificate
    site.clock.advance(timedelta(hours=1))
    with pytest.raises(AuthorityRetired):
        site.ca.issue(REGISTRAR, site.request("after"))
    assert site.events("ca.issue")[-1]["error"] == "ca.authority_retired"
    assert site.ca.crl("intl-issuing")
    assert {row["name"]: row["state"] for row in site.ca.hierarchy(OFFICER)}["intl-issuing"] == "retired"


def test_an_authority_whose_certificate_is_revoked_issues_nothing(site: Site) -> None:
    """Seen to fail when `issuing` does not look at the authority's own certificate."""
    with site.store.act(SYSTEM, "ca.revoke", "certificate:own") as act:
        serial = act.session.get_one(AuthorityRow, "sm-issuing").serial
        act.session.get_one(CertificateRow, serial).revoked_at = site.clock.now()
    with pytest.raises(AuthorityRevoked):
        site.ca.issue(REGISTRAR, site.request("after", suite="sm"))
    assert chains(site.ctx, "sm-issuing") == ()


def test_after_its_end_an_authority_has_no_more_lists(site: Site) -> None:
    site.ca.renew_lists()
    until = site.ca.certificate("intl-issuing").not_after
    site.clock.advance(until - site.clock.now() + timedelta(seconds=1))
    before = len(site.events("ca.crl"))
    site.ca.renew_lists()
    renewed = [event["subject"] for event in site.events("ca.crl")[before:]]
    assert {subject.split(":")[1] for subject in renewed} == {"intl-root", "pq-root", "sm-root"}
    states = {row["name"]: row["state"] for row in site.ca.hierarchy(OFFICER)}
    assert states == {
        "intl-root": "issuing",
        "intl-issuing": "ended",
        "pq-root": "issuing",
        "pq-issuing": "ended",
        "sm-root": "issuing",
        "sm-issuing": "ended",
    }


def test_each_founded_authority_has_one_way_up(site: Site) -> None:
    assert chains(site.ctx, "intl-issuing") == (site.ctx.issuers.get("intl-issuing").chain,)
    assert [len(chain) for chain in site.ca.chains("sm-root")] == [1]
