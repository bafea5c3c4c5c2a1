"""Every fault of the tables, row by row, before anything is entered."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from pydantic import ValidationError

from authz.directory.check import ancestors, check_identifier, check_organ, check_roles
from authz.directory.codes import check_within
from authz.directory.file import AppointmentEntry, Entry, OrganEntry, PersonEntry, PostEntry
from authz.roster.known import Known
from authz.roster.read import TABLES, Line
from yinxin.errors import YinxinError
from yinxin.faults import first_fault
from yinxin.text import Text

#: faults that a report names one by one; beyond that they are only counted
MOST = 1000


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault: where it is, and what is wrong with the remedy, in both languages."""

    file: str
    line: int
    field: str
    text: Text


@dataclass
class Findings:
    """The faults found so far: the first ones, and how many."""

    first: list[Finding] = field(default_factory=list)
    count: int = 0

    def add(self, line: Line, name: str, text: Text) -> None:
        """One more."""
        self.count += 1
        if len(self.first) < MOST:
            self.first.append(Finding(f"{line.table}.csv", line.number, name, text))


@dataclass
class Checker:
    """Looks at one row after another; knows what the tables said so far and what is in the directory."""

    known: Known
    findings: Findings = field(default_factory=Findings)
    _seen: dict[str, set[int]] = field(default_factory=lambda: {table: set() for table in TABLES})
    _codes: set[str] = field(default_factory=set)
    _organs: dict[str, tuple[Line, OrganEntry]] = field(default_factory=dict)

    def row(self, line: Line) -> Entry | None:
        """The entry that a row makes, or None when something is wrong with it by itself."""
        try:
            entry = TABLES[line.table].model_validate(line.values)
        except ValidationError as error:
            place, reason = first_fault(error)
            self.findings.add(line, ".".join(map(str, place)) or "*", reason)
            return None
        before = self.findings.count
        match entry:
            case OrganEntry():
                self._judge(line, "division, uscc", lambda: check_organ(_where(line), entry))
                self._once(line, "id", entry.id)
                self._organ(line, entry)
            case PostEntry():
                self._judge(line, "id", lambda: check_identifier(_where(line), entry.id))
                self._judge(line, "roles", lambda: check_roles(_where(line), entry.roles))
                self._once(line, "id", entry.id)
                self._refer(line, "organ", entry.organ, self.known.organs)
                self.known.posts.add(entry.id)
            case PersonEntry():
                self._judge(line, "id", lambda: check_identifier(_where(line), entry.id))
                self._once(line, "id", entry.id)
                self.known.people.add(entry.id)
            case AppointmentEntry():
                self._appointment(line, entry)
        return entry if self.findings.count == before else None

    def tree(self) -> None:
        """What only the organs together show: parents that are there, no circles, divisions one within the other."""
        for line, entry in self._organs.values():
            if entry.parent is not None:
                self._refer(line, "parent", entry.parent, self.known.organs)
        if self.findings.count:
            return
        places = self.known.tree | {
            id_: (each.parent, each.division) for id_, (_, each) in self._organs.items()
        }
        for line, entry in self._organs.values():
            if entry.parent is not None:
                above = entry.parent
                division = places[above][1]
                self._judge(
                    line,
                    "division",
                    lambda e=entry, a=above, d=division, n=line: check_within(_where(n), e.division, a, d),
                )
        parents = {organ: parent for organ, (parent, _) in places.items()}
        for line, _ in list(self._organs.values())[:1]:
            self._judge(line, "parent", lambda: ancestors(parents))

    @property
    def organs(self) -> Iterable[OrganEntry]:
        """The organs of the tables."""
        return [entry for _, entry in self._organs.values()]

    def _organ(self, line: Line, entry: OrganEntry) -> None:
        if entry.uscc is not None:
            holder = self.known.codes.get(entry.uscc, entry.id)
            if entry.uscc in self._codes or holder != entry.id:
                self.findings.add(line, "uscc", _TWICE(entry.uscc))
            self._codes.add(entry.uscc)
        if entry.id in self.known.ended:
            self.findings.add(
                line, "id", Text("该机关已合并、分设或撤销，请删去", "this organ is no more: remove it")
            )
        self._organs[entry.id] = (line, entry)
        self.known.organs.add(entry.id)

    def _appointment(self, line: Line, entry: AppointmentEntry) -> None:
        self._refer(line, "person", entry.person, self.known.people)
        self._refer(line, "post", entry.post, self.known.posts)
        if entry.valid_to is not None and entry.valid_to <= entry.valid_from:
            self.findings.add(
                line, "valid_to", Text("应晚于 valid_from，请更正", "must be after valid_from: correct it")
            )
        if entry.post in self.known.given_up:
            self.findings.add(line, "post", Text("该岗位已撤销，请删去", "this post was given up: remove it"))
        if entry.person in self.known.retired:
            text = Text("该人员已离职，请先办理复职", "this person left the service: reinstate first")
            self.findings.add(line, "person", text)
        self._once(line, "person, post, valid_from", entry.key)

    def _judge(self, line: Line, name: str, judge: object) -> None:
        try:
            judge()  # type: ignore[operator]
        except YinxinError as error:
            self.findings.add(line, name, Text(error.text("zh"), error.text("en")))

    def _once(self, line: Line, name: str, key: object) -> None:
        # of a million keys only their hashes are kept; a chance collision, once in ten million imports, is a refusal
        if hash(key) in self._seen[line.table]:
            self.findings.add(line, name, _TWICE(key if isinstance(key, str) else "…"))
        self._seen[line.table].add(hash(key))

    def _refer(self, line: Line, name: str, value: str, known: set[str]) -> None:
        if value not in known:
            self.findings.add(
                line,
                name,
                Text(f"“{value}”不存在：请补上该项或更正", f"“{value}” does not exist: add or correct it"),
            )


def _TWICE(value: str) -> Text:  # noqa: N802 - a sentence
    return Text(
        f"“{value}”与前面或名录重复：请删去或改名", f"“{value}” stands there already: remove or rename one"
    )


def _where(line: Line) -> str:
    return f"{line.table}.csv:{line.number}"
