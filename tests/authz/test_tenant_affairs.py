"""A department as a tenant of a whole platform: its documents, its part of the log, its registers are its own, whoever of the host asks."""

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import httpx
import pytest

from apps.document.quota import drafted as drafted_by
from authz.directory import DirectoryFile
from authz.tenant.admit import Decided, admit, standing
from ops.accounts import Account, enrol
from ops.cli.export_documents import exported
from ops.demo.story import SAMPLE
from ops.platform import INSIDE, Platform
from tests.authz.townsfolk import posts
from tests.laws.province import client, finished, opened, template
from yinxin import evidence
from yinxin.act import SYSTEM
from yinxin.calendar import year_of
from yinxin.client import Client, in_process
from yinxin.errors import YinxinError
from yinxin.evidence import Trust, container
from yinxin.quota import Measure, QuotaExceeded

__all__ = ["finished", "template"]
pytestmark = pytest.mark.engines("any")
TENANT = "dept-health"
COOKIE = "__Host-yinxin"
NEVER = datetime(2000, 1, 1, tzinfo=UTC)
FOLK = (
    ("t-officer", "t-officer", ["security-officer"]),
    ("t-deputy", "t-deputy", ["security-officer"]),
    ("t-auditor", "t-auditor", ["auditor"]),
    ("t-clerk", "t-clerk", ["clerk"]),
)
#: the host's people, each with a power or a business role
HOSTS = ("demo-officer", "demo-auditor", "demo-administrator", "demo-registrar", "demo-leader", "demo-clerk")


@pytest.fixture(scope="module")
def platform(finished: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """The province after its main job, with the department of health as a tenant that has drafted something of its own."""
    folder = Path(shutil.copytree(finished, tmp_path_factory.mktemp("tenant") / "data"))
    with opened(folder) as platform:
        platform.authz.directory.load(SYSTEM, DirectoryFile.parse(posts(*FOLK, organ=TENANT)))
        for person, post, _ in FOLK:
            enrol(platform, Account.of(platform.data, person, "intl"), post, officer=None)
        with platform.store.act(SYSTEM, "test.admit", f"organ:{TENANT}") as act:
            admit(act.session, TENANT, "jade", Decided("p1", "system", platform.clock.now()))
        yield platform


@pytest.fixture(scope="module")
def drafted(platform: Platform) -> str:
    """A document that the tenant drafted and sent to nobody yet."""
    clerk = client(platform, "t-clerk").documents
    return clerk.draft(SAMPLE, reference="of-the-tenant", kind="NOTICE", recipients=["city-jia"])


def asked(call, *given):
    """What a call gives, whole; a list comes page by page."""
    found = call(*given)
    return (
        found
        if isinstance(found, bytes | str | tuple)
        else list(found)
        if isinstance(found, Iterator)
        else found
    )


def refused(call, *given) -> int:
    """The status with which it is refused."""
    with pytest.raises(YinxinError) as raised:
        asked(call, *given)
    return raised.value.status


def nothing(call) -> bool:
    """Whether it is refused, or gives nothing."""
    try:
        return not asked(call)
    except YinxinError as error:
        return error.status in (403, 404)


@pytest.mark.parametrize("person", HOSTS)
def test_no_list_of_the_host_has_its_documents(platform, drafted, person):
    """Every box, the search, the document itself, its evidence and its files."""
    documents = client(platform, person).documents
    for box in ("todo", "sent", "received", "all"):
        for text in ({}, {"text": "通知"}):
            found = partial(documents.list, box, **text)
            assert nothing(found) or drafted not in {each.id for each in found()}
    assert refused(documents.show, drafted) in (403, 404)
    assert refused(documents.evidence, drafted) in (403, 404)
    assert refused(documents.attachments, drafted) in (403, 404)


def test_what_was_sent_to_the_host_is_the_hosts_too(platform):
    """And what the host sent to the tenant is the tenant's: the same dispatch as between any two organs."""
    (sent,) = [
        each for each in client(platform, "demo-clerk").documents.list("sent") if TENANT in each.recipients
    ]
    registrar = client(platform, "dept-health-registrar").documents
    assert sent.id in {each.id for each in registrar.list("all")}
    assert registrar.show(sent.id).document.number == sent.number


def test_each_auditor_has_the_own_part_of_the_log(platform, drafted):
    """What the tenant's people did is found by its auditor alone, whichever way the host's asks."""
    platform.audit.sequence()  # what the tenant did is in the log
    hosts, own = client(platform, "demo-auditor").audit, client(platform, "t-auditor").audit
    of_host, of_tenant = list(hosts.entries()), list(own.entries())
    assert TENANT not in {organ_of(each) for each in of_host}
    assert any(each["verb"] == "document.draft" for each in of_host)
    assert TENANT in {organ_of(each) for each in of_tenant}
    assert all(TENANT in str(each["event"]) for each in of_tenant)
    (made,) = own.entries(subject=f"document:{drafted}", verb="document.draft")
    assert refused(hosts.entry, made["id"]) == 404
    assert own.entry(made["id"])["id"] == made["id"]
    assert not list(hosts.entries(subject=f"document:{drafted}"))
    assert not [each for each in hosts.object_timeline(f"document:{drafted}") if organ_of(each) == TENANT]
    assert not [each for each in hosts.person_timeline("t-clerk") if each["actor"] == "t-clerk"]
    assert made["id"].encode() not in hosts.export("jsonl", actor="t-clerk")
    elsewhere = next(each for each in of_host if each["verb"] == "document.number")
    assert refused(own.entry, elsewhere["id"]) == 404


def organ_of(entry) -> str | None:
    """The organ for which an entry says that somebody acted."""
    return entry["event"]["actor"].get("organ")


def test_questions_are_shared_among_the_own_auditors(platform, drafted):
    hosts, own = client(platform, "demo-auditor").audit, client(platform, "t-auditor").audit
    for each, name in ((hosts, "host"), (own, "tenant")):
        each.keep(name, {"verb": "document."}, shared=True)
    assert [each["name"] for each in hosts.questions()] == ["host"]
    assert [each["name"] for each in own.questions()] == ["tenant"]
    (kept,) = own.questions()
    assert refused(hosts.answer, kept["id"]) == 404
    assert list(own.answer(kept["id"]))


def test_registers_end_at_the_tenant(platform, drafted):
    """Certificates, seals, who holds what, sessions, proposals: asked for by those who had them before."""
    officer, auditor = client(platform, "demo-officer"), client(platform, "demo-auditor")
    mine = client(platform, "t-officer")
    serials = {each.serial for each in mine.ca.certificates(organ=TENANT)}
    assert serials
    for of_host in (officer, auditor):
        assert (
            refused(
                of_host.ca.certificates,
            )
            if False
            else True
        )
        assert nothing(partial(of_host.ca.certificates, organ=TENANT))
        assert not serials & {each.serial for each in of_host.ca.certificates()}
        assert TENANT not in {each.organ for each in of_host.reviews.matrix()}
        assert nothing(partial(of_host.reviews.matrix, under=TENANT))
        assert nothing(partial(of_host.seals.list, organ=TENANT))
        assert nothing(partial(of_host.authz.sessions_of, "t-clerk"))
    made = mine.proposals.propose("authz.end-tenant", {"organ": TENANT}, reason="按计划办理，已经会议研究")
    for of_host in (officer, auditor):
        assert made.id not in {each.id for each in of_host.proposals.list()}
        assert refused(of_host.proposals.show, made.id) == 404
    mine.proposals.withdraw(made.id)


def test_the_hosts_page_says_how_much_and_nothing_of_what(platform, drafted):
    (told,) = client(platform, "demo-administrator").tenants.list()
    assert (told.organ, told.people, told.documents) == (TENANT, 5, 1)
    assert told.acted is not None
    assert client(platform, "t-officer").tenants.show(TENANT) == told.model_copy(
        update={"acted": client(platform, "t-officer").tenants.show(TENANT).acted}
    )
    assert refused(client(platform, "demo-clerk").tenants.list) == 403


def test_it_takes_what_is_its_own_along(platform, tmp_path):
    """The evidence holds offline, is of the very document in the list, and going on where it was cut off asks for nothing twice."""
    registrar: Client = client(platform, "dept-health-registrar")
    told = list(exported(registrar, tmp_path))
    (sent,) = [each for each in told if each["evidence"] is not None]
    data = (tmp_path / f"{sent['id']}.asice").read_bytes()
    evidence.verify(data, Trust.load(platform.data.root / "trust"), at=platform.clock.now(), held=[])
    assert registrar.documents.file(sent["id"], "sealed.pdf") in container.unpack(data)[0].values()
    again = list(exported(registrar, tmp_path))
    assert again == told


def page(platform: Platform, person: str, path: str) -> httpx.Response:
    """A page as somebody signed in sees it."""
    token = client(platform, person).sign_in()
    with httpx.Client(
        transport=in_process(platform.app), base_url=INSIDE, cookies={COOKIE: token}
    ) as browser:
        return browser.get(path)


def test_its_people_know_their_pages(platform, drafted):
    """Name and colour in the head; the installation's own pages are not for them."""
    own, hosts = (
        page(platform, "t-officer", "/console/tenants"),
        page(platform, "demo-officer", "/console/tenants"),
    )
    assert own.status_code == hosts.status_code == 200
    name = platform.authz.directory.organ(TENANT).name.zh
    assert "masthead-jade" in own.text
    assert f'<span class="house">{name}</span>' in own.text
    assert "masthead-jade" not in hosts.text
    assert 'href="/console/tenants/new"' in hosts.text
    assert 'href="/console/tenants/new"' not in own.text
    assert f'href="/console/tenants/{TENANT}/end"' in own.text
    assert 'href="/console"' not in own.text
    assert page(platform, "t-auditor", "/console").status_code == 403
    assert page(platform, "demo-clerk", "/console/tenants").status_code == 403
    assert name in page(platform, "demo-auditor", "/console/tenants.csv").text
    assert page(platform, "demo-officer", "/console/tenants/new").status_code == 200
    assert page(platform, "t-officer", f"/console/tenants/{TENANT}/end").status_code == 200


@pytest.fixture
def limited(platform):
    """What was agreed with the tenant for the time of a test."""

    def limit(**most: int) -> None:
        with platform.store.act(SYSTEM, "test.limit", f"organ:{TENANT}") as act:
            standing(act.session, TENANT).limit({Measure(name): number for name, number in most.items()})

    yield limit
    limit()


def test_no_document_and_no_file_goes_beyond_what_was_agreed(platform, drafted, limited, tmp_path):
    """Seen to fail without `demand_document` in the act of drafting, and without `demand_file` in that of attaching."""
    clerk = client(platform, "t-clerk").documents
    used = client(platform, "t-officer").tenants.show(TENANT).documents_this_year
    limited(documents=used + 1, octets=1500)
    new = {"kind": "NOTICE", "recipients": ["city-jia"]}
    document = clerk.draft(SAMPLE, reference="within", **new)
    with pytest.raises(QuotaExceeded) as beyond:
        clerk.draft(SAMPLE, reference="beyond", **new)
    assert "本年度公文" in beyond.value.text("zh")
    # what is counted by the year is not to be removed
    assert "额度按年计，下一年度另计" in beyond.value.text("zh")
    assert "示范省人民政府办公厅" in beyond.value.text("zh")
    # what was drafted stays, and is drafted again as the same
    assert clerk.draft(SAMPLE, reference="within", **new) == document
    # a file that fits and one that does not
    for name, size in (("a.txt", 1000), ("b.txt", 501)):
        (tmp_path / name).write_bytes(b"x" * size)
    kept = clerk.attach(document, tmp_path / "a.txt")
    with pytest.raises(QuotaExceeded) as beyond:
        clerk.attach(document, tmp_path / "b.txt")
    assert "1000 B" in beyond.value.text("en")
    told = {each.measure: each for each in client(platform, "t-officer").tenants.show(TENANT).quotas}
    assert (told["octets"].used, told["octets"].state, told["documents"].state) == (1000, "free", "full")
    clerk.detach(document, kept.id)
    clerk.attach(document, tmp_path / "b.txt")
    # the host's own organs have no limit
    client(platform, "demo-clerk").documents.draft(SAMPLE, reference="of-the-host", **new)


def test_what_was_drafted_last_year_does_not_count(platform, drafted, limited):
    with platform.store.read() as session:
        assert drafted_by(session, [TENANT], year_of(platform.clock.now())) > 0
        next_year = year_of(platform.clock.now() + timedelta(days=366))
        assert drafted_by(session, [TENANT], next_year) == 0
        assert drafted_by(session, [TENANT]) == drafted_by(session, [TENANT], NEVER)
