"""Certificates, revocation lists and the way to a root (RFC 5280) as far as timestamps need it, for the verifier that is one file.

What is not understood is refused, never passed over: a certificate that this file cannot judge, `yinxin verify` may.
"""

import base64
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from itertools import count, pairwise

from yinxin.evidence.standalone.saying import Broken
from yinxin.evidence.standalone.signature import holds, kind_of, used
from yinxin.evidence.standalone.tlv import arcs, children, inside, moment, strict, whole

_USAGE, _BASIC, _PURPOSES = "2.5.29.15", "2.5.29.19", "2.5.29.37"
_POINTS, _SCOPE, _DELTA = "2.5.29.31", "2.5.29.28", "2.5.29.27"
_NUMBER, _REASON, _SINCE = "2.5.29.20", "2.5.29.21", "2.5.29.24"
#: extensions that may be critical: usage, alternative names, authority, points of lists, policies, purposes, key identifiers, newest list
_READ = {_USAGE, _BASIC, _PURPOSES, _POINTS, "2.5.29.17", "2.5.29.32", "2.5.29.35", "2.5.29.14", "2.5.29.46"}
_STAMPING = "1.3.6.1.5.5.7.3.8"
_COMMON_NAME = "2.5.4.3"
#: certificates on one way, and steps that are tried until one is found
_HOLD, _MOST, _MOST_STEPS = 6, 8, 200


class Unheard(Broken):
    """Nothing was said of the revocation of a certificate on the way."""


class Ended(Broken):
    """A certificate on the way had expired by then."""


def _extensions(field: bytes, tag: int) -> dict[str, tuple[bool, bytes]]:
    found = {}
    for each in children(inside(field, tag)):
        name, *flag, value = children(each)
        if arcs(name) in found:
            raise ValueError("an extension twice")
        found[arcs(name)] = (bool(flag) and inside(flag[0], 0x01) == b"\xff", inside(value, 0x04))
    return found


@dataclass(frozen=True)
class Certificate:
    """A certificate (section 4.1)."""

    der: bytes

    def __post_init__(self) -> None:
        """Read it once; raises ValueError."""
        strict(self.der)
        tbs, outer, _ = children(self.der)
        if children(tbs)[0] != b"\xa0\x03\x02\x01\x02" or children(tbs)[2] != outer:
            raise ValueError("no certificate of version 3")

    @cached_property
    def fields(self) -> list[bytes]:
        """Serial number, algorithm, issuer, validity, subject, key and what follows."""
        return children(children(self.der)[0])[1:]

    @cached_property
    def extensions(self) -> dict[str, tuple[bool, bytes]]:
        """By object identifier: whether it is critical, and its value."""
        return _extensions(self.fields[-1], 0xA3) if self.fields[-1][0] == 0xA3 else {}

    @property
    def key(self) -> bytes:
        """The SubjectPublicKeyInfo."""
        return self.fields[5]

    @cached_property
    def span(self) -> tuple[datetime, datetime]:
        """First and last second."""
        first, last = map(moment, children(self.fields[3]))
        return first, last

    @cached_property
    def name(self) -> str:
        """The common name of its subject, or all of it."""
        pairs = [children(pair) for part in children(self.fields[4]) for pair in children(part, 0x31)]
        texts = {arcs(kind): inside(value).decode("utf-8", "replace") for kind, value in pairs}
        return texts.get(_COMMON_NAME) or ", ".join(texts.values())

    @cached_property
    def authority(self) -> tuple[bool, int | None]:
        """Whether it may issue others, and how many may stand between."""
        parts = children(self.extensions[_BASIC][1]) if _BASIC in self.extensions else []
        marked = bool(parts) and parts[0] == b"\x01\x01\xff"
        return marked, whole(parts[1]) if len(parts) > 1 else None

    def may(self, bit: int) -> bool:
        """Whether its key usage has this bit; without the extension it has all."""
        if _USAGE not in self.extensions:
            return True
        bits = inside(self.extensions[_USAGE][1], 0x03)[1:]
        return bit // 8 < len(bits) and bool(bits[bit // 8] >> (7 - bit % 8) & 1)

    @cached_property
    def algorithm(self) -> tuple[str, str]:
        """Family and hash of the signature on it."""
        return used(self.fields[1])

    def by(self, issuer: "Certificate") -> bool:
        """Whether that one signed it."""
        tbs, _, signature = children(self.der)
        named = self.fields[2] == issuer.fields[4]
        return named and holds(issuer.key, self.algorithm, inside(signature, 0x03)[1:], tbs)


@dataclass(frozen=True)
class Revocations:
    """A revocation list (section 5.1) for everything of its issuer, or for the certificates of one point."""

    der: bytes

    def __post_init__(self) -> None:
        """Read it once, entries and all; raises ValueError."""
        if _NUMBER not in self.extensions or self.times[0] > self.times[1]:
            raise ValueError("no number, or an end before its begin")
        whole(self.extensions[_NUMBER][1])
        self.listed  # noqa: B018 - read for what it raises

    @cached_property
    def fields(self) -> list[bytes]:
        """Version, algorithm, issuer, this and next update, entries, extensions."""
        tbs, outer, _ = children(strict(self.der))
        found = children(tbs)
        if found[0] != b"\x02\x01\x01" or found[1] != outer or len(found) not in (6, 7):
            raise ValueError("no list of version 2")
        return found

    @cached_property
    def extensions(self) -> dict[str, tuple[bool, bytes]]:
        """Its own; raises ValueError for a critical one that is not read here."""
        found = _extensions(self.fields[-1], 0xA0)
        if any(
            critical and name not in (_SCOPE, _NUMBER, _DELTA, "2.5.29.35", "2.5.29.46")
            for name, (critical, _) in found.items()
        ):
            raise ValueError("a list that is not understood")
        return found

    @cached_property
    def times(self) -> tuple[datetime, datetime]:
        """When it was made, and when the next one is due."""
        return moment(self.fields[3]), moment(self.fields[4])

    def by(self, issuer: Certificate) -> bool:
        """Whether that one signed it, and may."""
        tbs, outer, signature = children(self.der)
        named = self.fields[2] == issuer.fields[4] and issuer.may(6)
        return named and holds(issuer.key, used(outer), inside(signature, 0x03)[1:], tbs)

    def covers(self, certificate: Certificate) -> bool:
        """Whether it speaks of this one; lists of some reasons only, of others' certificates, and changes to lists never do here."""
        if _DELTA in self.extensions:
            return False
        parts = (
            {each[0]: each for each in children(self.extensions[_SCOPE][1])}
            if _SCOPE in self.extensions
            else {}
        )
        if parts.keys() - {0xA0, 0x81, 0x82} or (0x81 if certificate.authority[0] else 0x82) in parts:
            return False
        if 0xA0 not in parts:
            return True
        points = children(certificate.extensions[_POINTS][1]) if _POINTS in certificate.extensions else []
        theirs = {
            name for point in points for part in children(point) if part[0] == 0xA0 for name in _full(part)
        }
        return not theirs.isdisjoint(_full(parts[0xA0]))

    @cached_property
    def listed(self) -> dict[bytes, tuple[datetime, bool]]:
        """By serial number (INTEGER): from when it is revoked, and whether only held."""
        found = {}
        for each in children(self.fields[5]) if len(self.fields) == 7 else []:
            number, at, *rest = children(each)
            more = _of_entry(rest[0]) if rest else {}
            since = min(moment(at), moment(more[_SINCE])) if _SINCE in more else moment(at)
            found[number] = since, _REASON in more and whole(more[_REASON]) == _HOLD
        return found


def _of_entry(field: bytes) -> dict[str, bytes]:
    found = {}
    for each in children(field):
        name, *flag, value = children(each)
        if flag and arcs(name) not in (_REASON, _SINCE):
            raise ValueError("an entry that is not understood")
        found[arcs(name)] = inside(value, 0x04)
    return found


def _full(point: bytes) -> list[bytes]:
    return [name for part in children(point, 0xA0) if part[0] == 0xA0 for name in children(part, 0xA0)]


def roots_of(text: str) -> list[Certificate]:
    """The certificates of a PEM file; raises Broken."""
    blocks = re.findall(r"-----BEGIN CERTIFICATE-----(.+?)-----END CERTIFICATE-----", text, re.DOTALL)
    try:
        found = [Certificate(base64.b64decode("".join(each.split()), validate=True)) for each in blocks]
    except (ValueError, IndexError):
        found = []
    if not found:
        raise Broken("根证书文件无法使用", "the file of root certificates cannot be used")
    return found


@dataclass(frozen=True)
class Beside:
    """What a certificate is judged with: trusted roots, certificates between, and lists."""

    roots: Sequence[Certificate]
    between: Sequence[Certificate]
    lists: Sequence[Revocations]

    def path(self, leaf: Certificate, at: datetime, *, heard: bool) -> list[Certificate]:
        """The way of a timestamp authority to a root, good at that instant; with `heard` each must be known not to be revoked.

        Raises Unheard, Ended or Broken.
        """
        failure: Broken | None = None
        for path in self._paths([leaf], count()):
            try:
                self._judge(path, at, heard=heard)
            except Broken as broken:
                failure = failure or broken
            else:
                return path
        raise failure or Broken(
            f"{leaf.name} 不能追溯到您信任的根证书", f"{leaf.name} leads to no root that you trust"
        )

    def _paths(self, path: list[Certificate], steps: Iterator[int]) -> Iterator[list[Certificate]]:
        if path[-1] in self.roots:
            yield path
        elif len(path) < _MOST:
            for each in dict.fromkeys((*self.roots, *self.between)):
                if each not in path and path[-1].fields[2] == each.fields[4] and path[-1].by(each):
                    if next(steps) >= _MOST_STEPS:
                        raise Broken(
                            f"{path[0].name} 的证书路径过多，无法判断",
                            f"there are too many ways from {path[0].name} to judge them",
                        )
                    yield from self._paths([*path, each], steps)

    def _judge(self, path: list[Certificate], at: datetime, *, heard: bool) -> None:
        leaf = path[0]
        purposes = leaf.extensions.get(_PURPOSES, (False, b""))
        if not purposes[0] or [arcs(each) for each in children(purposes[1])] != [_STAMPING]:
            raise Broken(f"{leaf.name} 不是时间戳证书", f"{leaf.name} is no certificate for timestamps")
        for place, each in enumerate(path):
            if any(critical and name not in _READ for name, (critical, _) in each.extensions.items()):
                raise Broken(
                    f"{each.name} 的证书带有本程序不判断的限制，请用 yinxin verify 核验",
                    f"the certificate of {each.name} has restrictions that this file does not judge: use yinxin verify",
                )
            if at < each.span[0]:
                raise Broken(f"{each.name} 当时尚未生效", f"{each.name} was not valid yet then")
            if at.replace(microsecond=0) > each.span[1]:
                raise Ended(f"{each.name} 当时已过期", f"{each.name} had expired then")
            marked, most = each.authority
            if place and (not marked or not each.may(5) or (most is not None and place - 1 > most)):
                raise Broken(f"{each.name} 无权签发", f"{each.name} may not issue certificates")
        unheard = [each for each, issuer in pairwise(path) if not self._heard(each, issuer, at)]
        if heard and unheard:
            raise Unheard(
                f"没有 {unheard[0].name} 当时的撤销状态",
                f"nothing tells whether {unheard[0].name} was revoked then",
            )

    def _heard(self, certificate: Certificate, issuer: Certificate, at: datetime) -> bool:
        """Whether lists tell of it at that instant; raises Broken when one says that it was revoked."""
        said = []
        for each in self.lists:
            try:
                if each.fields[2] == issuer.fields[4] and each.covers(certificate) and each.by(issuer):
                    said.append((each.times, each.listed.get(certificate.fields[0])))
            except ValueError:
                continue  # it says nothing; that something is missing is told
        for (made, _), found in said:
            if found is None or found[0] > at:
                continue
            ended = found[1] and any(other is None and made < time[0] <= at for time, other in said)
            if not ended:
                raise Broken(f"{certificate.name} 当时已被撤销", f"{certificate.name} was revoked then")
        return any(
            made <= certificate.span[1] if made > at else at <= following for (made, following), _ in said
        )


def algorithms(path: Sequence[Certificate]) -> list[str]:
    """What the certificates of a path rest on: every key, and the hash of every signature below the root."""
    return [*(kind_of(each.key) for each in path), *(each.algorithm[1] for each in path[:-1])]
