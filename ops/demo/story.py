"""The main job: one official document, from a user's own file to a proof that a stranger checks offline.

Each stage is done by a demo person with her own certificate, over the same API that departments use. A stage that is
done already is passed over, so a run that was cut off is finished by running again.
"""

import hashlib
import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ops.accounts import Account, enrol
from ops.acting import acting_person
from ops.demo.application import applied
from ops.demo.found import directory_file
from yinxin.client import Client
from yinxin.errors import Untrue, YinxinError
from yinxin.files import replace
from yinxin.text import Text

if TYPE_CHECKING:
    from ops.platform import Platform

SAMPLE = Path(__file__).parents[2] / "apps" / "document" / "layout" / "samples" / "notice.md"
RECIPIENTS = ("city-jia", "city-yi", "county-zi", "dept-finance", "dept-health")
#: the recipient that returns its copy, and why
RETURNS = "dept-health"
REASON = "附件所列检查表与本系统职责不符，请核对后重发"
LEADER = "demo-leader"


class Unproved(Untrue):
    """The demo promised something that did not come true."""

    code = "ops.demo_unproved"
    exit = 70
    zh = "演示没有得到应有的结果：{file}（{reason}）；请把这段输出报告给开发者。"
    en = "The demo did not come out as it must: {file} ({reason}); report this output to the developers."


@dataclass
class Outcome:
    """What came of it."""

    document: str
    number: str = ""
    title: str = ""
    files: dict[str, Path] = field(default_factory=dict)
    refused: dict[str, Text] = field(default_factory=dict)
    held: list[Text] = field(default_factory=list)


Stage = Callable[[Text], None]


class Story:
    """The job on one file, sent to `recipients`, each of which has a registrar among the demo people."""

    def __init__(
        self,
        platform: "Platform",
        file: Path,
        kind: str,
        stage: Stage,
        recipients: tuple[str, ...] = RECIPIENTS,
    ) -> None:
        self._platform = platform
        self._file = file
        self._kind = kind
        self._stage = stage
        self._recipients = recipients
        self._clients: dict[str, Client] = {}
        self._reference = f"demo:{hashlib.sha256(file.read_bytes()).hexdigest()[:24]}:{kind}"

    def run(self) -> Outcome:
        """Do what is still to be done, and tell what came of it."""
        self._stage(
            Text("起草：读入文件并按文种核对规则", "draft: read the file, check the rules of its kind")
        )
        clerk = self._as("demo-clerk")
        document = clerk.documents.draft(
            self._file, reference=self._reference, kind=self._kind, recipients=self._recipients
        )
        outcome = Outcome(document)
        self._decide(document)
        self._send(document)
        self._receive(document)
        self._collect(outcome)
        self._verify(outcome)
        self._revoke(outcome)
        return outcome

    def _decide(self, document: str) -> None:
        if self._state(document) == "draft":
            self._stage(Text("送审", "submit for review"))
            clerk = self._as("demo-clerk")
            clerk.documents.submit(document)
        if self._state(document) == "in_review":
            self._stage(Text("核稿", "review"))
            reviewer = self._as("demo-reviewer")
            reviewer.documents.approve(document, "内容属实，格式规范")
        if self._state(document) == "reviewed":
            self._stage(Text("签发：办公厅主任以本岗位签名", "sign-off: the director signs, as her post"))
            leader = self._as(LEADER)
            leader.documents.sign_off(document)

    def _send(self, document: str) -> None:
        if self._state(document) == "signed_off":
            self._stage(Text("编号并按 GB/T 9704 排版", "number, and lay out by GB/T 9704"))
            registrar = self._as("demo-registrar")
            registrar.documents.number(document)
        if self._state(document) in ("numbered", "sealing"):
            self._stage(
                Text("用印：密码机内的密钥，PAdES B-LTA 与 SM2 双印", "seal: HSM keys, PAdES B-LTA and SM2")
            )
            keeper = self._as("demo-seal")
            keeper.documents.seal(document)
        if self._state(document) == "sealed":
            self._stage(
                Text(f"发往 {len(self._recipients)} 个机关", f"dispatch to {len(self._recipients)} organs")
            )
            registrar = self._as("demo-registrar")
            registrar.documents.dispatch(document)

    def _receive(self, document: str) -> None:
        self._stage(Text("各机关签收，一家退回并说明理由", "receipts; one organ returns it with a reason"))
        registrar = self._as("demo-registrar")
        waiting = [
            copy.organ for copy in registrar.documents.show(document).copies if copy.state == "delivered"
        ]
        for organ in waiting:
            receiver = self._as(f"{organ}-registrar")
            if organ == RETURNS:
                receiver.documents.return_(document, REASON)
            else:
                receiver.documents.receive(document)

    def _collect(self, outcome: Outcome) -> None:
        self._stage(Text("导出证据包", "export the evidence bundle"))
        registrar = self._as("demo-registrar")
        shown = registrar.documents.show(outcome.document).document
        outcome.number, outcome.title = shown.number or "", shown.title
        folder = self._platform.data.path("artifacts")
        name = outcome.number or outcome.document
        files = {
            "sealed": (folder / f"{name}.pdf", registrar.documents.file(outcome.document, "sealed.pdf")),
            "sealed_sm": (
                folder / f"{name}.pdf.sm.p7s",
                registrar.documents.file(outcome.document, "sealed.sm.p7s"),
            ),
            "sealed_ofd": (folder / f"{name}.ofd", registrar.documents.file(outcome.document, "sealed.ofd")),
            "evidence": (folder / f"{name}.asice", registrar.documents.evidence(outcome.document)),
        }
        for kind, (path, data) in files.items():
            replace(path, data)
            outcome.files[kind] = path

    def _verify(self, outcome: Outcome) -> None:
        """In another process, with no server and no database: only the file and the trust folder."""
        self._stage(Text("由另一进程离线核验", "verified offline, in another process"))
        outcome.held = [
            Text(**each) for each in self._stranger(outcome.files["evidence"], holds=True)["held"]
        ]
        self._stage(Text("改动一个字节的副本必须被拒绝", "a copy with one changed byte must be refused"))
        data = bytearray(outcome.files["evidence"].read_bytes())
        data[len(data) // 2] ^= 1
        changed = outcome.files["evidence"].with_suffix(".changed.asice")
        replace(changed, bytes(data))
        outcome.files["changed"] = changed
        refusal = self._stranger(changed, holds=False)
        outcome.refused["changed"] = Text(refusal["zh"], refusal["en"])

    def _stranger(self, file: Path, *, holds: bool) -> Mapping[str, Any]:
        trust = self._platform.data.path("trust")
        command = (
            sys.executable,
            "-I",
            "-X",
            "utf8",
            "-m",
            "ops.cli",
            "verify",
            file,
            "--trust",
            trust,
            "--json",
        )
        done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=False)
        try:
            answer: Mapping[str, Any] = json.loads(done.stdout)
        except ValueError as error:
            raise Unproved(file=file.name, reason=done.stderr[-500:] or "no answer") from error
        if answer["holds"] is not holds or (done.returncode == 0) is not holds:
            raise Unproved(file=file.name, reason=str(answer.get("en", "it was accepted")))
        return answer

    def _revoke(self, outcome: Outcome) -> None:
        """The leader's certificate is revoked: nothing new is signed with it, and what was signed still holds.

        Whether that is done is read from the register itself: nothing else survives a kill in between.
        """
        account = Account.of(self._platform.data, LEADER, "intl")
        certificate = account.identity().certificate
        mark = self._platform.data.path("run", f"{LEADER}.revoked")
        officer = acting_person(self._platform, None, None)
        if not mark.exists():
            self._stage(
                Text(
                    "撤销签发人的证书：新的签名被拒绝，旧的仍然有效",
                    "revoke the leader's certificate: a new signature is refused, the old one holds",
                )
            )
            leader = self._as(LEADER)
            if not self._platform.ca.checker.revoked(certificate.fingerprint):
                leader.authz.whoami()
                self._platform.ca.revoke(officer, f"{certificate.serial:x}", "superseded")
            outcome.refused["session"] = self._refusal(lambda: leader.documents.sign_off(outcome.document))
            outcome.refused["sign_in"] = self._refusal(leader.sign_in)
            self._stranger(outcome.files["evidence"], holds=True)
            replace(mark, b"")
        revoked = self._platform.ca.checker.revoked(certificate.fingerprint)
        if revoked:
            self._stage(
                Text(
                    "签发人申请新证书，由两名安全管理员核验、批准",
                    "a new certificate for the leader: she applies, two officers vet and approve",
                )
            )
        post = next(each.post for each in directory_file().appointments if each.person == LEADER)
        enrol(self._platform, account, post, officer=officer, renew=revoked, way=applied)

    def _refusal(self, act: Callable[[], object]) -> Text:
        try:
            act()
        except YinxinError as error:
            return Text(error.text("zh"), error.text("en"))
        raise Unproved(file=LEADER, reason=Text("已撤销的证书被接受", "a revoked certificate was accepted"))

    def _state(self, document: str) -> str:
        registrar = self._as("demo-registrar")
        return registrar.documents.show(document).document.state

    def _as(self, person: str) -> Client:
        """A client with the person's own certificate; each signs in once, as at a desk."""
        if person not in self._clients:
            identity = Account.of(self._platform.data, person, "intl").identity()
            self._clients[person] = self._platform.client(identity)
        return self._clients[person]
