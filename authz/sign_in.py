"""Signing in: prove the key, then be looked up.

1. the challenge is used up, whatever follows
2. the signature over challenge and site is verified, or the TLS connection proved the key
3. the attempt is counted against the certificate; only whoever holds the key gets this far
4. the certificate is judged: path, validity, revocation
5. the certificate leads to a person in a post, whose appointment is in force
6. the session is opened and recorded
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

import sqlalchemy as sa

from authz.challenges import Challenge, Challenges, token_hash
from authz.checker import CertificateChecker
from authz.directory import Standing
from authz.directory.look import standing
from authz.errors import (
    CertificateExpired,
    CertificateRevoked,
    NoAppointment,
    SessionOfAnother,
    TooManyAttempts,
    UnknownCertificate,
    WrongSignature,
)
from authz.models import Attempt, CertificateBinding
from authz.refusals import Refusals
from authz.sessions import Sessions
from yinxin.act import STRANGER, Actor
from yinxin.authz import sign_in_statement
from yinxin.crypto import cms
from yinxin.crypto import errors as crypto
from yinxin.crypto.certificates import Certificate
from yinxin.errors import Invalid, Untrue, YinxinError
from yinxin.store import Store
from yinxin.web.caller import Caller

_VERB = "authz.sign-in"
_PROVE = "authz.prove"
_MINUTE = timedelta(minutes=1)


class SignIn:
    """The ways into this site, which is reached at `origins` (`https://host[:port]`)."""

    def __init__(
        self,
        store: Store,
        *,
        origins: tuple[str, ...],
        challenges: Challenges,
        sessions: Sessions,
        checker: CertificateChecker,
        refusals: Refusals,
        attempts_per_minute: int,
    ) -> None:
        self._store = store
        self._origins = origins
        self._challenges = challenges
        self._sessions = sessions
        self._checker = checker
        self._refusals = refusals
        self._attempts = attempts_per_minute

    def challenge(self) -> Challenge:
        """A challenge to sign (`yinxin.authz.sign_in_statement`), single use."""
        return self._challenges.give()

    def by_signature(self, cms_der: bytes, challenge: str) -> tuple[str, Caller]:
        """Sign in with a detached CMS signature; the token and whom it stands for.

        Raises ChallengeUnknown, ChallengeUsed, ChallengeExpired, WrongSignature, and what `by_tls` raises.
        """
        with self.refusing(STRANGER, _VERB, f"challenge:{token_hash(challenge)[:16]}"):
            self._challenges.use(challenge)
            certificate, chain = self._verify(cms_der, challenge)
        return self._admit(certificate, chain, "signature")

    def by_tls(self, certificate_der: bytes) -> tuple[str, Caller]:
        """Sign in with the certificate of a TLS connection, which proved the key.

        Raises TooManyAttempts, UnknownCertificate, CertificateExpired, CertificateRevoked, NoAppointment, all
        recorded, or Unavailable when revocation cannot be told.
        """
        with self.refusing(STRANGER, _VERB, "certificate:unreadable"):
            certificate = Certificate.load(certificate_der)
        return self._admit(certificate, (), "tls")

    def prove(self, caller: Caller, cms_der: bytes, challenge: str) -> None:
        """Prove the certificate of the caller's session again, by a signature; raises as `by_signature`, or SessionOfAnother."""
        with self.refusing(caller.actor, _PROVE, f"session:{caller.session}"):
            self._challenges.use(challenge)
            certificate, chain = self._verify(cms_der, challenge)
            self._prove(caller, certificate, chain)
        self._sessions.prove(caller)

    def prove_by_tls(self, caller: Caller, certificate_der: bytes) -> None:
        """As `prove`, by the certificate of the TLS connection."""
        with self.refusing(caller.actor, _PROVE, f"session:{caller.session}"):
            self._prove(caller, Certificate.load(certificate_der), ())
        self._sessions.prove(caller)

    def _prove(self, caller: Caller, certificate: Certificate, chain: tuple[Certificate, ...]) -> None:
        fingerprint = certificate.fingerprint
        if fingerprint != caller.actor.certificate:
            raise SessionOfAnother
        self.count(fingerprint)
        with _judged(fingerprint):
            self._checker.check(certificate, chain, self._store.clock.now())
        self.look_up(fingerprint)

    def _verify(self, cms_der: bytes, challenge: str) -> tuple[Certificate, tuple[Certificate, ...]]:
        """The certificate that signed `challenge` for one of our origins."""
        wrong: YinxinError | None = None
        for origin in self._origins:
            try:
                signed = cms.verify_detached(cms_der, sign_in_statement(challenge, origin))
            except (Untrue, Invalid) as error:
                wrong = error
            else:
                return signed.certificate, tuple(signed.chain)
        raise WrongSignature(origin=self._origins[0]) from wrong

    def _admit(
        self, certificate: Certificate, chain: tuple[Certificate, ...], way: str
    ) -> tuple[str, Caller]:
        fingerprint = certificate.fingerprint
        with self.refusing(self.stranger(fingerprint), _VERB, f"certificate:{fingerprint}"):
            self.count(fingerprint)
            with _judged(fingerprint):
                self._checker.check(certificate, chain, self._store.clock.now())
            binding, holder = self.look_up(fingerprint)
        return self._sessions.open(binding, holder, way)

    def stranger(self, fingerprint: str) -> Actor:
        """Whoever holds this certificate; one that we never bound is no name, for anybody makes as many as she likes."""
        with self._store.read() as session:
            bound = session.get(CertificateBinding, fingerprint) is not None
        return replace(STRANGER, certificate=fingerprint) if bound else STRANGER

    def count(self, fingerprint: str) -> None:
        """Count an attempt by whoever proved a key for this certificate; raises TooManyAttempts."""
        now = self._store.clock.now()
        recent = sa.select(sa.func.count()).where(
            Attempt.certificate == fingerprint, Attempt.at > now - _MINUTE
        )
        with self._store.housekeep() as session:
            if (session.scalar(recent) or 0) >= self._attempts:
                raise TooManyAttempts(certificate=fingerprint)
            session.add(Attempt(id=self._store.identifier(), certificate=fingerprint, at=now))

    def look_up(self, fingerprint: str) -> tuple[CertificateBinding, Standing]:
        """Whose certificate it is, with the appointment; raises UnknownCertificate, CertificateExpired, CertificateRevoked, NoAppointment."""
        with self._store.read() as session:
            binding = session.get(CertificateBinding, fingerprint)
            if binding is None or binding.purpose != "signing":
                raise UnknownCertificate(certificate=fingerprint)
            if binding.ended_at is not None or self._checker.revoked(fingerprint, session):
                raise CertificateRevoked(certificate=fingerprint)
            if binding.expires_at <= self._store.clock.now():
                raise CertificateExpired(certificate=fingerprint)
            holder = standing(session, binding.person, binding.post, self._store.clock.now())
            if not holder.appointed:
                raise NoAppointment(person=binding.person, post=binding.post)
            session.expunge(binding)
            return binding, holder

    @contextmanager
    def refusing(self, actor: Actor, verb: str, subject: str) -> Iterator[None]:
        """Record whatever is refused inside, within the limit on refusals."""
        try:
            yield
        except YinxinError as error:
            self._refusals.record(actor, verb, subject, error)
            raise


@contextmanager
def _judged(fingerprint: str) -> Iterator[None]:
    """What a failed path means for whoever signs in; what cannot be told stays what it is."""
    try:
        yield
    except (crypto.Expired, crypto.NotYetValid) as error:
        raise CertificateExpired(certificate=fingerprint) from error
    except crypto.CertificateRevoked as error:
        raise CertificateRevoked(certificate=fingerprint) from error
    except crypto.RevocationUnknown:
        raise
    except Untrue as error:
        raise UnknownCertificate(certificate=fingerprint) from error
