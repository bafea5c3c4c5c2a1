"""The secrecy of a document as it travels: what its leader signed off, and what leaders of the issuing organ have decided since, in their own words.

Level, period, basis and the day they count from stand in the content that was signed off. Every decision since is a statement that was
signed, and names the one before it, so that a site takes them in that order, each once, and nobody else's.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.orm import Session

from apps.document import decisions, grading
from apps.document.decisions import AFTER, Decision
from apps.document.desk import content
from apps.document.models import Document
from apps.document.records import DOCUMENTS
from apps.document.sites import advice
from apps.document.sites.certified import certified
from apps.document.sites.wire import fitting, unfit
from apps.document.states import GRADES
from yinxin import canonical
from yinxin.authz import LEVELS, Level
from yinxin.calendar import local_date
from yinxin.crypto import cms
from yinxin.crypto.certificates import Certificate
from yinxin.flow import Signature, Step
from yinxin.grade import Grade, read
from yinxin.statement import Statement
from yinxin.store import Act

#: by how much the clocks of two sites may differ where a period ends at midnight
_AHEAD = timedelta(days=1)
#: decisions on one document
_MOST = 200


@dataclass(frozen=True, slots=True)
class Signed:
    """A decision whose signature holds, with its proofs as they came."""

    decision: Decision
    statement: bytes
    cms: bytes
    ocsp: bytes


@dataclass(frozen=True, slots=True)
class Secrecy:
    """What was signed off, by whom and when, and what was decided since."""

    first: tuple[Grade, date] | None
    by: tuple[str, datetime]
    since: tuple[Signed, ...]


@dataclass(frozen=True, slots=True)
class Issuer:
    """The organ that decides on a document, what it is called there, the roots of its site, and whether another site passed the document on."""

    organ: str
    name: str
    anchors: Sequence[Certificate]
    passed_on: bool


# --- what is told ---


def told(session: Session, row: Document) -> list[dict[str, str]]:
    """The signed decisions on a document, of this site or of another, in their order."""
    known = decisions.of(session, row)
    return [
        {"statement": each.statement.hex(), "cms": each.cms.hex(), "ocsp": each.ocsp.hex()} for each in known
    ]


def facts(session: Session, row: Document) -> dict[str, Any]:
    """What a parcel says of its secrecy. Of a document that was signed off without its period the message itself says it."""
    found: dict[str, Any] = {}
    if since := told(session, row):
        found["decisions"] = since
    body = canonical.decode(content(session, row.id).data)
    history = GRADES.history(session, row.id)
    if "secrecy" in body and "grade" not in body and history and history[0].level:
        found["secrecy"] = read(history[0]).fields(history[0].since)
    return found


def lowest(session: Session, row: Document) -> Level:
    """The lowest level that the document ever had: what is said of it, and says nothing of what is in it, reaches everybody who was sent it."""
    levels = [row.level, *(each.level or AFTER for each in GRADES.history(session, row.id))]
    if "secrecy" not in canonical.decode(content(session, row.id).data):
        levels.append(AFTER)
    return cast("Level", min(levels, key=lambda each: LEVELS.index(cast("Level", each))))


# --- what is heard ---


def of_parcel(
    body: Mapping[str, Any], said: Mapping[str, Any], signed_off: Statement, since: tuple[Signed, ...]
) -> Secrecy:
    """The secrecy of a document that came; raises ParcelUnfit."""
    return Secrecy(_first(body, said, signed_off), (signed_off.person, signed_off.at), since)


def _first(
    body: Mapping[str, Any], said: Mapping[str, Any], signed_off: Statement
) -> tuple[Grade, date] | None:
    """As it was signed off; where the content names no basis, as its mark and the message say."""
    mark = said.get("secrecy", "")
    fields = said.get("grade") or body.get("secrecy")
    if not mark:
        unfit(fields is None, "没有密级标志却有保密期限", "a period of secrecy without a mark")
        return None
    with fitting():
        marked = Grade.of_mark(mark)
        if fields is None:
            return marked, local_date(signed_off.at)
        grade, since = Grade.of(fields)
    unfit(grade.mark == mark, "保密期限与密级标志不符", "the period is not the one of the mark")
    return grade, since


def demand_level(found: Secrecy, level: Level, now: datetime) -> None:
    """Raise ParcelUnfit unless the message is graded as was signed: neither lower nor higher."""
    if found.first is None and not found.since:
        return  # public or internal is nobody's signed word
    grade = found.since[-1].decision.grade if found.since else found.first
    allowed = {AFTER if grade is None else grade[0].level}
    if grade is not None and _over(grade, local_date(now) + _AHEAD):
        allowed.add(AFTER)
    unfit(level in allowed, "密级与签发的不符", "the level is not the one that was signed")


def read_decisions(told_: object, document: str, issuer: Issuer, sha256: str) -> tuple[Signed, ...]:
    """The decisions that another site tells: each signed by a person of the issuing organ, of this document as it was sealed, after the one before.

    Where another site than the issuing organ's tells them, nobody there vouches for whose people they are: the certificates name the organ. Raises ParcelUnfit, or what does not hold.
    """
    found: list[Signed] = []
    after = ""
    with fitting():
        unfit(isinstance(told_, list) and len(told_) <= _MOST, "决定不成列", "no list of decisions")
        for each in cast("list[Any]", told_):
            statement, signature, ocsp = (bytes.fromhex(each[name]) for name in ("statement", "cms", "ocsp"))
            decision = decisions.said(statement)
            declared = decision.declared
            about = (declared.subject, declared.organ, declared.content["sealed"]["sha256"])
            unfit(
                about == (DOCUMENTS.subject(document), issuer.organ, sha256),
                "密级变更不是发文机关对该公文的",
                "a decision on secrecy is not the issuing organ's on this document",
            )
            unfit(
                decision.after == after,
                "密级变更不相衔接",
                "a decision on secrecy does not follow the one before",
            )
            _signed_by(signature, statement, ocsp, declared, issuer)
            found.append(Signed(decision, statement, signature, ocsp))
            after = decisions.digest(statement)
    return tuple(found)


def _signed_by(signature: bytes, statement: bytes, ocsp: bytes, declared: Statement, issuer: Issuer) -> None:
    by = cms.verify_detached(signature, statement)
    unfit(by.certificate.subject.get("serialNumber") == declared.person, "签名人不符", "somebody else signed")
    of_organ = issuer.passed_on and by.certificate.subject.get("organizationName") != issuer.name
    unfit(not of_organ, "签名人不是发文机关的", "the signer is not of the issuing organ")
    suite = by.certificate.public_key.suite
    roots = [each for each in issuer.anchors if each.public_key.suite is suite]
    unfit(bool(roots), "没有可据以核验签名的根", "there is no root to judge the signature by")
    certified(by, roots, ocsp, declared)


# --- what is done ---


def begin(act: Act, row: Document, found: Secrecy, now: datetime) -> None:
    """The document that came in has the secrecy that was signed of it, and is rid of it where its period is over by now."""
    if found.first is not None:
        GRADES.adopt(act, row.id, found.first, "", found.by)
    follow(act, row, found.since, now)
    grade = GRADES.current(act.session, row.id)
    if grade is not None and grade.ends is not None and grade.ends <= local_date(now):
        GRADES.declassify(act, row.id, grading.EXPIRED, now)
        grading.stands(act, row, AFTER)


def follow(act: Act, row: Document, since: Sequence[Signed], now: datetime) -> int:
    """Do what was decided since and is not done here, on record; how many decisions. Raises ParcelUnfit where others are here in their place.

    Sites that have it from here are told in their turn.
    """
    session = act.session
    known = decisions.of(session, row)
    same = all(have.statement == each.statement for have, each in zip(known, since, strict=False))
    unfit(same, "与本站记录的密级变更不一致", "other decisions on its secrecy are on record here")
    new = since[len(known) :]
    for each in new:
        _note(act, row, each)
        decision = each.decision
        basis = decision.grade[0].basis if decision.grade else decision.reason
        GRADES.adopt(act, row.id, decision.grade, basis, (decision.declared.person, decision.declared.at))
    if new:
        grading.stands(act, row, new[-1].decision.level)
        row.version += 1
        row.updated_at = now
        advice.of_secrecy(act, row, len(since), now)
    act.facts["decisions"] = len(new)
    return len(new)


def _note(act: Act, row: Document, each: Signed) -> None:
    """The step and its signature stand in the timeline as the issuing organ's own."""
    session, declared = act.session, each.decision.declared
    place = {"flow": DOCUMENTS.life.name, "item": row.id}
    last = sa.select(sa.func.max(Step.position)).where(Step.flow == DOCUMENTS.life.name, Step.item == row.id)
    position = (session.scalar(last) or 0) + 1
    who = {"person": declared.person, "organ": declared.organ, "at": declared.at, "position": position}
    session.add(
        Step(
            **place, **who, verb=declared.type, post=declared.post, comment=each.decision.reason, entry=act.id
        )
    )
    session.add(
        Signature(
            **place,
            **who,
            type=declared.type,
            statement=each.statement,
            cms=each.cms,
            ocsp=each.ocsp,
            attributes=None,
            delegation=None,
        )
    )
    session.flush()


def _over(grade: tuple[Grade, date], day: date) -> bool:
    ends = grade[0].ends(grade[1])
    return ends is not None and ends <= day
