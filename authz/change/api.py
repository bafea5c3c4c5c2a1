"""Changes of the directory over HTTP, and the history of what it holds."""

from typing import Any, Literal

from pydantic import JsonValue

from authz import errors
from authz.change import AnyChange
from authz.change.base import wire
from authz.directory import Appointment, Version
from authz.directory import errors as refused
from authz.service import Authz
from yinxin.authz import Denied
from yinxin.clock import rfc3339
from yinxin.text import Text
from yinxin.web import Api, Caller
from yinxin.wire import Model

_REFUSALS = (
    Denied,
    refused.AlreadyThere,
    refused.AppointmentOverlaps,
    refused.AppointmentPast,
    errors.BadDivision,
    errors.BadIdentifier,
    errors.BadPeriod,
    errors.BadUscc,
    errors.DivisionOutside,
    refused.HasRetired,
    refused.NotAppointed,
    refused.NothingChanges,
    refused.NothingToMerge,
    refused.NotOfTheOrgan,
    refused.NotRetired,
    refused.OrganEnded,
    refused.OrgansBelow,
    refused.OrganUnderItself,
    refused.PostEnded,
    errors.PowersMeet,
    errors.PowersMeetInPost,
    refused.SplitIncomplete,
    errors.UnknownOrgan,
    errors.UnknownPerson,
    errors.UnknownPost,
    errors.UnknownReference,
)


class ChangeIn(Model):
    """A change of the directory; its `kind` says which."""

    change: AnyChange
    dry_run: bool = False
    """Only tell what would differ, and change nothing."""


class DifferenceOut(Model):
    """One field, as it was and as it is; `*` stands for a whole that is new."""

    subject: str
    field: str
    before: JsonValue
    after: JsonValue


class ChangedOut(Model):
    """What differs now, or would."""

    verb: str
    dry_run: bool
    differences: list[DifferenceOut]


class VersionOut(Model):
    """How it was from `since` (absent: from the first) until before `until` (absent: it still is)."""

    since: str | None
    until: str | None
    state: dict[str, Any]
    ended_by: str | None
    entry: str | None


class VersionsOut(Model):
    """Every version, oldest first."""

    versions: list[VersionOut]


class AppointmentOut(Model):
    """A person in a post; `organ` and its name are those of the time when it began."""

    post: str
    organ: str
    organ_name: str
    kind: str
    valid_from: str
    valid_to: str | None
    ended: str | None
    delegation: str | None


class CareerOut(Model):
    """Every appointment of a person, in the order they began."""

    appointments: list[AppointmentOut]


def add_changes(api: Api, authz: Authz) -> None:
    """Declare the operations."""

    @api.post("/changes", problems=_REFUSALS, summary=Text("变更名录", "Change the directory"))
    def change(body: ChangeIn, caller: Caller) -> ChangedOut:
        way = authz.changes.rehearse if body.dry_run else authz.changes.make
        differences = [
            DifferenceOut(
                subject=each.subject, field=each.field, before=wire(each.before), after=wire(each.after)
            )
            for each in way(caller.actor, body.change)
        ]
        return ChangedOut(verb=body.change.verb, dry_run=body.dry_run, differences=differences)

    @api.get(
        "/organs/<id>/versions",
        problems=(Denied, errors.UnknownOrgan),
        summary=Text("机关沿革", "What an organ was"),
    )
    def organ_versions(id: str, caller: Caller) -> VersionsOut:  # noqa: A002 - the field's name
        return _versions(authz, caller, "organ", id)

    @api.get(
        "/posts/<id>/versions",
        problems=(Denied, errors.UnknownPost),
        summary=Text("岗位沿革", "What a post was"),
    )
    def post_versions(id: str, caller: Caller) -> VersionsOut:  # noqa: A002 - the field's name
        return _versions(authz, caller, "post", id)

    @api.get(
        "/people/<id>/appointments",
        problems=(Denied, errors.UnknownPerson),
        summary=Text("任职经历", "Who was what, when"),
    )
    def career(id: str, caller: Caller) -> CareerOut:  # noqa: A002 - the field's name
        found = authz.directory_for(caller.actor).career(id)
        return CareerOut(appointments=[_appointment(*each) for each in found])


def _versions(
    authz: Authz, caller: Caller, kind: Literal["organ", "post", "person"], id_: str
) -> VersionsOut:
    return VersionsOut(
        versions=[_version(each) for each in authz.directory_for(caller.actor).history(kind, id_)]
    )


def _version(version: Version) -> VersionOut:
    return VersionOut(
        since=wire(version.since),
        until=wire(version.until),
        state=dict(version.state),
        ended_by=version.verb,
        entry=version.entry,
    )


def _appointment(held: Appointment, organ: str, name: str) -> AppointmentOut:
    return AppointmentOut(
        post=held.post,
        organ=organ,
        organ_name=name,
        kind=held.kind,
        valid_from=rfc3339(held.valid_from),
        valid_to=wire(held.valid_to),
        ended=held.ended,
        delegation=held.delegation,
    )
