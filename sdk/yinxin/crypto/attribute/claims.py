"""What an attribute certificate states: roles and clearance as RFC 5755 4.4 writes them, appointment and grants as we do.

The syntax of the latter two stands in docs/authz/attribute-certificates.md.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Self, TypeVar, get_args

from yinxin.authz import LEVELS, Level
from yinxin.crypto import der, oids
from yinxin.crypto.general_names import read_general_names, write_general_name
from yinxin.text import Text

Kind = Literal["substantive", "acting", "delegation"]
_KINDS: tuple[Kind, ...] = get_args(Kind)
#: level of secrecy → bit of ClassList (RFC 5755 4.4.6): public is unclassified, internal (内部) restricted
_CLASSES: dict[Level, int] = {level: place for place, level in enumerate(LEVELS, 1)}
_DEFAULT_CLASSES = der.named_bits([_CLASSES["public"]])

_Value = TypeVar("_Value")


@dataclass(frozen=True)
class Named:
    """An identifier with its names for readers."""

    id: str
    name: Text

    @property
    def der(self) -> bytes:
        """Named in DER."""
        return der.sequence(der.utf8(self.id), der.utf8(self.name.zh), der.utf8(self.name.en))

    @classmethod
    def read(cls, encoded: bytes) -> Self:
        """Read Named; raises MalformedDer or ValueError."""
        identifier, zh, en = (_text(each) for each in der.elements(encoded))
        return cls(identifier, Text(zh, en))


@dataclass(frozen=True)
class Role:
    """A role, as the URI that names it (RFC 5755 4.4.5)."""

    uri: str

    @property
    def der(self) -> bytes:
        """RoleSyntax in DER; raises MalformedTemplate."""
        return der.sequence(der.explicit(1, write_general_name("uri", self.uri, "role")))

    @classmethod
    def read(cls, encoded: bytes) -> Self:
        """Read RoleSyntax without roleAuthority; raises MalformedDer or ValueError."""
        (field,) = der.elements(encoded)
        ((kind, uri),) = read_general_names(der.sequence(der.tagged(field, 1)))
        if kind != "uri":
            raise ValueError("a role is not named by a URI")
        return cls(uri)

    @property
    def id(self) -> str:
        """The role's own identifier: what follows the last slash."""
        return self.uri.rpartition("/")[2]


@dataclass(frozen=True)
class Clearance:
    """Up to which level the holder may see, under the security policy that says what the levels mean."""

    policy: str
    level: Level

    @property
    def der(self) -> bytes:
        """Clearance in DER: every class up to the level; the default, unclassified, is left out."""
        highest = _CLASSES[self.level]
        classes = der.named_bits([place for place in _CLASSES.values() if place <= highest])
        return der.sequence(der.oid(self.policy), b"" if classes == _DEFAULT_CLASSES else classes)

    @classmethod
    def read(cls, encoded: bytes) -> Self:
        """Read Clearance of this shape; raises MalformedDer or ValueError, also for gaps between the classes."""
        policy, *classes = der.elements(encoded)
        for level in LEVELS:
            read = cls(der.dotted(policy), level)
            if read.der == encoded:
                return read
        raise ValueError(f"classes that are no level: {classes[0].hex() if classes else '-'}")


@dataclass(frozen=True)
class Appointment:
    """The holder's post: who, which post of which organ, how and how long."""

    person: str
    person_name: str
    post: Named
    organ: Named
    kind: Kind
    valid_from: datetime
    #: from then on it is over; None for one without an end
    valid_to: datetime | None = None
    organ_code: str | None = None
    #: what a delegation is limited to; None for no limit
    actions: tuple[str, ...] | None = None

    @property
    def der(self) -> bytes:
        """Appointment in DER."""
        return der.sequence(
            der.sequence(der.utf8(self.person), der.utf8(self.person_name)),
            self.post.der,
            self.organ.der,
            b"" if self.organ_code is None else der.implicit(0, der.utf8(self.organ_code)),
            der.enumerated(_KINDS.index(self.kind)),
            der.generalized(self.valid_from),
            b"" if self.valid_to is None else der.implicit(1, der.generalized(self.valid_to)),
            b"" if self.actions is None else der.implicit(2, _texts(self.actions)),
        )

    @classmethod
    def read(cls, encoded: bytes) -> Self:
        """Read Appointment; raises MalformedDer or ValueError."""
        who, post, organ, *rest = der.elements(encoded)
        person, name = (_text(each) for each in der.elements(who))
        code, rest = _optional(rest, 0x80, lambda field: _text(_as(der.UTF8, field)))
        kind, begins, *rest = rest
        ends, rest = _optional(rest, 0x81, lambda field: whole_second(_as(der.GENERALIZED_TIME, field)))
        actions, rest = _optional(rest, 0xA2, lambda field: _read_texts(_as(der.SEQUENCE, field)))
        if rest or kind[0] != der.ENUMERATED or not 0 <= der.number(kind) < len(_KINDS):
            raise ValueError("an appointment of another form")
        return cls(
            person,
            name,
            Named.read(post),
            Named.read(organ),
            _KINDS[der.number(kind)],
            whole_second(begins),
            ends,
            code,
            actions,
        )

    def covers(self, at: datetime) -> bool:
        """Whether it is in force at `at`."""
        return self.valid_from <= at and (self.valid_to is None or at < self.valid_to)


@dataclass(frozen=True)
class Grant:
    """A grant: which template is opened, to whom, over which part of the tree, how long, on what basis."""

    id: str
    template: Named
    actions: tuple[str, ...]
    #: `person:ID`, `post:ID` or `organ:ID`
    holder: str
    scope: Named
    valid_from: datetime
    valid_to: datetime
    source: str

    @property
    def der(self) -> bytes:
        """Grant in DER."""
        return der.sequence(
            der.utf8(self.id),
            self.template.der,
            _texts(self.actions),
            der.utf8(self.holder),
            self.scope.der,
            der.generalized(self.valid_from),
            der.generalized(self.valid_to),
            der.utf8(self.source),
        )

    @classmethod
    def read(cls, encoded: bytes) -> Self:
        """Read Grant; raises MalformedDer or ValueError."""
        name, template, actions, holder, scope, begins, ends, source = der.elements(encoded)
        return cls(
            _text(name),
            Named.read(template),
            _read_texts(actions),
            _text(holder),
            Named.read(scope),
            whole_second(begins),
            whole_second(ends),
            _text(source),
        )

    def covers(self, at: datetime) -> bool:
        """Whether it is in force at `at`."""
        return self.valid_from <= at < self.valid_to


@dataclass(frozen=True)
class Claims:
    """Everything that is stated."""

    appointment: Appointment
    clearance: Clearance
    roles: tuple[Role, ...] = ()
    grants: tuple[Grant, ...] = ()

    @property
    def attributes(self) -> tuple[bytes, ...]:
        """Each Attribute in DER, in one order always; types without a value are left out (RFC 5755 4.2.7)."""
        values: Sequence[tuple[str, Sequence[bytes]]] = (
            (oids.APPOINTMENT, [self.appointment.der]),
            (oids.ROLE, [each.der for each in self.roles]),
            (oids.CLEARANCE, [self.clearance.der]),
            (oids.GRANTS, [each.der for each in self.grants]),
        )
        return tuple(der.sequence(der.oid(oid), der.set_of(each)) for oid, each in values if each)

    @classmethod
    def read(cls, attributes: dict[str, tuple[bytes, ...]]) -> Self:
        """What attributes of ours say; raises MalformedDer or ValueError.

        Types that are not ours are passed over: an attribute cannot be critical.
        """
        return cls(
            _one(attributes, oids.APPOINTMENT, Appointment.read),
            _one(attributes, oids.CLEARANCE, Clearance.read),
            tuple(map(Role.read, attributes.get(oids.ROLE, ()))),
            tuple(map(Grant.read, attributes.get(oids.GRANTS, ()))),
        )

    @property
    def ends(self) -> datetime | None:
        """The earliest instant at which something that is stated is over; None when nothing ends."""
        ends = [self.appointment.valid_to, *(each.valid_to for each in self.grants)]
        return min((each for each in ends if each is not None), default=None)


def _one(attributes: dict[str, tuple[bytes, ...]], oid: str, read: Callable[[bytes], _Value]) -> _Value:
    values = attributes.get(oid, ())
    if len(values) != 1:
        raise ValueError(f"attribute {oid} has {len(values)} values where one is expected")
    return read(values[0])


def _optional(
    fields: list[bytes], tag: int, read: Callable[[bytes], _Value]
) -> tuple[_Value | None, list[bytes]]:
    if fields and fields[0][0] == tag:
        return read(fields[0]), fields[1:]
    return None, fields


def _as(tag: int, field: bytes) -> bytes:
    """A field under an implicit tag as what it is."""
    return bytes((tag,)) + field[1:]


def _text(element: bytes) -> str:
    return der.content(element, der.UTF8).decode("utf-8")


def _texts(texts: Sequence[str]) -> bytes:
    return der.sequence(*map(der.utf8, texts))


def _read_texts(element: bytes) -> tuple[str, ...]:
    return tuple(map(_text, der.elements(element)))


def whole_second(element: bytes) -> datetime:
    """GeneralizedTime of whole seconds (RFC 5755 4.2.6); raises MalformedDer or ValueError."""
    at = der.instant(element)
    if element[0] != der.GENERALIZED_TIME or at.microsecond:
        raise ValueError("not a GeneralizedTime of whole seconds")
    return at
