"""Sealing on a schedule: by the table of periods, timestamped and renewed like all that is in keeping; overdue, health says so."""

from datetime import timedelta

import pytest

from audit.archive.settings import ArchiveSettings
from audit.archive.tend import tend
from audit.renewal.renew import renew
from yinxin.act import SYSTEM

from .test_archives import GONE, content, old, retain, settle  # noqa: F401 - `old` is a fixture
from .test_renewal import check, stamps  # noqa: F401 - `stamps` is a fixture

pytestmark = pytest.mark.engines("any")


def configured(site, **settings):
    site.log.settings = site.log.settings.model_copy(update={"archive": ArchiveSettings(**settings)})


def test_what_is_past_its_period_is_sealed_and_timestamped(old, stamps, clock):  # noqa: F811 - fixtures
    configured(old, folder=str(old.folder))
    assert tend(old.log) == 1
    assert {index for index, data in content(old).items() if not data} == GONE
    settle(old)
    made = [each for each in old.log.entries(limit=20) if each.verb == "audit.archive"]
    assert [each.actor for each in made] == [SYSTEM.id]
    assert tend(old.log) == 0
    assert old.log.health().facts["archiving"]["overdue"] == 0
    assert renew(old.log).begun == {"archive": 1}
    (file,) = old.folder.iterdir()
    check(old, stamps, "archive", file.stem)


@pytest.mark.engines("both")
def test_what_is_overdue_raises_an_alarm(old, clock):  # noqa: F811 - a fixture
    """It is past its period by 16 days. Seen to fail when the days of grace are not counted from the period's end."""
    configured(old, overdue_days=17)
    assert tend(old.log) == 0
    assert old.log.health().ok
    configured(old, overdue_days=15)
    tend(old.log)
    health = old.log.health()
    assert not health.ok
    assert "5 audit entries are long past their period" in health.text.en
    assert health.facts["archiving"]["oldest"].startswith("2026-11-22")
    configured(old, overdue_days=15, folder=str(old.folder))
    assert tend(old.log) == 1
    settle(old)
    assert old.log.health().ok


def test_a_folder_that_cannot_be_written(old, clock):  # noqa: F811 - a fixture
    configured(old, folder=str(old.folder / "gone"))
    before = content(old)
    assert tend(old.log) == 0
    assert content(old) == before
    settle(old)
    health = old.log.health()
    assert "audit.archive_not_written" in health.text.en
    (refused,) = [each for each in old.log.entries(limit=20) if each.verb == "audit.archive"]
    assert refused.outcome == "refused"
    (old.folder / "gone").mkdir()
    assert tend(old.log) == 1
    settle(old)
    assert old.log.health().ok


def test_without_a_rule_nothing_is_sealed(site, clock, tmp_path):
    configured(site, folder=str(tmp_path))
    site.act()
    settle(site)
    clock.advance(timedelta(days=4000))
    assert tend(site.log) == 0
    settle(site)
    assert site.log.health().facts["archiving"]["overdue"] == 0
