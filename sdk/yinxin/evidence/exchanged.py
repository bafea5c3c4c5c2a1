"""A message between two sites, as evidence: what one signed and sent, what the other signed that it received.

The container is ASiC-E with CAdES: the message's header, the roll that its sender signed and that lists it by digest, the receiver's
signed receipt with the line about it, and what shows both good; over all of it the signature of the site that exported it. Of other
messages that went under the same signatures there are digests alone. What the message says is not in it: its parts are named by
digest, sealed as they travelled.

Of a message that was signed before there were rolls, the headers after it are there up to the one that was signed, and of a receipt
of that time all its lines.
"""

from base64 import b64decode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from yinxin import canonical
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.status import CertificateList
from yinxin.crypto.suite import suite
from yinxin.errors import YinxinError
from yinxin.evidence import container
from yinxin.evidence.errors import EvidenceMismatch, MalformedEvidence
from yinxin.evidence.signatures import Signed, Surroundings, check
from yinxin.evidence.trust import Trust
from yinxin.text import Text

DESCRIPTOR = "message.json"
#: of containers: with the headers up to the signed one, or with a roll
CHAINED, ROLLED = 1, 2
#: of a receipt whose lines are signed by digest
_BLINDED = 2


@dataclass(frozen=True, slots=True)
class SignedPart:
    """A signature over something in the container (detached CMS, timestamped), and what it is checked with, canonical JSON."""

    cms: bytes
    standing: bytes


@dataclass(frozen=True, slots=True)
class ExchangedMessage:
    """The parts of the evidence; `standing` is the exporter's.

    `headers` is the message's own; without a `roll`, which was signed then, those after it up to the signed one too. `line` is what a
    receipt says of it, where the receipt itself has only digests of its lines.
    """

    id: str
    headers: Sequence[bytes]
    signature: SignedPart
    receipt: bytes
    receipted: SignedPart
    standing: bytes
    roll: bytes | None = None
    line: bytes | None = None

    def files(self) -> dict[str, bytes]:
        """The files of the container, the descriptor among them."""
        if self.roll is None:
            body: dict[str, Any] = {"v": CHAINED, "id": self.id, "headers": len(self.headers)}
            said = {f"headers/{number:03}.json": each for number, each in enumerate(self.headers, 1)}
        else:
            body = {"v": ROLLED, "id": self.id}
            said = {"header.json": b"".join(self.headers), "roll.json": self.roll}
        name = "headers" if self.roll is None else "roll"
        return {
            DESCRIPTOR: canonical.encode(body),
            **said,
            f"{name}.p7s": self.signature.cms,
            f"{name}.standing": self.signature.standing,
            "receipt.json": self.receipt,
            **({} if self.line is None else {"receipt.line.json": self.line}),
            "receipt.p7s": self.receipted.cms,
            "receipt.standing": self.receipted.standing,
            "export.standing": self.standing,
        }

    @classmethod
    def of(cls, files: Mapping[str, bytes]) -> Self:
        """Read the files of a container; raises MalformedEvidence when a part is missing or one too many is there."""
        try:
            body = canonical.decode(files[DESCRIPTOR])
            rolled = body["v"] == ROLLED
            names = (
                ["header.json"]
                if rolled
                else [f"headers/{number:03}.json" for number in range(1, body["headers"] + 1)]
            )
            name = "roll" if rolled else "headers"
            read = cls(
                id=body["id"],
                headers=[files[each] for each in names],
                signature=SignedPart(files[f"{name}.p7s"], files[f"{name}.standing"]),
                receipt=files["receipt.json"],
                receipted=SignedPart(files["receipt.p7s"], files["receipt.standing"]),
                standing=files["export.standing"],
                roll=files["roll.json"] if rolled else None,
                line=files.get("receipt.line.json"),
            )
        except (KeyError, TypeError, ValueError, YinxinError) as error:
            raise MalformedEvidence(reason=f"{error} is missing") from error
        if read.files() != dict(files) or not read.headers:
            raise MalformedEvidence(reason="a file too many, or another descriptor")
        return read

    def to_sign(self) -> bytes:
        """The manifest that the exporter's signature covers."""
        return container.manifest(self.files())

    def pack(self, signature: bytes) -> bytes:
        """The container, given the detached CMS signature over `to_sign`."""
        return container.pack(self.files(), signature)

    def verify(self, manifest: bytes, signature: bytes, trust: Trust, held: list[Text]) -> None:
        """Add a sentence for each thing that holds; raises what does not."""
        exporter = proved(SignedPart(signature, self.standing), manifest, trust)
        of_site(exporter, _site(exporter), "the site that exported it / 导出的站点")
        held.append(
            Text(
                f"证据包完整：{len(self.files())} 个文件与清单一致，清单由站点 {_site(exporter)} 于 {_when(exporter)} 签名",
                f"The bundle is whole: {len(self.files())} files match the manifest signed by the site {_site(exporter)} at {_when(exporter)}",
            )
        )
        said, others = self._header()
        sender = proved(self.signature, self.headers[-1] if self.roll is None else self.roll, trust)
        of_site(sender, said["from"], "the site that signed the message / 签署消息的站点")
        held.append(
            Text(
                f"站点 {said['from']} 于 {_when(sender)} 前签署了发往 {said['to']} 的第 {said['seq']} 号消息：{said['sender']} 致 {said['recipient']}，"
                f"{said['kind']}，{said['object']}，密级 {said['grade']}；当时证书有效",
                f"The site {said['from']} signed its message {said['seq']} to {said['to']} by {_when(sender)}: {said['sender']} to {said['recipient']}, "
                f"{said['kind']}, {said['object']}, graded {said['grade']}; the certificate was good then",
            )
        )
        if others:
            held.append(
                Text(
                    f"同一签名下另有 {others} 条消息，本证据包中只有其摘要",
                    f"Under the same signature there are {others} other messages, of which this bundle has digests alone",
                )
            )
        self._receipt(said, trust, held)

    def _header(self) -> tuple[dict[str, Any], int]:
        """The message's header, which the signature covers, and how many others it covers unseen; raises EvidenceMismatch."""
        said, others = (self._chained(), 0) if self.roll is None else self._rolled(self.roll)
        if said["id"] != self.id:
            raise EvidenceMismatch(what=Text("消息的标识", "the identifier of the message"))
        return said, others

    def _rolled(self, encoded: bytes) -> tuple[dict[str, Any], int]:
        """The header, which the roll lists under its number."""
        try:
            said, roll = _named(canonical.decode(self.headers[0])), canonical.decode(encoded)
            digest = suite(said["suite"]).hash.digest(self.headers[0]).hex()
            sites = [roll["from"], roll["to"]] == [said["from"], said["to"]]
            listed = sites and roll["v"] == ROLLED and _at(roll["headers"], said["seq"] - roll["first"])
            others = len(roll["headers"]) - 1
        except (KeyError, TypeError, ValueError, YinxinError) as error:
            raise EvidenceMismatch(
                what=Text("消息头或清单的格式", "the form of the header or of the roll")
            ) from error
        if listed != digest:
            raise EvidenceMismatch(
                what=Text("签名所覆盖的消息清单", "the roll of the messages that the signature covers")
            )
        return said, others

    def _chained(self) -> dict[str, Any]:
        """The header, chained to the one that was signed."""
        try:
            read = [canonical.decode(each) for each in self.headers]
            hashes = [suite(each["suite"]).hash for each in read]
            chained = all(
                after["seq"] == before["seq"] + 1
                and (after["from"], after["to"]) == (before["from"], before["to"])
                and after["previous"] == hash_.digest(data).hex()
                for before, after, hash_, data in zip(read, read[1:], hashes, self.headers, strict=False)
            )
            first = _named(read[0])
        except (KeyError, TypeError, ValueError, YinxinError) as error:
            raise EvidenceMismatch(what=Text("消息头的格式", "the form of the headers")) from error
        if not chained:
            raise EvidenceMismatch(what=Text("消息头的哈希链", "the chain of the headers"))
        return first

    def _receipt(self, said: Mapping[str, Any], trust: Trust, held: list[Text]) -> None:
        try:
            body = canonical.decode(self.receipt)
            digest = suite(said["suite"]).hash.digest(self.headers[0]).hex()
            line = self._line(body, said["seq"])
            fits = (body["site"], body["peer"], line["digest"]) == (said["to"], said["from"], digest)
            error = line.get("error")
        except EvidenceMismatch:
            raise
        except (KeyError, TypeError, ValueError, StopIteration, YinxinError) as problem:
            raise EvidenceMismatch(what=Text("回执的格式", "the form of the receipt")) from problem
        if not fits:
            raise EvidenceMismatch(what=Text("回执所载的消息", "the message that the receipt names"))
        receiver = proved(self.receipted, self.receipt, trust)
        of_site(receiver, said["to"], "the site that signed the receipt / 签署回执的站点")
        zh, en = (f"拒收（{error}）", f"refused it ({error})") if error else ("收到该消息", "received it")
        held.append(
            Text(
                f"站点 {said['to']} 于 {_when(receiver)} 签名确认{zh}；当时证书有效",
                f"The site {said['to']} signed at {_when(receiver)} that it {en}; the certificate was good then",
            )
        )

    def _line(self, receipt: Mapping[str, Any], seq: int) -> Mapping[str, Any]:
        """What the receipt says of the message under this number; raises EvidenceMismatch of a line that it does not have there."""
        if self.line is None:
            lines: Sequence[Mapping[str, Any]] = receipt["messages"]
            return next(each for each in lines if each["seq"] == seq)
        said: Mapping[str, Any] = canonical.decode(self.line)
        digest = suite(receipt["suite"]).hash.digest(self.line).hex()
        signed = _at(receipt["messages"], seq - receipt["first"]) if receipt["v"] == _BLINDED else None
        if said["seq"] != seq or signed != digest:
            raise EvidenceMismatch(
                what=Text("回执中关于该消息的一行", "the line of the receipt about the message")
            )
        return said


def _named(header: Mapping[str, Any]) -> dict[str, Any]:
    """A header's fields; raises KeyError when one is missing that is told."""
    told = ("from", "to", "seq", "id", "sender", "recipient", "kind", "object", "grade")
    return dict(header) | {name: header[name] for name in told}


def _at(digests: Sequence[Any], place: int) -> Any:
    """The digest at a place from 0 on; None where there is none."""
    return digests[place] if 0 <= place < len(digests) else None


def proved(part: SignedPart, content: bytes, trust: Trust) -> Signed:
    """Whose signature over `content` it is, and since when it is proved; raises MalformedEvidence, and what does not hold."""
    try:
        body = canonical.decode(part.standing)
        certificates, crls, ocsps = (
            [b64decode(each, validate=True) for each in body[name]]
            for name in ("certificates", "crls", "ocsps")
        )
    except (KeyError, TypeError, ValueError, YinxinError) as error:
        raise MalformedEvidence(reason="standing") from error
    around = Surroundings(
        trust, tuple(map(Certificate.load, certificates)), tuple(map(CertificateList.load, crls))
    )
    return check(part.cms, content, around, ocsps)


def _site(signed: Signed) -> str:
    return signed.certificate.subject.get("commonName") or "-"


def of_site(signed: Signed, site: object, what: str) -> None:
    """Raise EvidenceMismatch of `what` unless the certificate is that site's own, by its name.

    A person's never is, nor an organ's seal, whose name may read like a site's.
    """
    certificate = signed.certificate
    usages, organ = certificate.extended_key_usage, certificate.subject.get("organizationIdentifier")
    if _site(signed) != site or set(usages or ()) != {"documentSigning"} or organ:
        raise EvidenceMismatch(what=what)


def _when(signed: Signed) -> str:
    return signed.at.strftime("%Y-%m-%d %H:%M:%SZ")
