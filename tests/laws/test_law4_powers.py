"""Law 4: administrator, security officer and auditor never meet in one person, and none of them does business.

Seen to fail when: `keep_powers_apart` passes over every pair.
"""

import itertools
import shutil
from contextlib import suppress
from pathlib import Path

import pytest
import sqlalchemy as sa

from authz.directory import DirectoryFile
from authz.errors import BadQuestion, PowersMeet, PowersMeetInPost
from authz.models import AppointmentRow, PostRole
from authz.roles import POWERS
from ops.platform import Platform
from tests.laws.province import identity, opened, small
from yinxin.act import SYSTEM, Actor, Kind
from yinxin.authz import Resource

HOLDERS = {
    "administrator": "demo-administrator",
    "security-officer": "demo-officer",
    "auditor": "demo-auditor",
}
#: one resource of every type that a policy speaks of, owned by the province office and by the platform itself
RESOURCES = (
    Resource(
        "Document",
        "d",
        organ="province-office",
        attributes={"kind": "NOTICE", "state": "numbered", "drafter": "demo-clerk", "recipients": []},
    ),
    Resource("Key", "seal-province-office-intl", organ="province-office", attributes={"purpose": "seal"}),
    Resource("Key", "intl-evidence", organ="platform", attributes={"purpose": "evidence"}),
    Resource("KeyRegister", "keys", organ="platform"),
    Resource("Certificate", "c", organ="province-office", attributes={"profile": "person-signing"}),
    Resource(
        "Registration",
        "r",
        organ="province-office",
        attributes={"profile": "person-signing", "applicant": "a", "person": "a", "vetter": ""},
    ),
    Resource("Certificate", "c", organ="platform", attributes={"profile": "tsa"}),
    Resource("Ceremony", "c", organ="platform", attributes={"kind": "subordinate"}),
    Resource(
        "Proposal",
        "p",
        organ="platform",
        attributes={
            "kind": "ca.ceremony",
            "proposer": "demo-deputy",
            "holder": "",
            "informed": [],
            "proposers": ["security-officer"],
            "approvers": ["security-officer"],
            "executors": ["security-officer"],
            "key": True,
            "needed": 2,
            "given": 2,
        },
    ),
    Resource("Pair", "p", organ="province-office", attributes={"holder": "demo-clerk"}),
    Resource("UserKey", "k", organ="province-office", attributes={"holder": "demo-clerk"}),
)


def in_post(platform: Platform, person: str) -> Actor:
    with platform.store.read() as session:
        post, organ = session.execute(
            sa.text(
                "SELECT p.id, p.organ FROM authz_appointment a JOIN authz_post p ON p.id = a.post"
                " WHERE a.person = :person"
            ),
            {"person": person},
        ).one()
    fingerprint = identity(platform.data.root, person).certificate.fingerprint
    return Actor(Kind.PERSON, person, post, organ, fingerprint)


def permitted(platform: Platform, person: str) -> set[str]:
    """Every action that some policy permits this person on some resource."""
    actor = in_post(platform, person)
    found = set()
    for action, resource in itertools.product(platform.authz.decisions.policies.actions, RESOURCES):
        with suppress(BadQuestion):  # an action that is not about this type
            if platform.authz.decisions.check(actor, action, resource).allowed:
                found.add(action)
    return found


def appointing(person: str, role: str) -> DirectoryFile:
    """The small province, and this person in the post that carries this power as well."""
    province = small()
    (post,) = [each.post for each in province.appointments if each.person == HOLDERS[role]]
    (pattern,) = [each for each in province.appointments if each.person == person]
    extra = pattern.model_copy(update={"post": post})
    return province.model_copy(update={"appointments": (*province.appointments, extra)})


@pytest.mark.parametrize(("first", "second"), list(itertools.permutations(sorted(POWERS), 2)))
def test_nobody_is_given_a_second_power(platform: Platform, first: str, second: str) -> None:
    with platform.store.read() as session:
        before = session.scalar(sa.select(sa.func.count()).select_from(AppointmentRow))
    with pytest.raises(PowersMeet) as caught:
        platform.authz.directory.load(SYSTEM, appointing(HOLDERS[first], second))
    assert {caught.value.facts["first"], caught.value.facts["second"]} == {first, second}
    assert HOLDERS[first] in caught.value.text("zh")
    assert "三" not in caught.value.text("en")
    with platform.store.read() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(AppointmentRow)) == before
    platform.audit.sequence()
    assert caught.value.entry is not None
    assert platform.audit.entry(caught.value.entry).outcome == "refused"


def test_no_post_joins_two_powers(platform: Platform) -> None:
    province = small()
    posts = tuple(
        each.model_copy(update={"roles": (*each.roles, "auditor")}) if "administrator" in each.roles else each
        for each in province.posts
    )
    with pytest.raises(PowersMeetInPost):
        platform.authz.directory.load(SYSTEM, province.model_copy(update={"posts": posts}))


def test_the_platform_proves_it_of_its_own_appointments(finished: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(finished, tmp_path / "data"))
    with opened(folder) as platform, platform.store.read() as session:
        held = session.execute(
            sa.select(AppointmentRow.person, PostRole.role)
            .join(PostRole, PostRole.post == AppointmentRow.post)
            .where(PostRole.role.in_(POWERS))
        ).all()
    assert {role for _, role in held} == POWERS
    assert len({person for person, _ in held}) == len(held)


def test_each_power_may_do_its_own_and_no_business(platform: Platform) -> None:
    may = {role: permitted(platform, person) for role, person in HOLDERS.items()}
    # public keys are for everybody in a post; nothing else but the directory is an administrator's to see
    assert {action for action in may["administrator"] if not action.startswith("authz.")} <= {"kms.read"}
    assert not {"kms.sign", "kms.create", "ca.issue", "ca.revoke", "audit.read"} & may["administrator"]
    assert {"ca.issue", "ca.revoke"} <= may["security-officer"]
    assert {"ca.ceremony", "authz.propose", "authz.approve", "authz.execute"} <= may["security-officer"]
    assert not {"authz.propose", "authz.approve", "authz.execute"} & (may["auditor"] | may["administrator"])
    assert not {"audit.read", "kms.sign"} & may["security-officer"]
    assert not {"ca.issue", "ca.revoke", "ca.ceremony", "kms.create", "kms.sign"} & may["auditor"]
    assert not {"ca.deliver-pair", "kms.deliver-recovery", "kms.approve-recovery"} & may["auditor"]
    acts = {"document.draft", "document.sign-off", "document.seal", "document.dispatch", "document.approve"}
    for role, actions in may.items():
        assert not acts & actions, role
