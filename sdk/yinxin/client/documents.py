"""Official documents: drafted, decided, signed, sealed, sent, received, and proved."""

from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from yinxin.authz import Level
from yinxin.client._http import Connection, segment
from yinxin.client.attachments import Attachments, Progress
from yinxin.client.errors import IdentityNeeded
from yinxin.crypto import cms
from yinxin.documents import (
    Answer,
    DocumentOut,
    DossierOut,
    DraftIn,
    OrgansOut,
    SecrecyDecisionIn,
    SecrecyIn,
    Signable,
)
from yinxin.documents_beside import Countersigning, RecipientOut
from yinxin.manuscripts import (
    ComparisonOut,
    ComparisonQuery,
    KeepIn,
    KeptOut,
    ManuscriptOut,
    PreviewIn,
    PreviewOut,
    TemplateIn,
    TemplateOut,
    TemplatesOut,
    TemplateVersionOut,
    TemplateVersionsOut,
    TextIn,
    VersionOut,
    VersionsOut,
)
from yinxin.statement import Statement
from yinxin.uploads import AttachIn, AttachmentOut, AttachmentsOut

_ROOT = "/api/document/v1"
_PATH = f"{_ROOT}/documents"


class Documents:
    """Calls to the document application. What people sign is signed here, with the client's identity.

    Whatever changes a document raises Denied, NotFound (`flow.not_found`: it is not there, or not for this reader), `flow.wrong_state`, and
    `flow.moved_on` when somebody else was quicker; what is signed here IdentityNeeded, and `flow.stale_statement` when it changed in
    between. Rules of documents are `document.…`; each sentence says what to do.
    """

    def __init__(self, connection: Connection, files: Attachments) -> None:
        self._connection = connection
        self._files = files

    def draft(
        self,
        file: Path,
        *,
        reference: str,
        kind: str = "NOTICE",
        recipients: Sequence[str] = (),
        level: Level = "internal",
        copied_to: Sequence[str] = (),
        urgency: Literal["特急", "加急"] | None = None,
        skips: str | None = None,
        joint: Sequence[str] = (),
        consulted: Sequence[str] = (),
        secrecy: SecrecyIn | None = None,
    ) -> str:
        """Draft a document from the user's own file (text, Markdown or DOCX); its identifier.

        `recipients` are main recipients, `copied_to` copy recipients, `skips` is why an upward document passes over the organ right above.
        `secrecy` is the period and basis of a classified one. `joint` are organs of the same level that issue it too, `consulted` those that countersign and do not issue it.
        Drafting again under the same `reference` gives the same document.
        """
        body = DraftIn(
            reference=reference,
            kind=kind,
            recipients=tuple(recipients),
            level=level,
            copied_to=tuple(copied_to),
            urgency=urgency,
            skips=skips,
            joint=tuple(joint) or None,
            consulted=tuple(consulted) or None,
            secrecy=secrecy,
        )
        answer = self._connection.json(
            "POST",
            _PATH,
            data={"body": body.model_dump_json()},
            files={"content": (file.name, file.read_bytes(), "application/octet-stream")},
        )
        return str(answer["id"])

    def preview(self, asked: PreviewIn) -> PreviewOut:
        """A text as it will print: its pages as SVG, and what is to be said of it. Nothing is kept of it."""
        body = asked.model_dump(mode="json")
        return PreviewOut.model_validate(self._connection.json("POST", f"{_ROOT}/previews", json=body))

    def manuscript(self, document: str) -> ManuscriptOut:
        """The text of a draft to be edited: the manuscript that one has of it already, or a new one."""
        path = f"{_PATH}/{segment(document)}/manuscript"
        return ManuscriptOut.model_validate(self._connection.json("POST", path, json={}))

    def keep(self, manuscript: str, turn: int, text: TextIn) -> int:
        """Keep what was written from `turn`, as no version yet; the new turn.

        Where it was changed elsewhere since, that is a refusal (`document.manuscript_moved_on`), and nothing is overwritten.
        """
        body = KeepIn(turn=turn, text=text).model_dump(mode="json")
        path = f"{_ROOT}/manuscripts/{segment(manuscript)}"
        return KeptOut.model_validate(self._connection.json("PUT", path, json=body)).turn

    def save(self, manuscript: str, turn: int, text: TextIn) -> str:
        """Save a manuscript as a version of its document; the document's identifier.

        Where a newer version was saved meanwhile, that is a refusal (`document.text_moved_on`).
        """
        body = KeepIn(turn=turn, text=text).model_dump(mode="json")
        path = f"{_ROOT}/manuscripts/{segment(manuscript)}/version"
        return str(self._connection.json("POST", path, json=body)["id"])

    def discard(self, manuscript: str) -> None:
        """Give a manuscript up."""
        self._connection.json("DELETE", f"{_ROOT}/manuscripts/{segment(manuscript)}")

    def versions(self, document: str) -> list[VersionOut]:
        """The versions of the text of a document of one's own organ, the first one first."""
        path = f"{_PATH}/{segment(document)}/versions"
        return VersionsOut.model_validate(self._connection.json("GET", path)).items

    def compare(self, document: str, before: int | None = None, after: int | None = None) -> ComparisonOut:
        """Two versions of the text compared, by default the last two."""
        asked = ComparisonQuery(before=before, after=after).model_dump(exclude_none=True)
        path = f"{_PATH}/{segment(document)}/comparison"
        return ComparisonOut.model_validate(self._connection.json("GET", path, params=asked))

    def templates(self, *, retired: bool = False) -> list[TemplateOut]:
        """The templates of one's organ, those retired as well if asked for."""
        params = {"retired": "true"} if retired else {}
        answer = self._connection.json("GET", f"{_ROOT}/templates", params=params)
        return TemplatesOut.model_validate(answer).items

    def make_template(self, new: TemplateIn) -> str:
        """Make a template of one's organ; its identifier."""
        answer = self._connection.json("POST", f"{_ROOT}/templates", json=new.model_dump(mode="json"))
        return str(answer["id"])

    def change_template(self, template: str, new: TemplateIn) -> None:
        """Give a template a new version; the earlier ones stay."""
        path = f"{_ROOT}/templates/{segment(template)}/versions"
        self._connection.json("POST", path, json=new.model_dump(mode="json"))

    def template(self, template: str) -> list[TemplateVersionOut]:
        """The versions of a template, the first one first."""
        path = f"{_ROOT}/templates/{segment(template)}/versions"
        return TemplateVersionsOut.model_validate(self._connection.json("GET", path)).items

    def retire_template(self, template: str) -> None:
        """Offer a template no more."""
        self._connection.json("POST", f"{_ROOT}/templates/{segment(template)}/retirement", json={})

    def resume_template(self, template: str) -> None:
        """Offer a retired template again."""
        self._connection.json("POST", f"{_ROOT}/templates/{segment(template)}/resumption", json={})

    def attach(
        self, document: str, file: Path, *, name: str | None = None, progress: Progress | None = None
    ) -> AttachmentOut:
        """Send a file of any size and attach it to the draft: whoever signs the draft off signs its digests too."""
        body = AttachIn(upload=self._files.upload(file, name=name, progress=progress))
        path = f"{_PATH}/{segment(document)}/attachments"
        return AttachmentOut.model_validate(self._connection.json("POST", path, json=body.model_dump()))

    def detach(self, document: str, attachment: str) -> None:
        """Take a file off the draft."""
        self._connection.json("DELETE", f"{_PATH}/{segment(document)}/attachments/{segment(attachment)}")

    def attachments(self, document: str) -> list[AttachmentOut]:
        """The files of the document, in their order."""
        path = f"{_PATH}/{segment(document)}/attachments"
        return AttachmentsOut.model_validate(self._connection.json("GET", path)).items

    def fetch(self, document: str, attachment: AttachmentOut, file: Path) -> None:
        """Write a file of the document to `file`, held to its digests; goes on with what broke off."""
        path = f"{_PATH}/{segment(document)}/attachments/{segment(attachment.id)}"
        self._files.fetch(path, attachment, file)

    def name_countersigners(
        self, document: str, joint: Sequence[str] = (), consulted: Sequence[str] = ()
    ) -> None:
        """Name who issues the draft jointly, and who countersigns it without issuing it, in the place of those named before."""
        body = {"joint": list(joint), "consulted": list(consulted)}
        self._connection.json("POST", f"{_PATH}/{segment(document)}/countersigners", json=body)

    def submit(self, document: str) -> None:
        """Hand the draft in for review."""
        self._act(document, "submission")

    def approve(self, document: str, comment: str | None = None) -> None:
        """Find it in order, as reviewer."""
        self._act(document, "approval", comment=comment)

    def send_back(self, document: str, reason: str) -> None:
        """Send it back to its drafter."""
        self._act(document, "return-to-drafter", reason=reason)

    def sign_off(self, document: str) -> None:
        """Sign the content off with the identity's own key, as leader."""
        statement, signature = self._signed(document, "document.sign-off")
        self._act(document, "sign-off", statement=statement, signature=signature)

    def countersign(self, document: str) -> None:
        """Countersign the content with the identity's own key, as leader of a joint organ: it issues the document too."""
        self._sign(document, "document.countersign")

    def concur(self, document: str) -> None:
        """Countersign the content with the identity's own key, as leader of an organ that is consulted."""
        self._sign(document, "document.concur")

    def refuse_countersign(self, document: str, reason: str) -> None:
        """Do not countersign it: it goes back to its drafter."""
        self._act(document, "countersign-refusal", reason=reason)

    def urge_countersign(self, document: str) -> Sequence[str]:
        """Urge the organs that have not countersigned; those that were urged."""
        return self._copies(document, "countersign-urging", {})

    def number(self, document: str) -> str:
        """Give the next number and have the page laid out; the number."""
        answer = self._connection.json("POST", f"{_PATH}/{segment(document)}/number", json={})
        return str(answer["number"])

    def put_name_seal(self, document: str) -> None:
        """Put one's own name seal on an order that one has signed off, before it is numbered."""
        self._act(document, "name-seal")

    def seal(self, document: str) -> None:
        """Have the organ's seal put on, in both suites."""
        self._act(document, "seal")

    def dispatch(self, document: str) -> None:
        """Send it to its recipients."""
        self._act(document, "dispatch")

    def receive(self, document: str) -> None:
        """Sign for the copy of the identity's organ."""
        self._answer(document, "document.receive", None)

    def return_(self, document: str, reason: str) -> None:
        """Return the copy of the identity's organ, with a signed reason."""
        self._answer(document, "document.return", reason)

    def give_back(self, document: str) -> None:
        """Give the copy of the identity's organ back, which was recalled."""
        self._answer(document, "document.give-back", None)

    def urge(self, document: str, organs: Sequence[str] = ()) -> Sequence[str]:
        """Urge recipients that have not answered, all of them when none is named; those that were urged."""
        return self._copies(document, "urging", {"organs": list(organs)})

    def withdraw(self, document: str, reason: str, organs: Sequence[str] = ()) -> Sequence[str]:
        """Take back copies that nobody has signed for; the organs that have lost theirs."""
        return self._copies(document, "withdrawal", {"organs": list(organs), "reason": reason})

    def recall(self, document: str, reason: str, organs: Sequence[str] = ()) -> Sequence[str]:
        """Have copies given back that were signed for; the organs that are to."""
        return self._copies(document, "recall", {"organs": list(organs), "reason": reason})

    def redispatch(
        self,
        document: str,
        organs: Sequence[str] = (),
        *,
        below: str | None = None,
        level: str | None = None,
    ) -> Sequence[str]:
        """Pass a received document down to organs below one's own, or to all below one, of a level if it is given; those that had none."""
        return self._copies(document, "redispatch", {"organs": list(organs), "below": below, "level": level})

    def regrade(
        self,
        document: str,
        level: Literal["confidential", "secret", "top-secret"],
        period: SecrecyIn,
        reason: str,
    ) -> None:
        """Give a sealed document another level and period from today on, signed with the identity's own key, as leader of the issuing organ."""
        given = period.model_dump()
        self._decide(document, SecrecyDecisionIn(what="regrade", level=level, reason=reason, **given))

    def extend_secrecy(self, document: str, period: SecrecyIn, reason: str) -> None:
        """Give it a longer period, counted from where the first began, signed as `regrade`."""
        self._decide(document, SecrecyDecisionIn(what="extend", reason=reason, **period.model_dump()))

    def declassify(self, document: str, reason: str) -> None:
        """Decide that nothing is secret about it any more, signed as `regrade`; sites that have it are told."""
        self._decide(document, SecrecyDecisionIn(what="declassify", reason=reason))

    def print_copy(self, document: str, reader: str = "") -> bytes:
        """A print of a classified document (PDF) with the next copy number, which is recorded before it is drawn; `reader` is for whom."""
        path = f"{_PATH}/{segment(document)}/prints"
        return self._connection.send("POST", path, json={"reader": reader}).content

    def take_back_copy(self, document: str, number: int) -> None:
        """Note that a paper copy is back at the issuing organ (清退)."""
        self._act(document, f"numbered/{number}/taking-back")

    def destroy_copy(self, document: str, number: int, reason: str) -> None:
        """Destroy a paper copy, on the list or approval that `reason` names; somebody else confirms it."""
        self._act(document, f"numbered/{number}/destruction", reason=reason)

    def witness_destruction(self, document: str, number: int) -> None:
        """Confirm that a paper copy was destroyed before one's eyes."""
        self._act(document, f"numbered/{number}/witness")

    def evidence(self, document: str) -> bytes:
        """The evidence bundle (`.asice`); verify it with `yinxin.evidence.verify`, offline."""
        return self._connection.send("POST", f"{_PATH}/{segment(document)}/evidence", json={}).content

    def file(self, document: str, name: str) -> bytes:
        """A file of the document, such as `sealed.pdf`."""
        return self._connection.send("GET", f"{_PATH}/{segment(document)}/files/{segment(name)}").content

    def show(self, document: str) -> DossierOut:
        """The document with its timeline, copies and files."""
        return DossierOut.model_validate(self._connection.json("GET", f"{_PATH}/{segment(document)}"))

    def list(self, box: str = "todo", **query: str) -> Iterator[DocumentOut]:
        """Documents of a box: `todo`, `sent`, `received`, or `all` that may be read."""
        return (
            DocumentOut.model_validate(item) for item in self._connection.pages(_PATH, {"box": box, **query})
        )

    def recipients(
        self, level: Level = "internal", text: str = "", *, uncleared: bool = False
    ) -> Iterator[RecipientOut]:
        """Organs of other sites that a document of this level may be addressed to, with these words in their name or their site's.

        With `uncleared` those that are cleared below it as well, each with the reason why it cannot get it.
        """
        query = {"level": level, "text": text, **({"uncleared": "true"} if uncleared else {})}
        return (
            RecipientOut.model_validate(item)
            for item in self._connection.pages("/api/document/v1/recipients", query)
        )

    def statement(self, document: str, verb: Signable, reason: str | None = None) -> bytes:
        """The bytes of the statement that is due to be signed."""
        query = {} if reason is None else {"reason": reason}
        path = f"{_PATH}/{segment(document)}/statements/{segment(verb)}"
        return b64decode(self._connection.json("GET", path, params=query)["statement"])

    def _copies(self, document: str, act: str, body: Mapping[str, Any]) -> Sequence[str]:
        answer = self._connection.json("POST", f"{_PATH}/{segment(document)}/{act}", json=dict(body))
        return OrgansOut.model_validate(answer).organs

    def _decide(self, document: str, decision: SecrecyDecisionIn) -> None:
        path = f"{_PATH}/{segment(document)}/secrecy"
        body = decision.model_dump(mode="json")
        statement = b64decode(self._connection.json("POST", f"{path}/statement", json=body)["statement"])
        verb = Statement.decode(statement).type
        signature = self._signature(document, verb, statement)
        signed = {"statement": b64encode(statement).decode(), "signature": b64encode(signature).decode()}
        self._connection.json("POST", path, json=signed)

    def _sign(self, document: str, verb: Countersigning) -> None:
        statement, signature = self._signed(document, verb)
        self._act(document, f"countersignatures/{verb}", statement=statement, signature=signature)

    def _answer(self, document: str, verb: Answer, reason: str | None) -> None:
        statement, signature = self._signed(document, verb, reason)
        self._act(document, f"answers/{verb}", statement=statement, signature=signature, reason=reason)

    def _signed(self, document: str, verb: Signable, reason: str | None = None) -> tuple[str, str]:
        if self._connection.identity is None:
            raise IdentityNeeded
        statement = self.statement(document, verb, reason)
        signature = self._signature(document, verb, statement)
        return b64encode(statement).decode(), b64encode(signature).decode()

    def _signature(self, document: str, verb: str, statement: bytes) -> bytes:
        identity = self._connection.identity
        if identity is None:
            raise IdentityNeeded
        signing = identity.stating(verb, f"document:{document}")
        return cms.sign_detached(signing, statement, signed_at=self._connection.clock.now())

    def _act(self, document: str, act: str, **body: str | None) -> None:
        self._connection.json("POST", f"{_PATH}/{segment(document)}/{act}", json=body)
