"""Who answers in the authority's name: a certificate and a key for signing the protocols' own messages.

An issuing authority's key signs certificates and lists only (RFC 5280 4.2.1.3), so the answers of CMP, SCEP and EST's
key generation are signed by an agent that the authority certified. It is made when it is first needed, and again
before it ends; a holder's identifier is the label of its key, as with every service of the authority.
"""

from datetime import timedelta
from threading import Lock

import sqlalchemy as sa

from ca.context import Context
from ca.errors import StatusUnavailable
from ca.issue import carry_out, recall
from ca.issuer import Issuer
from ca.models import CertificateRow, State
from ca.request import Application, Holder, IssueRequest, examine
from ca.services import Service, service
from kms.models import Purpose
from kms.service import KeyCentre
from yinxin.act import SYSTEM
from yinxin.authz import PLATFORM
from yinxin.crypto.names import Name
from yinxin.crypto.suite import INTL

#: the profiles of the agents: one signs, the other opens envelopes as well, which SCEP wants of an RSA key
SIGNING, DECIPHERING = "enrolment-agent", "scep-agent"
#: the label of SCEP's key
SCEP_LABEL = f"intl-{DECIPHERING}"
_SCEP_KEY = INTL.encryption_keys[2]
#: how long before its end an agent is replaced: longer than any transaction lasts
_EARLY = timedelta(days=30)


class Agents:
    """The agents of the issuing authorities; one per process, shared by its threads."""

    def __init__(self, ctx: Context, keys: KeyCentre) -> None:
        self._ctx = ctx
        self._keys = keys
        self._lock = Lock()

    def signing(self, suite: str = "intl") -> Service:
        """The agent of the suite's issuing authority; raises UnknownAuthority, or what issuance raises the first time."""
        return self._agent(self._ctx.issuers.issuing(f"{suite}-issuing"), SIGNING)

    def deciphering(self) -> Service:
        """The agent that SCEP's messages are encrypted for, with an RSA key that also signs; raises as `signing`."""
        return self._agent(self._ctx.issuers.issuing("intl-issuing"), DECIPHERING)

    def _agent(self, issuer: Issuer, profile: str) -> Service:
        if (known := self._known(issuer, profile)) is not None:
            return known
        with self._lock:
            return self._known(issuer, profile) or self._made(issuer, profile)

    def _known(self, issuer: Issuer, profile: str) -> Service | None:
        """The agent, unless there is none or its end is near."""
        try:
            found = service(self._ctx, profile, issuer)
        except StatusUnavailable:
            return None
        ends = found.certificate.not_after - self._ctx.store.clock.now()
        return found if ends > _EARLY else None

    def _made(self, issuer: Issuer, profile: str) -> Service:
        ctx, label = self._ctx, f"{issuer.suite.name}-{profile}"
        # 1. the key, one for all the agent's certificates
        if profile == DECIPHERING:
            self._keys.create(SYSTEM, label=label, purpose=Purpose.DECIPHER, algorithm=_SCEP_KEY)
        else:
            self._keys.create(SYSTEM, label=label, purpose=Purpose.ENROLMENT, suite=issuer.suite)
        key = self._keys.signer(label).public_key
        # 2. its next certificate, under a reference that another process would take too
        with ctx.store.read() as session:
            earlier = sa.select(sa.func.count()).where(
                CertificateRow.holder == label, CertificateRow.state == State.ISSUED
            )
            number = session.scalar(earlier)
        organization = issuer.subject.get("organizationName") or "-"
        subject = Name.of([("organizationName", organization), ("commonName", label)])
        request = IssueRequest(
            reference=f"agent/{label}/{number}",
            profile=profile,
            csr=Application(key, subject),
            holder=Holder("service", label, None, PLATFORM),
            authority=issuer.name,
        )
        order = examine(request, ctx.profiles[profile], ctx.register, ctx.settings)
        known = recall(ctx, SYSTEM, order, issuer)
        if known is None:
            carry_out(ctx, SYSTEM, order, issuer)
        return service(ctx, profile, issuer)
