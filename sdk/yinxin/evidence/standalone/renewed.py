"""Evidence records (RFC 4998) followed link by link, for the verifier that is one file.

The same verdicts as the kit's (`yinxin.evidence.record`): every link over what it must be over, in its order, by an
authority and with algorithms that were good until the next one was made.
"""

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

from yinxin.evidence.standalone.paper import Beside, Certificate, Ended, Revocations, Unheard, algorithms
from yinxin.evidence.standalone.saying import Broken, NotJudged, Said
from yinxin.evidence.standalone.signature import digest, hash_of, kind_of
from yinxin.evidence.standalone.stamp import Token
from yinxin.evidence.standalone.tlv import arcs, children, inside, strict, written

_CERTIFICATES, _LISTS = "1.2.840.113549.1.9.16.2.23", "1.2.840.113549.1.9.16.2.24"
_MOST_LINKS, _LARGEST_RECORD = 500, 64 * 1024 * 1024
_LAST = datetime.max.replace(microsecond=0, tzinfo=UTC)
#: last days, as published (NIST SP 800-57 part 1 revision 5 table 4; draft NIST IR 8547 tables 2 and 4)
_PUBLISHED = {
    "rsa-2048": date(2030, 12, 31),
    "rsa-3072": date(2035, 12, 31),
    "rsa-4096": date(2035, 12, 31),
    "ecdsa-p256": date(2035, 12, 31),
    "ecdsa-p384": date(2035, 12, 31),
    "ed25519": date(2035, 12, 31),
}
_End = tuple[datetime, str]


@dataclass(frozen=True)
class Ages:
    """Until when algorithms are believed: the published table, with the reader's own days in place of it or beside."""

    own: Mapping[str, date]

    @classmethod
    def read(cls, text: str) -> "Ages":
        """A file like `algorithms.toml`; raises Broken."""
        try:
            until = tomllib.loads(text)["until"]
            days = all(type(each) is date for each in until.values())
        except (ValueError, KeyError, AttributeError):
            days = False
        if not days:
            raise Broken("算法期限表有误", "the table of algorithms is wrong")
        return cls(until)

    def first(self, names: Iterable[str]) -> list[_End]:
        """Which of these ends first, and when; nothing when none does."""
        last = {**_PUBLISHED, **self.own}
        ends = [
            (
                datetime(last[name].year, last[name].month, last[name].day, tzinfo=UTC) + timedelta(days=1),
                name,
            )
            for name in names
            if name in last
        ]
        return sorted(ends)[:1]


@dataclass(frozen=True)
class Link:
    """One archive timestamp, and the leaf's way to what it is over."""

    token: Token
    way: list[list[bytes]]
    certificates: list[bytes]
    lists: list[bytes]

    @classmethod
    def read(cls, data: bytes) -> "Link":
        """Raises ValueError, Broken."""
        *optional, token = children(data)
        fields = {each[0]: each for each in optional}
        if [each[0] for each in optional] != sorted(fields) or fields.keys() - {0xA1, 0xA2}:
            raise ValueError("a field that is not read here")
        values = {}
        for each in children(fields[0xA1], 0xA1) if 0xA1 in fields else []:
            kind, members = children(each)
            (values[arcs(kind)],) = children(members, 0x31)
        if values.keys() - {_CERTIFICATES, _LISTS}:
            raise ValueError("an attribute that is not read here")
        lists = children(inside(children(values[_LISTS])[0], 0xA0)) if _LISTS in values else []
        groups = children(fields[0xA2], 0xA2) if 0xA2 in fields else []
        way = [[inside(each, 0x04) for each in children(group)] for group in groups]
        return cls(
            Token.read(token), way, children(values[_CERTIFICATES]) if _CERTIFICATES in values else [], lists
        )


def record_of(data: bytes) -> tuple[list[list[Link]], list[bytes]]:
    """The chains of a record, and each as it is written; raises Broken."""
    whole = len(data) <= _LARGEST_RECORD
    try:
        version, announced, body = children(strict(data if whole else b""))
        written_chains = children(body)
        chains = [[Link.read(each) for each in children(chain)] for chain in written_chains]
        links = [link for chain in chains for link in chain]
        hashes = list(dict.fromkeys(link.token.hash for link in links))
        whole = (
            version == b"\x02\x01\x01"
            and all(chains)
            and 0 < len(links) <= _MOST_LINKS
            and [hash_of(each) for each in children(announced)] == hashes
        )
    except (ValueError, IndexError, KeyError):
        whole = False
    if not whole:
        raise Broken("证据记录格式不对或被改动过", "the evidence record is malformed or was changed")
    return chains, written_chains


def _led(name: str, leaf: bytes, way: list[list[bytes]]) -> bytes | None:
    """Where a leaf's way leads (4.3); None when it is no way of this leaf."""
    size = len(leaf)
    if any(not group or group != sorted(group) or any(len(each) != size for each in group) for group in way):
        return None
    if not way:
        return leaf
    if len(way[0]) == 1 or leaf not in way[0]:
        return None
    found = digest(name, b"".join(way[0]))
    for group in way[1:]:
        found = digest(name, b"".join(sorted((*group, found))))
    return found


def _cut(link: int, zh: str, en: str) -> Broken:
    return Broken(
        f"续期链在第 {link} 环断开：{zh}；此件不可采信",
        f"the chain of renewals is broken at link {link}: {en}; do not rely on it",
    )


def followed(
    record: bytes, data: bytes, roots: list[Certificate], ages: Ages, at: datetime
) -> tuple[datetime, Said]:
    """Follow the record of `data` to the instant `at`: since when it is proved to be there, and what holds of each link.

    Raises Broken with the first thing that does not hold.
    """
    chains, written_chains = record_of(record)
    links = [(link, order, place) for order, chain in enumerate(chains) for place, link in enumerate(chain)]
    tokens = [link.token for link, _, _ in links]
    _bound(links, chains, written_chains, data)
    for number, (earlier, later) in enumerate(pairwise(tokens), 2):
        if later.at < earlier.at:
            raise _cut(number, "它早于前一环", "it is earlier than the one before it")
    if at < tokens[-1].at:
        raise _cut(len(links), "它晚于核验所依的时刻", "it is later than the instant it is judged for")
    try:
        between = [Certificate(each) for link, _, _ in links for each in link.certificates]
        lists = [Revocations(each) for link, _, _ in links for each in link.lists]
        said: Said = []
        moments = [*(each.at for each in tokens), at]
        for number, (link, order, place) in enumerate(links, 1):
            last = number == len(links)
            beside = Beside(roots, [*link.token.certificates, *between], lists)
            path = _believed(
                number, link.token, beside, at if last else tokens[number].at, last=last, said=said
            )
            after = sum(map(len, chains[: order + 1]))
            _in_time((number, after), link, path, ages, moments)
            said.append(_told(number, link, path, opens=place == 0))
    except (ValueError, IndexError, KeyError, OverflowError) as error:
        raise Broken(
            "证据记录格式不对或被改动过", "the evidence record is malformed or was changed"
        ) from error
    return tokens[0].at, said


def _bound(
    links: list[tuple[Link, int, int]], chains: list[list[Link]], written_chains: list[bytes], data: bytes
) -> None:
    """Every link is over what it must be over (5.2): the data, the timestamp before it, or the data and all chains before."""
    for number, (link, order, place) in enumerate(links, 1):
        name = link.token.hash
        if name != chains[order][0].token.hash:
            raise _cut(number, "同一条链内换了摘要算法", "it has another hash than its chain")
        if place:
            over = chains[order][place - 1].token.der
        elif order:
            over = digest(name, data) + digest(name, written(0x30, b"".join(written_chains[:order])))
        else:
            over = data
        if _led(name, digest(name, over), link.way) != link.token.imprint:
            if number == 1:
                raise _cut(1, "时间戳盖的不是这份数据", "its timestamp is over other data")
            raise _cut(
                number,
                "它没有盖住前一环（有环被调换、抽走或改动）",
                "it is not over the one before it (a link was moved, left out or changed)",
            )


def _believed(
    number: int, token: Token, beside: Beside, until: datetime, *, last: bool, said: Said
) -> list[Certificate]:
    """The way of the authority to a root: good when it stamped, and when the next link was made."""
    leaf = token.signed_by(beside.between)
    path = beside.path(leaf, token.at, heard=False)
    try:
        beside.path(leaf, token.at, heard=True)
        path = beside.path(leaf, until, heard=not last)
    except Unheard:
        said.append(
            NotJudged(
                (
                    f"第 {number} 环没有附带其时间戳服务的撤销状态，未作判断",
                    f"link {number} brings no statement about the revocation of its timestamp authority, which was not judged",
                )
            )
        )
        with suppress(Ended):
            beside.path(leaf, until, heard=False)
    except Ended:
        pass  # whether it had ended by then, and which, `_in_time` says
    return path


def _in_time(
    until: tuple[int, int], link: Link, path: list[Certificate], ages: Ages, moments: Sequence[datetime]
) -> None:
    """Everything a link rests on lasted until it was renewed: its signature until the next link, its hash until the next chain.

    `until` says which of the moments those are.
    """
    ends = [(_after(each.span[1]), each.name) for each in path]
    signature = min([*ends, *ages.first([*algorithms(path), link.token.signer_hash])])
    for by, end in zip(until, ([signature], ages.first([link.token.hash])), strict=True):
        if not end or moments[by] < end[0][0]:
            continue
        when, what = _at(end[0][0]), end[0][1]
        if by == len(moments) - 1:
            raise Broken(
                f"续期链的最后一环在 {when} 已失效（{what}），此后没有续期",
                f"the last link of the chain of renewals ended at {when} ({what}) and was not renewed",
            )
        raise Broken(
            f"续期链第 {by + 1} 环续得太晚：它盖于 {_at(moments[by])}，而前一环在 {when} 已失效（{what}）；此件不可采信",
            f"link {by + 1} of the chain of renewals came too late: it was made at {_at(moments[by])}, and the one before it had ended at {when} ({what}); do not rely on it",
        )


def _told(number: int, link: Link, path: list[Certificate], *, opens: bool) -> tuple[str, str]:
    who, at, with_ = path[0].name, _at(link.token.at), f"{link.token.hash}, {kind_of(path[0].key)}"
    if number == 1:
        return (
            f"续期链第 1 环：{who} 于 {at} 为数据盖时间戳（{with_}）",
            f"link 1 of the chain of renewals: {who} timestamped the data at {at} ({with_})",
        )
    zh, en = ("新摘要重新覆盖数据和全部旧链", "a new hash of data and old chains") if opens else (
        "覆盖前一环的时间戳", "over the timestamp before"
    )  # fmt: skip
    return (
        f"第 {number} 环：{who} 于 {at} 续期，{zh}（{with_}）；前一环当时仍然有效",
        f"link {number}: {who} renewed it at {at}, {en} ({with_}); the link before it was still good then",
    )


def _after(at: datetime) -> datetime:
    """The second after; the last one there is for a certificate without an end (RFC 5280 section 4.1.2.5)."""
    return at + timedelta(seconds=1) if at < _LAST else _LAST


def _at(at: datetime) -> str:
    return (at.astimezone(UTC) + timedelta(hours=8)).strftime("%Y-%m-%d %H:%M:%S+08:00")
