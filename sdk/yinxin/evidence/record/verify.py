"""Following the chain of renewals: each link judged for the time at which the next was made, the last for the reader's."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from yinxin.clock import official
from yinxin.crypto.ages import Ages
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.errors import Expired, MalformedCertificate, MalformedStatus, RevocationUnknown
from yinxin.crypto.path import RevocationEvidence, ValidatedPath
from yinxin.crypto.status import CertificateList
from yinxin.evidence.judged import NotJudged
from yinxin.evidence.record.errors import MalformedRecord, RecordBroken, RecordLapsed, RenewedTooLate
from yinxin.evidence.record.form import EvidenceRecord, Link
from yinxin.evidence.record.renew import ANOTHER_HASH, hash_preimage
from yinxin.evidence.record.tree import root_of
from yinxin.text import Text

_SECOND = timedelta(seconds=1)

_OTHER_DATA = Text("时间戳盖的不是这份数据", "its timestamp is over other data")
_NOT_THE_LAST = Text(
    "它没有盖住前一环（有环被调换、抽走或改动）",
    "it is not over the one before it (a link was moved, left out or changed)",
)
_EARLIER = Text("它早于前一环", "it is earlier than the one before it")
_LATER = Text("它晚于核验所依的时刻", "it is later than the instant it is judged for")


@dataclass(frozen=True)
class Followed:
    """A record that holds: since when the data is proved to exist, and when the last link must have been renewed."""

    since: datetime
    #: the end, and what ends then; None when no end is known
    until: tuple[datetime, str] | None


@dataclass(frozen=True)
class _Step:
    """A link (its number from 1), what its leaf must be the hash of, and until when which part of it has to be good."""

    number: int
    link: Link
    preimage: bytes
    opens: bool
    #: until when its signature has to be good: when the next link was made, or the reader's instant (then `next` is None)
    signed: datetime
    next: int | None
    #: until when its hash has to be: when the next chain began, likewise
    hashed: datetime
    next_chain: int | None


def follow(
    record: EvidenceRecord,
    data: bytes,
    roots: tuple[Certificate, ...],
    ages: Ages,
    *,
    at: datetime,
    held: list[Text],
) -> Followed:
    """Follow the record of `data` to the instant `at`, adding what holds to `held`.

    1. Every link is over what it must be over: the first over the data, the others over the timestamp before them or, where
    a chain begins, over the data and all chains before, with a new hash. 2. Each came after the one before it. 3. Each
    timestamp's authority was good when it was made and still when the next was. 4. So were its algorithms.

    Raises RecordBroken, RenewedTooLate, RecordLapsed, MalformedRecord, and what signatures and paths fail by.
    """
    brought, lists = _brought(record)
    until: tuple[datetime, str] | None = None
    steps = list(_steps(record, data, at))
    for step in steps:
        _fits(step)
    for step in steps:
        path = _believed(step, roots, brought, lists, held)
        _in_time(step, path, ages)
        held.append(_words(step, path))
        until = end_of(step.link, path, ages)
    return Followed(record.links[0].token.at, until)


def fits(record: EvidenceRecord, data: bytes) -> None:
    """Every link is over what it must be over, and younger than the one before: raises RecordBroken. Nothing is trusted or judged."""
    for step in _steps(record, data, record.last.token.at):
        _fits(step)


def names_of(link: Link, path: ValidatedPath) -> tuple[str, ...]:
    """The algorithms that the signature of a link rests on: keys and hashes, of the token and of every certificate on its path."""
    keys = [each.public_key.kind for each in path.certificates]
    below = [each.signature_algorithm.hash.name for each in path.certificates[:-1]]
    return tuple(dict.fromkeys((*keys, link.token.signer_hash.name, *below)))


def signature_end(link: Link, path: ValidatedPath, ages: Ages) -> tuple[datetime, str]:
    """When the signature of a link proves nothing any more, and by what: the first certificate or algorithm to end."""
    ends = [(each.not_after + _SECOND, each.subject.text) for each in path.certificates]
    return min(filter(None, (*ends, ages.first(names_of(link, path)))))


def end_of(link: Link, path: ValidatedPath, ages: Ages) -> tuple[datetime, str]:
    """When a link must have been renewed, one way or the other, and why."""
    return min(filter(None, (signature_end(link, path, ages), ages.first([link.hash.name]))))


def _steps(record: EvidenceRecord, data: bytes, at: datetime) -> Iterator[_Step]:
    links, number = record.links, 0
    for order, chain in enumerate(record.chains):
        after = number + len(chain)  # links up to the end of this chain
        for place, link in enumerate(chain):
            if place:
                preimage = chain[place - 1].token.der
            else:
                preimage = hash_preimage(link.hash, data, record.chains[:order]) if order else data
            number += 1
            if link.hash is not chain[0].hash:
                raise RecordBroken(link=number, what=ANOTHER_HASH)
            last, last_chain = number == len(links), after == len(links)
            signed = at if last else links[number].token.at
            if signed < link.token.at:
                raise (
                    RecordBroken(link=number, what=_LATER)
                    if last
                    else RecordBroken(link=number + 1, what=_EARLIER)
                )
            yield _Step(
                number,
                link,
                preimage,
                place == 0,
                signed,
                None if last else number + 1,
                at if last_chain else links[after].token.at,
                None if last_chain else after + 1,
            )


def _fits(step: _Step) -> None:
    token, hash_ = step.link.token, step.link.hash
    try:
        root = root_of(hash_, hash_.digest(step.preimage), step.link.path)
    except ValueError:
        root = b""
    if root != token.digest:
        raise RecordBroken(link=step.number, what=_OTHER_DATA if step.number == 1 else _NOT_THE_LAST)


def _brought(record: EvidenceRecord) -> tuple[tuple[Certificate, ...], RevocationEvidence]:
    try:
        certificates = {der for link in record.links for der in link.certificates}
        lists = {der for link in record.links for der in link.crls}
        return (
            tuple(Certificate(each) for each in sorted(certificates)),
            RevocationEvidence(crls=tuple(CertificateList(each) for each in sorted(lists))),
        )
    except (MalformedCertificate, MalformedStatus) as error:
        raise MalformedRecord(reason=str(error)) from error


def _believed(
    step: _Step,
    roots: tuple[Certificate, ...],
    brought: tuple[Certificate, ...],
    lists: RevocationEvidence,
    held: list[Text],
) -> ValidatedPath:
    """The path of the authority: good when it stamped, and when the next link was made.

    Without a statement about revocation that is said, and not judged: an outside authority's lists may never have come.
    """
    token = step.link.token

    def judged(at: datetime, *, required: bool) -> ValidatedPath:
        return token.verify(
            imprint=token.digest,
            anchors=roots,
            intermediates=brought,
            at=at,
            revocation=lists,
            require_revocation=required,
        )

    path = judged(token.at, required=False)
    try:
        judged(token.at, required=True)
        # what will be said of the last link in the reader's time nobody could put in beforehand
        path = judged(step.signed, required=step.next is not None)
    except RevocationUnknown:
        held.append(
            NotJudged(
                f"第 {step.number} 环没有附带其时间戳服务的撤销状态，未作判断",
                f"link {step.number} brings no statement about the revocation of its timestamp authority, which was not judged",
            )
        )
        # a statement that is missing about one certificate does not silence those that are there about the others
        with suppress(Expired):
            judged(step.signed, required=False)
    except Expired:
        pass  # whether it had ended by then, and which, `_in_time` says
    return path


def _in_time(step: _Step, path: ValidatedPath, ages: Ages) -> None:
    """Raise unless everything the link rests on lasted until it was renewed: its signature until the next link, its hash until the next chain."""
    for until, by, end in (
        (step.signed, step.next, signature_end(step.link, path, ages)),
        (step.hashed, step.next_chain, ages.first([step.link.hash.name])),
    ):
        if end is None or until < end[0]:
            continue
        ended, what = official(end[0]), end[1]
        if by is None:
            raise RecordLapsed(ended=ended, what=what)
        raise RenewedTooLate(link=by, at=official(until), ended=ended, what=what)


def _words(step: _Step, path: ValidatedPath) -> Text:
    who = path.leaf.subject.common_name or path.leaf.subject.text
    at, algorithms = official(step.link.token.at), f"{step.link.hash.name}, {path.leaf.public_key.kind}"
    if step.number == 1:
        return Text(
            f"续期链第 1 环：{who} 于 {at} 为数据盖时间戳（{algorithms}）",
            f"link 1 of the chain of renewals: {who} timestamped the data at {at} ({algorithms})",
        )
    zh, en = ("新摘要重新覆盖数据和全部旧链", "a new hash of data and old chains") if step.opens else (
        "覆盖前一环的时间戳", "over the timestamp before"
    )  # fmt: skip
    return Text(
        f"第 {step.number} 环：{who} 于 {at} 续期，{zh}（{algorithms}）；前一环当时仍然有效",
        f"link {step.number}: {who} renewed it at {at}, {en} ({algorithms}); the link before it was still good then",
    )
