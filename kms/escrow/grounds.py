"""On what an encryption key is recovered, each a kind of proposal of its own: by the holder, for the organ, by judicial order.

GM/T 0034 knows the recovery by a user and the judicial one; the organ's is for a post that changes hands. What all have
in common: the key, and the certificate of whoever shall have it, to which alone it is enveloped.
"""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Literal, Self

from pydantic import AliasChoices, Field, model_validator
from sqlalchemy.orm import Session

from authz.directory.tree import reached
from authz.models import OrganClosure
from kms.escrow.errors import NoEnveloper, RecipientMismatch, RecoveryKindEnded
from kms.escrow.keys import UserKey
from kms.escrow.models import RecoveredKeyRow, UserKeyRow
from kms.escrow.recovery import Enveloper, Recipient
from kms.roles import DECIDERS, OFFICERS, REGISTRARS
from yinxin.clock import rfc3339
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.suite import INTL
from yinxin.errors import YinxinError
from yinxin.faults import BadValue
from yinxin.proposal import About, Approved, Concerned, Outcome, ProposalKind, Terms
from yinxin.text import Text
from yinxin.wire import Instant, Model

if TYPE_CHECKING:
    from kms.service import KeyCentre


class Ground(StrEnum):
    """Whose wish it is: the holder's own, her organ's, or a court's or another authority's by law."""

    HOLDER = "holder"
    ORGAN = "organ"
    JUDICIAL = "judicial"


#: the kind of proposal of each, and of those that were made before each had its own
KIND: Mapping[Ground, str] = {each: f"kms.recover-{each}" for each in Ground}
FORMER = "kms.recover"
GROUNDS: Mapping[Ground, Text] = {
    Ground.HOLDER: Text("持有者本人的意愿", "the holder's own wish"),
    Ground.ORGAN: Text("所在机关的需要", "the organ's need"),
    Ground.JUDICIAL: Text("司法机关的要求", "a court's order"),
}


class Recovery(Model):
    """What every recovery says."""

    key: str = Field(min_length=1, max_length=26)
    """Identifier of the key in escrow, as a pair names it."""
    recipient_pem: str = Field(max_length=65536)
    """Certificate of whoever shall have the key, in PEM."""
    dialect: str = Field(default="", max_length=40)
    """Form of the envelope; the usual one for the recipient's key when left out."""

    @property
    def recipient(self) -> Certificate:
        """The certificate; raises MalformedCertificate."""
        return Certificate.load(self.recipient_pem.encode())


class HolderRecovery(Recovery):
    """By the holder, who has lost her token: for her own certificate only."""


class OrganRecovery(Recovery):
    """For the organ, which must read what was encrypted to one of its posts: for the certificate of that post, or its own."""

    post: str = Field(min_length=1, max_length=80)
    """The post that needs it, or the organ itself; the recipient's certificate is of that post or that organ."""


class JudicialRecovery(Recovery):
    """By an order of a court or another authority that the law empowers."""

    authority: str = Field(min_length=2, max_length=200)
    """Which court or authority orders it."""
    document: str = Field(min_length=2, max_length=120)
    """Number of its order."""
    dated: date
    """Date of the order."""
    scope: str = Field(min_length=2, max_length=1000)
    """What may be opened with the key: which documents, of which time."""
    withheld_until: Instant | None = None
    """Until when the holder is not told, where the law forbids telling her earlier."""
    withheld_basis: str = Field(default="", max_length=400)
    """The law that forbids it."""

    @model_validator(mode="after")
    def _withheld(self) -> Self:
        if (self.withheld_until is None) != (not self.withheld_basis.strip()):
            raise BadValue(
                "withheld_until 与 withheld_basis 须同时填写或同时省略",
                "Give both withheld_until and withheld_basis, or neither",
            )
        return self


class RecoveryContent(Recovery):
    """As it was proposed when all grounds were one kind."""

    # proposals that were made before there were two words call it basis, and their digest stands
    ground: Literal["holder", "organ", "judicial"] = Field(validation_alias=AliasChoices("ground", "basis"))
    """Whose wish it is: the holder's own, her organ's, or a court's. Its legal basis is the proposal's."""


# --- what all kinds do -----------------------------------------------------------------------------------------


def _about(centre: "KeyCentre", content: Recovery) -> About:
    key = centre.escrow.key(content.key)
    return About(key.organ or "", key.holder or "")


def _concerned(_centre: "KeyCentre", content: Recovery) -> Concerned:
    """Whoever would have the key; whose it is, is the holder it is about."""
    return Concerned(certificates=frozenset({content.recipient.fingerprint}))


def _enveloper(centre: "KeyCentre") -> Enveloper:
    if centre.escrow.enveloper is None:
        raise NoEnveloper
    return centre.escrow.enveloper


def _received(centre: "KeyCentre", content: Recovery) -> tuple[UserKey, Recipient]:
    """The key and whose the recipient's certificate is; raises UserKeyUnknown, and as `Enveloper.receives` and `certified`."""
    key = centre.escrow.key(content.key)
    enveloper = _enveloper(centre)
    enveloper.receives(content.recipient, content.dialect)
    enveloper.certified(key)
    return key, enveloper.holder_of(content.recipient)


def _told(centre: "KeyCentre", content: Recovery, ground: Ground) -> tuple[Text, ...]:
    key, recipient = centre.escrow.key(content.key), content.recipient
    words = GROUNDS[ground]
    return (
        Text(
            f"把 {key.holder}（{key.organ}）的加密密钥 {key.id} 交给证书“{recipient.subject.text}”的持有者",
            f"give the encryption key {key.id} of {key.holder} ({key.organ}) to the holder of the certificate “{recipient.subject.text}”",
        ),
        _as_certified(centre, key),
        Text(f"理由类别：{words.zh}", f"it rests on {words.en}"),
        Text(
            f"接收证书指纹：{recipient.fingerprint}",
            f"fingerprint of that certificate: {recipient.fingerprint}",
        ),
    )


def _as_certified(centre: "KeyCentre", key: UserKey) -> Text:
    """Whose it is by the certificate over it: that was signed, and who writes in tables does not change it."""
    try:
        subject = _enveloper(centre).certified(key).subject.text
    except YinxinError as error:
        return Text(error.text("zh"), error.text("en"))
    return Text(
        f"该密钥的加密证书签发给：{subject}", f"the certificate over that key was issued to: {subject}"
    )


def _recover(centre: "KeyCentre", approved: Approved[Any], session: Session) -> Outcome:
    """In the transaction that closes the proposal: one envelope, made once, kept."""
    content = approved.content
    key, recipient = UserKey.of(session.get_one(UserKeyRow, content.key)), content.recipient
    envelope = _enveloper(centre).envelop(key, recipient, content.dialect)
    row = RecoveredKeyRow(
        proposal=approved.proposal,
        key=key.id,
        organ=key.organ or "",
        recipient=recipient.der,
        delivered_at=centre.escrow.now(),
        delivered_by=approved.actor.id,
        envelope=envelope,
        withheld_until=getattr(content, "withheld_until", None),
    )
    session.add(row)
    session.flush()
    digest = INTL.hash.digest(envelope).hex()
    return {"key": key.id, "recipient": recipient.fingerprint, "envelope": digest}


# --- by the holder ---------------------------------------------------------------------------------------------


def _check_holder(centre: "KeyCentre", content: HolderRecovery) -> None:
    key, recipient = _received(centre, content)
    if (recipient.kind, recipient.id) != (key.holder_kind, key.holder):
        raise RecipientMismatch(
            recipient=content.recipient.fingerprint,
            reason=Text("须是密钥持有者本人的证书", "it must be a certificate of the key's own holder"),
        )


# --- for the organ ---------------------------------------------------------------------------------------------


def _check_organ(centre: "KeyCentre", content: OrganRecovery) -> None:
    key, recipient = _received(centre, content)
    if content.post not in (recipient.post, recipient.organ):
        reason = Text(
            "接收证书不属于所写岗位", "the recipient's certificate is not of the post that is named"
        )
        raise RecipientMismatch(recipient=content.recipient.fingerprint, reason=reason)
    above = reached(recipient.organ or "").where(OrganClosure.organ == key.organ)
    with centre.store.read() as session:
        near = session.scalar(above) is not None
    if recipient.organ != key.organ and not near:
        reason = Text("该岗位不在密钥所属机关或其上级", "that post is not in the key's organ or one above it")
        raise RecipientMismatch(recipient=content.recipient.fingerprint, reason=reason)


def _describe_organ(centre: "KeyCentre", content: OrganRecovery) -> tuple[Text, ...]:
    told = Text(f"需要密钥的岗位：{content.post}", f"the post that needs it: {content.post}")
    return (*_told(centre, content, Ground.ORGAN), told)


# --- by judicial order -----------------------------------------------------------------------------------------


def _about_judicial(centre: "KeyCentre", content: JudicialRecovery) -> About:
    """The holder is not named while she must not know of it: then she neither sees nor finds the proposal."""
    whole = _about(centre, content)
    return whole if content.withheld_until is None else About(whole.organ)


def _concerned_judicial(centre: "KeyCentre", content: JudicialRecovery) -> Concerned:
    key = centre.escrow.key(content.key)
    people = frozenset({key.holder}) if key.holder and key.holder_kind == "person" else frozenset[str]()
    return Concerned(people=people, certificates=frozenset({content.recipient.fingerprint}))


def _check_judicial(centre: "KeyCentre", content: JudicialRecovery) -> None:
    _received(centre, content)
    now: datetime = centre.escrow.now()
    if content.dated > now.date():
        raise RecipientMismatch(
            recipient=content.document,
            reason=Text("文书日期在将来", "the order is dated in the future"),
        )
    if content.withheld_until is not None and content.withheld_until <= now:
        raise RecipientMismatch(
            recipient=content.document,
            reason=Text("保密期限已过", "the time until which the holder is not told is over"),
        )
    longest = centre.escrow.judicial_withheld
    if content.withheld_until is not None and content.withheld_until > now + longest:
        raise RecipientMismatch(
            recipient=content.document,
            reason=Text(
                f"保密期限超过 {longest.days} 天（kms.judicial_withheld_days）",
                f"the time until which the holder is not told is longer than {longest.days} days (kms.judicial_withheld_days)",
            ),
        )


def _describe_judicial(centre: "KeyCentre", content: JudicialRecovery) -> tuple[Text, ...]:
    told = [
        *_told(centre, content, Ground.JUDICIAL),
        Text(
            f"文书：{content.authority}《{content.document}》，{content.dated.isoformat()}",
            f"order: {content.authority}, {content.document}, {content.dated.isoformat()}",
        ),
        Text(f"范围：{content.scope}", f"scope: {content.scope}"),
    ]
    if content.withheld_until is not None:
        until = rfc3339(content.withheld_until)
        told.append(
            Text(
                f"在 {until} 之前不告知持有者，依据：{content.withheld_basis}",
                f"the holder is not told before {until}; basis: {content.withheld_basis}",
            )
        )
    return tuple(told)


# --- the former kind -------------------------------------------------------------------------------------------


def _check_former(_centre: "KeyCentre", content: RecoveryContent) -> None:
    raise RecoveryKindEnded(kind=KIND[Ground(content.ground)])


# --- the kinds -------------------------------------------------------------------------------------------------


def _terms(centre: "KeyCentre") -> Terms:
    return centre.escrow.recovery_terms


def _judicial_terms(centre: "KeyCentre") -> Terms:
    return centre.escrow.judicial_terms


def _kind(
    name: str,
    title: Text,
    content: type[Recovery],
    check: Callable[..., None],
    describe: Callable[..., tuple[Text, ...]],
    **parts: Any,
) -> ProposalKind["KeyCentre", Any]:
    """A kind of recovery. Whoever asks, and her post, never approve; nor does whoever would have the key, or whose it is."""
    given: dict[str, Any] = {"terms": _terms, "about": _about, "concerned": _concerned, **parts}
    return ProposalKind(
        name=name,
        title=title,
        content=content,
        proposers=OFFICERS | REGISTRARS,
        approvers=DECIDERS,
        executors=DECIDERS | REGISTRARS,
        check=check,
        describe=describe,
        within=_recover,
        key=True,
        proposer_approves=False,
        **given,
    )


RECOVERIES: tuple[ProposalKind["KeyCentre", Any], ...] = (
    _kind(
        KIND[Ground.HOLDER],
        Text("恢复加密密钥（持有者本人）", "recover an encryption key, by its holder"),
        HolderRecovery,
        _check_holder,
        lambda centre, content: _told(centre, content, Ground.HOLDER),
    ),
    _kind(
        KIND[Ground.ORGAN],
        Text("恢复加密密钥（机关工作需要）", "recover an encryption key, for the organ"),
        OrganRecovery,
        _check_organ,
        _describe_organ,
        basis_required=True,
    ),
    _kind(
        KIND[Ground.JUDICIAL],
        Text("恢复加密密钥（司法要求）", "recover an encryption key, by judicial order"),
        JudicialRecovery,
        _check_judicial,
        _describe_judicial,
        basis_required=True,
        terms=_judicial_terms,
        about=_about_judicial,
        concerned=_concerned_judicial,
    ),
    _kind(
        FORMER,
        Text("恢复加密密钥", "recover an encryption key"),
        RecoveryContent,
        _check_former,
        lambda centre, content: _told(centre, content, Ground(content.ground)),
    ),
)
