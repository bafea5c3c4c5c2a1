"""Pairs as one service: asked for, shown, their keys delivered, renewed, recovered."""

from dataclasses import dataclass
from typing import Any, Self

from ca.context import Context
from ca.enrolment.renew import standing as in_force
from ca.inventory import standing
from ca.issue import VERB as ISSUE
from ca.models import CertificateRow
from ca.pair import whose
from ca.pair.envelope import Dialect, dialects, seal
from ca.pair.errors import PairEnded, UnknownDialect, UnknownPair
from ca.pair.issue import PairRequest, encryption_profile, find, issue_pair
from ca.pair.models import PairRow, pair_of
from ca.permit import wanted_for
from kms.escrow import Escrow, UserKey
from kms.escrow import Recipient as RecoveryRecipient
from yinxin.act import Actor
from yinxin.authz import PLATFORM, Decider, Decision, Resource
from yinxin.clock import rfc3339
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.recipients import Recipient, key_of
from yinxin.errors import YinxinError
from yinxin.text import Text

DELIVER = "ca.deliver-pair"
READ = "ca.read"
_STATES = {
    "issued": Text("有效", "in force"),
    "revoked": Text("已撤销", "revoked"),
    "suspended": Text("已暂停", "suspended"),
    "expired": Text("已过期", "expired"),
}


@dataclass(frozen=True)
class Pair:
    """A pair as it stands; `chain` goes from the issuer up to the root, the same for both in one suite."""

    reference: str
    signing: Certificate
    encryption: Certificate
    chain: tuple[Certificate, ...]
    user_key: str
    state: str
    superseded_by: str | None
    created: str

    def fields(self) -> dict[str, Any]:
        """The pair as JSON, without octets."""
        return {
            "reference": self.reference,
            "signing": f"{self.signing.serial:x}",
            "encryption": f"{self.encryption.serial:x}",
            "subject": self.signing.subject.text,
            "state": self.state,
            "user_key": self.user_key,
            "superseded_by": self.superseded_by,
            "not_after": rfc3339(self.encryption.not_after),
            "created": self.created,
        }

    @classmethod
    def of(cls, ctx: Context, row: PairRow) -> Self:
        """The pair in this row."""
        with ctx.store.read() as session:
            signing = session.get_one(CertificateRow, row.signing)
            encryption = session.get_one(CertificateRow, row.encryption)
        return cls(
            reference=row.reference,
            signing=Certificate(signing.der or b""),
            encryption=Certificate(encryption.der or b""),
            chain=ctx.issuers.get(encryption.authority).chain,
            user_key=row.user_key,
            state=standing(signing, ctx.store.clock.now()),
            superseded_by=row.superseded_by,
            created=rfc3339(row.created),
        )


class Pairs:
    """Issues and delivers pairs of certificates. One per process."""

    def __init__(self, ctx: Context, escrow: Escrow, decider: Decider) -> None:
        self._ctx = ctx
        self._escrow = escrow
        escrow.enveloper = self
        self._decider = decider

    def issue(self, actor: Actor, request: PairRequest) -> Pair:
        """A pair, if the policies permit both certificates; see `ca.pair.issue.issue_pair`.

        Raises Denied, and ApplicationNeeded for a person of power, who gets one by application (`ca.registration`).
        """
        ctx = self._ctx
        try:
            other = encryption_profile(ctx, request.profile)
            holder, _ = ctx.register.facts(request.holder)
            asked = [
                wanted_for(request.reference, holder, each, ctx.register)
                for each in (other.name, request.profile)
            ]
            old = self._renewed(request) if request.renews is not None else None
        except YinxinError as error:
            ctx.store.refuse(actor, ISSUE, f"pair:{request.reference}", error)
            raise
        decisions = [self._decider.require(actor, ISSUE, each) for each in asked]
        if old is not None:
            self._permit(actor, ISSUE, old.reference, old.organ or PLATFORM, request.profile)
        row = issue_pair(ctx, self._escrow, actor, request, decisions[-1].record())
        return Pair.of(ctx, row)

    def show(self, actor: Actor, name: str) -> Pair:
        """The pair of a reference or serial number; raises UnknownPair, Denied."""
        row = self._found(name)
        self._permit(actor, READ, row.reference, row.organ or PLATFORM, "*")
        return Pair.of(self._ctx, row)

    def envelope(self, actor: Actor, name: str, dialect: Dialect | None = None) -> bytes:
        """The encryption key for the holder of the signing key, as often as it is asked for; each time recorded.

        Whoever is asked to, may fetch it: only the signing key opens it, or the transport key that it signed for. Raises UnknownPair, PairEnded when the pair
        is not in force (what remains then is a recovery), UnknownDialect, Denied, and what the key centre raises.
        """
        store = self._ctx.store
        try:
            row = self._found(name)
            pair = Pair.of(self._ctx, row)
            if pair.state != "issued":
                state = _STATES.get(pair.state, Text(pair.state, pair.state))
                raise PairEnded(pair=row.reference, state=state, act=Text("取用", "delivered"))
        except YinxinError as error:
            store.refuse(actor, DELIVER, f"pair:{name[:80]}", error)
            raise
        holder = row.holder if row.holder_kind == "person" else ""
        resource = Resource("Pair", row.reference, row.organ or PLATFORM, attributes={"holder": holder})
        decision = self._decider.require(actor, DELIVER, resource)
        key = self._escrow.key(row.user_key)
        with store.act(actor, DELIVER, f"pair:{row.reference}", user_key=row.user_key) as act:
            act.decision = decision.record()
            act.facts["dialect"] = str(dialect or "usual")
            with self._escrow.opened(key) as private:
                return seal(private, whose.recipient_of(self._ctx, row, private.public_key), dialect)

    # --- for the key centre's recoveries (`kms.escrow.Enveloper`) -----------------------------------------------

    def receives(self, recipient: Certificate, dialect: str) -> None:
        """Raise UnknownCertificate, CertificateRevoked, Expired, KeyOfAnother, CannotReceive or UnknownDialect."""
        row = in_force(self._ctx, recipient)
        whose.rooted(self._ctx, recipient, row.authority, recipient.fingerprint)
        key = key_of(self._receiving(recipient))
        known = dialects(key)
        if dialect and dialect not in known:
            told = ", ".join(known)
            raise UnknownDialect(algorithm=key.algorithm, dialect=dialect[:40], known=told)

    def holder_of(self, recipient: Certificate) -> RecoveryRecipient:
        """Whose a certificate of this site in force is; raises as `receives`."""
        row = in_force(self._ctx, recipient)
        whose.named_for(recipient, row.holder_kind, row.holder, recipient.fingerprint)
        return RecoveryRecipient(row.holder_kind, row.holder, row.post, row.organ)

    def certified(self, key: UserKey) -> Certificate:
        """The certificate over a key, as one of our authorities signed it for the key's holder; raises KeyOfAnother."""
        return whose.certified(self._ctx, key, key.public_key)

    def envelop(self, key: UserKey, recipient: Certificate, dialect: str) -> bytes:
        """The key of an approved recovery for the certificate that it names; raises as `receives`, and KeyOfAnother."""
        self.receives(recipient, dialect)
        with self._escrow.opened(key) as private:
            whose.certified(self._ctx, key, private.public_key)
            return seal(private, self._receiving(recipient), Dialect(dialect) if dialect else None)

    def _receiving(self, recipient: Certificate) -> Recipient:
        """Who opens what is meant for the holder of a certificate: its key, or the transport key of its pair."""
        with self._ctx.store.read() as session:
            pair = pair_of(session, f"{recipient.serial:x}")
        if pair is None or pair.signing != f"{recipient.serial:x}":
            return recipient
        return whose.received_by(pair, recipient)

    def _renewed(self, request: PairRequest) -> PairRow:
        """The pair whose place is to be taken: the same holder's, and in force."""
        old = self._found(request.renews or "")
        now = self._ctx.store.clock.now()
        with self._ctx.store.read() as session:
            state = standing(session.get_one(CertificateRow, old.signing), now)
        foreign = (old.holder_kind, old.holder) != (request.holder.kind, request.holder.id)
        if state not in ("issued", "expired") or foreign:
            told = (
                Text("属于另一持有者", "another holder's")
                if foreign
                else _STATES.get(state, Text(state, state))
            )
            raise PairEnded(pair=old.reference, state=told, act=Text("换发", "renewed"))
        return old

    def _found(self, name: str) -> PairRow:
        row = find(self._ctx, name)
        if row is None:
            raise UnknownPair(pair=name[:80])
        return row

    def _permit(self, actor: Actor, verb: str, id_: str, organ: str, profile: str) -> Decision:
        resource = Resource("Certificate", id_, organ=organ, attributes={"profile": profile})
        return self._decider.require(actor, verb, resource)
