"""Signed transitions: a person, in her post, signs with her own certificate what she does and the digests of what she saw.

`statement` gives the bytes; her side signs them; `accept` checks that they are still what is due, that they were signed
with the certificate she signed in with, and that this certificate is good now, and gives the proof that the step keeps.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from yinxin.crypto import cms
from yinxin.crypto.status import Good, OcspResponse
from yinxin.evidence import SignedDelegation
from yinxin.flow.core import Core, Desk
from yinxin.flow.errors import DelegationUnproved, StaleStatement, WrongSigner
from yinxin.flow.stamp import stamp
from yinxin.statement import Statement

#: a statement not signed within this time is fetched anew
LIFETIME = timedelta(minutes=15)
#: how far the writer's clock may be ahead of the reader's, both of them ours
_AHEAD = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class Proof:
    """A signed statement: with our timestamp in its signature, the OCSP answer, and what was acted under.

    `attributes` is the attribute certificate (PEM), `delegation` the signed delegation (`yinxin.evidence.SignedDelegation`); each
    empty where there is none.
    """

    declared: Statement
    statement: bytes
    cms: bytes
    ocsp: bytes
    attributes: bytes
    delegation: bytes = b""


def statement(desk: Desk[Core], verb: str, subject: str, content: Mapping[str, Any]) -> bytes:
    """What the person is to sign: type, subject, post, organ, time, and `content`, digests included."""
    at = desk.store.clock.now()
    return Statement.of(desk.caller.actor, verb, subject, at, content).encode()


def accept(
    desk: Desk[Core], verb: str, subject: str, content: Mapping[str, Any], *, signed: bytes, signature: bytes
) -> Proof:
    """The proof of a statement signed just now, if it is the one that is due.

    1. It says what is due. 2. The signature holds over these bytes. 3. It is by the certificate of this session, which
    sign-in has bound to person and post. 4. It is timestamped. 5. The certificate's state is asked after the timestamp,
    so that the answer speaks for a time at which the signature already existed. 6. So does the list of the attribute
    certificate. A delegation that she acts by is proved before all that. Raises MalformedStatement, StaleStatement, BadSignature,
    WrongSigner, DelegationUnproved, NoTimestamp.
    """
    declared = Statement.decode(signed)
    _expect(desk, declared, verb, subject, content)
    by = cms.verify_detached(signature, signed)
    if by.certificate.fingerprint != desk.caller.actor.certificate:
        raise WrongSigner
    delegation = _delegation(desk.core)
    suite = by.certificate.public_key.suite.name
    stamped = cms.with_timestamp(signature, stamp(desk.core, cms.signature_value(signature), suite))
    attributes = desk.core.attributes(by.certificate, desk.caller.actor)
    return Proof(declared, signed, stamped, desk.core.ocsp(by.certificate), attributes, delegation)


def _delegation(core: Core) -> bytes:
    """The delegation that the person acts by, timestamped, with what is said of its certificate now; empty without one."""
    given = core.delegation()
    if given is None:
        return b""
    by = cms.verify_detached(given.signature, given.statement).certificate
    value, suite = cms.signature_value(given.signature), by.public_key.suite.name
    stamped = cms.with_timestamp(given.signature, stamp(core, value, suite))
    ocsp = core.ocsp(by)
    answer = OcspResponse.load(ocsp).status_of(by, core.issuer(by))
    if answer is None or not isinstance(answer.status, Good):
        raise DelegationUnproved(delegation=given.id)
    return SignedDelegation(given.id, given.statement, stamped, ocsp).encode()


def _expect(
    desk: Desk[Core], declared: Statement, verb: str, subject: str, content: Mapping[str, Any]
) -> None:
    """Raise StaleStatement naming the first field in which the declaration differs from what is due now."""
    now = desk.store.clock.now()
    due = Statement.of(desk.caller.actor, verb, subject, declared.at, content)
    for field in ("type", "subject", "person", "post", "organ", "content"):
        if getattr(declared, field) != getattr(due, field):
            raise StaleStatement(subject=subject, field=field)
    if not now - LIFETIME <= declared.at <= now + _AHEAD:
        raise StaleStatement(subject=subject, field="at")
