"""When certificates end, month by month of local time."""

from datetime import timedelta
from itertools import pairwise

import pytest

from ca.ends import MONTHS
from yinxin.authz import Denied

from .conftest import AUDITOR, CLERK, OFFICER, REGISTRAR, Site

pytestmark = pytest.mark.engines("both")


def test_what_ends_is_counted_in_its_month_while_it_is_in_force(site: Site) -> None:
    """Seen to fail: with revoked ones counted, and with those that are over."""
    serials = [
        site.ca.issue(REGISTRAR, site.request(f"r-{n}", days=days)).serial
        for n, days in enumerate((1, 40, 40))
    ]
    site.ca.revoke(OFFICER, serials[2], "superseded")
    months = site.ca.ends(AUDITOR, "city")
    assert (len(months), months[-1].last, sum(each.certificates for each in months)) == (MONTHS + 1, None, 2)
    local = (site.ca.show(OFFICER, serials[1]).not_after + timedelta(hours=8)).date()
    assert [each.certificates for each in months if each.last and each.first <= local <= each.last] == [1]
    assert [each.first.day for each in months[1:]] == [1] * MONTHS
    assert all(one.last and one.last + timedelta(1) == two.first for one, two in pairwise(months))
    site.clock.advance(timedelta(days=2))
    assert sum(each.certificates for each in site.ca.ends(AUDITOR, "city")) == 1
    with pytest.raises(Denied):
        site.ca.ends(CLERK, "city")


def test_an_end_after_midnight_in_beijing_is_the_next_months(site: Site) -> None:
    """Seen to fail: with months of UTC."""
    now = site.clock.now()
    first = (now.replace(day=1) + timedelta(days=32)).replace(day=1, hour=17, minute=0)
    site.clock.advance(first - timedelta(days=2) - now)
    serial = site.ca.issue(REGISTRAR, site.request(days=1)).serial
    assert site.ca.show(OFFICER, serial).not_after.date() == (first - timedelta(days=1)).date()
    this, following, *_ = site.ca.ends(AUDITOR, "city")
    assert (this.certificates, following.certificates) == (0, 1)
