"""Enrolling passkeys after a certificate proved who it is, and signing in with them (WebAuthn Level 3, 7.1 and 7.2)."""

import ipaddress
import json
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import sqlalchemy as sa
import webauthn
from sqlalchemy.orm import Session
from webauthn.authentication.verify_authentication_response import VerifiedAuthentication
from webauthn.helpers import base64url_to_bytes
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from authz.challenges import Challenges
from authz.passkey.errors import (
    CertificateLoginNeeded,
    NoPasskeysHere,
    NoSuchPasskey,
    PasskeyCopied,
    PasskeyKnown,
    UnknownPasskey,
    WrongPasskey,
)
from authz.passkey.models import PasskeyRow
from authz.sessions import Sessions
from authz.sign_in import SignIn
from yinxin.act import STRANGER, Actor
from yinxin.crypto.suite import INTL
from yinxin.store import Store
from yinxin.web.caller import Caller

_ENROL, _SIGN_IN = "authz.enrol-passkey", "authz.sign-in"


class Passkeys:
    """The passkeys of this site, which is reached at `origins`; `fresh` is how old the certificate's proof may be."""

    def __init__(
        self,
        store: Store,
        *,
        origins: tuple[str, ...],
        challenges: Challenges,
        sessions: Sessions,
        sign_in: SignIn,
        fresh: timedelta,
    ) -> None:
        self._store = store
        self._origins = origins
        self._challenges = challenges
        self._sessions = sessions
        self._sign_in = sign_in
        self._fresh = fresh

    def options(self, caller: Caller, origin: str) -> dict[str, Any]:
        """What the browser at `origin` makes a passkey by (`navigator.credentials.create`).

        Raises CertificateLoginNeeded, NoPasskeysHere.
        """
        self._certified(caller)
        known = self.of(caller)
        options = webauthn.generate_registration_options(
            rp_id=self._host(origin),
            rp_name="印信 Yinxin",
            user_id=bytes.fromhex(caller.actor.certificate or ""),
            user_name=caller.actor.id,
            user_display_name=caller.name,
            challenge=self._challenges.give().nonce.encode(),
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.REQUIRED,
                user_verification=UserVerificationRequirement.REQUIRED,
            ),
            exclude_credentials=[PublicKeyCredentialDescriptor(id=each.credential) for each in known],
        )
        made: dict[str, Any] = json.loads(webauthn.options_to_json(options))
        # a security key makes the secret that opens a signing key only for a passkey that was made so (Level 3, 10.1.4)
        return made | {"extensions": {"prf": {}}}

    def enrol(self, caller: Caller, credential: str, label: str) -> PasskeyRow:
        """Enrol what the browser made; raises what `options` raises, WrongPasskey, PasskeyKnown, or a used challenge's errors."""
        with self._sign_in.refusing(caller.actor, _ENROL, f"person:{caller.actor.id}"):
            self._certified(caller)
            challenge, origin = self._challenge(credential)
            try:
                verified = webauthn.verify_registration_response(
                    credential=credential,
                    expected_challenge=challenge,
                    expected_rp_id=self._host(origin),
                    expected_origin=origin,
                    require_user_verification=True,
                )
            except (WebAuthnException, ValueError, TypeError, KeyError) as error:
                raise WrongPasskey from error
        row = PasskeyRow(
            id=self._store.identifier(),
            credential_hash=_hash(verified.credential_id),
            credential=verified.credential_id,
            certificate=caller.actor.certificate,
            person=caller.actor.id,
            label=label,
            public_key=verified.credential_public_key,
            counter=verified.sign_count,
            created=self._store.clock.now(),
        )
        subject = f"passkey:{row.id}"
        with self._store.act(caller.actor, _ENROL, subject, taken=PasskeyKnown, way=caller.way) as act:
            act.facts["synced"] = verified.credential_backed_up
            act.session.add(row)
            act.session.flush()
            act.session.expunge(row)
        return row

    def by_passkey(self, credential: str) -> tuple[str, Caller]:
        """Sign in with what the browser answers (`navigator.credentials.get`): the token and whom it stands for.

        Raises WrongPasskey, UnknownPasskey, PasskeyCopied, a challenge's errors, and what signing in by the certificate
        itself would raise: a passkey ends with it.
        """
        with self._sign_in.refusing(STRANGER, _SIGN_IN, "passkey:unknown"):
            challenge, origin = self._challenge(credential)
            row = self._row(credential)
            verified = self._verified(credential, row, challenge, origin)
        with self._of(row):
            self._sign_in.count(row.certificate)
            self._of_one_device(row, verified)
            binding, holder = self._sign_in.look_up(row.certificate)
        counted = sa.update(PasskeyRow).where(PasskeyRow.id == row.id, PasskeyRow.counter == row.counter)
        now = self._store.clock.now()

        def count(session: Session) -> None:
            used = counted.values(counter=verified.new_sign_count, used=now).returning(PasskeyRow.id)
            if session.scalar(used) is None:  # another answer of the same key was quicker
                raise WrongPasskey

        return self._sessions.open(binding, holder, "passkey", within=count)

    def nonce(self) -> str:
        """A nonce that is good for one answer, whatever it is asked for; see `attest`."""
        return self._challenges.give().nonce

    def attest(self, actor: Actor, credential: str, nonce: str, challenge: bytes) -> "Attested":
        """The actor's own passkey that answered `challenge`, which the caller has bound to `nonce` and to what it is for.

        Raises a challenge's errors, WrongPasskey, UnknownPasskey, PasskeyCopied, and what signing in by the passkey's
        certificate would raise. Whoever asks records the refusal, and counts in the transaction of what it was for.
        """
        self._challenges.use(nonce)
        origin = _told(credential)[1]
        self._host(origin)
        row = self._row(credential)
        if row.person != actor.id:
            raise UnknownPasskey
        verified = self._verified(credential, row, challenge, origin)
        self._of_one_device(row, verified)
        self._sign_in.look_up(row.certificate)
        return Attested(row.id, row.counter, verified.new_sign_count, self._store.clock.now())

    def _verified(
        self, credential: str, row: PasskeyRow, challenge: bytes, origin: str
    ) -> VerifiedAuthentication:
        """The answer, verified under the passkey's key; raises WrongPasskey. Its counter is not judged here."""
        try:
            return webauthn.verify_authentication_response(
                credential=credential,
                expected_challenge=challenge,
                expected_rp_id=self._host(origin),
                expected_origin=origin,
                credential_public_key=row.public_key,
                credential_current_sign_count=0,  # what does not go up is ours to judge: `_of_one_device`
                require_user_verification=True,
            )
        except (WebAuthnException, ValueError, TypeError, KeyError) as error:
            raise WrongPasskey from error

    def _of_one_device(self, row: PasskeyRow, verified: VerifiedAuthentication) -> None:
        """Raises PasskeyCopied, and the passkey is ended, where its counter does not go up (WebAuthn 6.1.1)."""
        if (verified.new_sign_count or row.counter) and verified.new_sign_count <= row.counter:
            self._end(row, "copied")
            raise PasskeyCopied

    def of(self, caller: Caller) -> Sequence[PasskeyRow]:
        """The caller's passkeys of this certificate, oldest first."""
        mine = sa.select(PasskeyRow).where(
            PasskeyRow.certificate == caller.actor.certificate, PasskeyRow.ended.is_(None)
        )
        with self._store.read() as session:
            rows = session.scalars(mine.order_by(PasskeyRow.id)).all()
            session.expunge_all()
        return rows

    def remove(self, caller: Caller, passkey: str) -> None:
        """End one of the caller's own; raises NoSuchPasskey."""
        row = next((each for each in self.of(caller) if each.id == passkey), None)
        if row is None:
            raise NoSuchPasskey(passkey=passkey[:40])
        with self._store.act(caller.actor, "authz.remove-passkey", f"passkey:{row.id}") as act:
            ended = sa.update(PasskeyRow).where(PasskeyRow.id == row.id)
            act.session.execute(ended.values(ended=self._store.clock.now()))

    def _certified(self, caller: Caller) -> None:
        certified = caller.actor.certified
        if certified is None or certified + self._fresh <= self._store.clock.now():
            raise CertificateLoginNeeded(minutes=int(self._fresh.total_seconds()) // 60)

    def _host(self, origin: str) -> str:
        """The name that passkeys are kept for; raises NoPasskeysHere."""
        host = urlsplit(origin).hostname or ""
        try:
            ipaddress.ip_address(host)
        except ValueError:
            if origin in self._origins:
                return host
        raise NoPasskeysHere(origin=origin)

    def _challenge(self, credential: str) -> tuple[bytes, str]:
        """The challenge that was answered, used up by this, and the origin at which the browser says it was.

        Raises WrongPasskey, NoPasskeysHere for an origin that is none of ours, or what `Challenges.use` raises.
        """
        challenge, origin = _told(credential)
        try:
            nonce = challenge.decode("ascii")
        except ValueError as error:
            raise WrongPasskey from error
        self._challenges.use(nonce)
        self._host(origin)
        return nonce.encode(), origin

    def _row(self, credential: str) -> PasskeyRow:
        try:
            raw = base64url_to_bytes(json.loads(credential)["rawId"])
        except (ValueError, KeyError, TypeError) as error:
            raise WrongPasskey from error
        with self._store.read() as session:
            row = session.scalar(sa.select(PasskeyRow).where(PasskeyRow.credential_hash == _hash(raw)))
            if row is None or row.ended is not None:
                raise UnknownPasskey
            session.expunge(row)
            return row

    def _of(self, row: PasskeyRow) -> AbstractContextManager[None]:
        return self._sign_in.refusing(self._sign_in.stranger(row.certificate), _SIGN_IN, f"passkey:{row.id}")

    def _end(self, row: PasskeyRow, reason: str) -> None:
        actor = self._sign_in.stranger(row.certificate)
        with self._store.act(actor, "authz.remove-passkey", f"passkey:{row.id}", reason=reason) as act:
            ended = sa.update(PasskeyRow).where(PasskeyRow.id == row.id)
            act.session.execute(ended.values(ended=self._store.clock.now()))


@dataclass(frozen=True, slots=True)
class Attested:
    """A passkey's answer that held; its counter moves on with `count`."""

    passkey: str
    before: int
    counter: int
    at: datetime

    def count(self, session: Session) -> None:
        """Move the counter on, in the transaction of what the answer was for; raises WrongPasskey when another was quicker."""
        counted = sa.update(PasskeyRow).where(
            PasskeyRow.id == self.passkey, PasskeyRow.counter == self.before, PasskeyRow.ended.is_(None)
        )
        if (
            session.scalar(counted.values(counter=self.counter, used=self.at).returning(PasskeyRow.id))
            is None
        ):
            raise WrongPasskey


def _told(credential: str) -> tuple[bytes, str]:
    """The challenge that the browser says was answered, and the origin; raises WrongPasskey."""
    try:
        answered = json.loads(credential)["response"]["clientDataJSON"]
        told = json.loads(base64url_to_bytes(answered))
        return base64url_to_bytes(told["challenge"]), str(told["origin"])
    except (ValueError, KeyError, TypeError) as error:
        raise WrongPasskey from error


def _hash(credential: bytes) -> str:
    return INTL.hash.digest(credential).hex()
