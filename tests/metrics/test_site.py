"""`/metrics` of a whole site that has done the main job: every part is well, the numbers are the log's, and nobody is named.

Seen to fail when: `tally` forgets what was entered since the last count.
"""

import shutil
from collections import Counter

import pytest
import sqlalchemy as sa
from prometheus_client.openmetrics.parser import text_string_to_metric_families as families

from apps.document.models import Document
from audit import tally as tallying
from audit.models import EntryRow
from audit.tally import TallyRow, catch_up, tally
from authz.models import PersonRow
from kms.errors import HsmGone
from ops.metrics.admit import MetricsRefused
from tests.laws.province import client, identity, opened
from yinxin.errors import YinxinError

pytestmark = pytest.mark.engines("any")


@pytest.fixture(scope="module")
def site(finished, tmp_path_factory):
    folder = shutil.copytree(finished, tmp_path_factory.mktemp("metrics") / "data")
    # patient: the machine may do other things as well
    with opened(folder, "metrics.patience=60") as platform:
        yield platform


def asked(platform, **more):
    answer = platform.app.test_client().get("/metrics", base_url="https://localhost", **more)
    return answer.status_code, answer.get_data(as_text=True)


def told(platform):
    status, text = asked(platform)
    assert status == 200
    found = {}
    for family in families(text):
        for sample in family.samples:
            found[sample.name, *sample.labels.values()] = sample.value
    return found


def records(platform):
    platform.audit.sequence()
    with platform.store.read() as session:
        return Counter(tuple(row) for row in session.execute(sa.select(EntryRow.verb, EntryRow.outcome)))


def test_every_part_is_well_and_tells_what_it_says_it_tells(site):
    entered = sum(records(site).values())
    found = told(site)
    parts = {labels[0]: value for (name, *labels), value in found.items() if name == "yinxin_part_up"}
    assert len(parts) > 15
    assert set(parts.values()) == {1}
    assert found["yinxin_kms_token_up", "0", "yinxin"] == 1
    assert found["yinxin_audit_log_failing_steps",] == 0
    assert 0 < found["yinxin_ca_list_left_seconds", "intl-issuing", "0"] <= 7 * 86400
    assert found["yinxin_ca_helper_left_seconds", "sm-issuing", "tsa"] > 86400
    assert found["yinxin_database_size_bytes",] > 100_000
    assert found["yinxin_audit_log_entries",] == entered


def test_records_are_counted_as_the_log_has_them(site, monkeypatch):
    monkeypatch.setattr(tallying, "BATCH", 7)

    def counted():
        return {
            (verb, outcome): value
            for (name, *labels), value in told(site).items()
            if name == "yinxin_audit_records_total"
            for verb, outcome in [labels]
        }

    whole = records(site)
    assert counted() == whole
    assert catch_up(site.store) == sum(whole.values())
    assert catch_up(site.store) == 0
    assert counted() == whole
    with client(site, "demo-clerk") as clerk, pytest.raises(YinxinError):
        list(clerk.kms.keys())
    later = records(site)
    assert sum(later.values()) > sum(whole.values())
    assert any(outcome == "refused" for _, outcome in later - whole)
    assert counted() == later
    with site.store.read() as session:
        assert tally(session) == later
        assert session.get(TallyRow, ("", "")).number == sum(whole.values())


def test_nobody_and_nothing_that_people_wrote_is_named(site):
    _, text = asked(site)
    values = set()
    for family in families(text):
        values |= {value for sample in family.samples for value in sample.labels.values()}
    with site.store.read() as session:
        people = session.execute(sa.select(PersonRow.id, PersonRow.name)).all()
        titles = session.execute(sa.select(Document.id, Document.title, Document.number)).all()
    assert people
    assert titles
    for row in (*people, *titles):
        for said in filter(None, row):
            assert not any(said in value for value in values), said


def test_a_token_that_is_gone_is_told_and_keeps_nothing_else_back(site, monkeypatch):
    def gone():
        raise HsmGone(token="yinxin", reason="CKR_DEVICE_ERROR")

    monkeypatch.setattr(site.kms.engine, "tokens", gone)
    found = told(site)
    assert found["yinxin_kms_token_up", "0", "yinxin"] == 0
    assert found["yinxin_part_up", "kms.pools"] == 1


def test_a_named_certificate_of_ours_reads_until_it_is_revoked(site, monkeypatch):
    certificate = identity(site.data.root, "demo-administrator").certificate
    far = {"REMOTE_ADDR": "10.1.2.3", "yinxin.peer_certificate": certificate.der}
    assert asked(site, environ_overrides=far)[0] == 403
    chosen = site.settings.metrics.model_copy(update={"clients": (certificate.fingerprint.upper(),)})
    monkeypatch.setattr(site, "settings", site.settings.model_copy(update={"metrics": chosen}))
    assert asked(site, environ_overrides=far)[0] == 200
    other = identity(site.data.root, "demo-clerk").certificate
    assert asked(site, environ_overrides=far | {"yinxin.peer_certificate": other.der})[0] == 403
    with client(site, "demo-officer") as officer:
        officer.ca.revoke(f"{certificate.serial:x}", "keyCompromise")
    status, text = asked(site, environ_overrides=far)
    assert status == 403
    assert MetricsRefused.code in text
