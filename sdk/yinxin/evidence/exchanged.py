"""A message between two sites, as evidence: what one signed and sent, what the other signed that it received.

The container is ASiC-E with CAdES: the message's header, those after it up to the one that was signed, the sender's signature over
that one, the receiver's signed receipt, and what shows both good; over all of it the signature of the site that exported it. What
the message says is not in it: its parts are named by digest, sealed as they travelled.
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
FORMAT = 1


@dataclass(frozen=True, slots=True)
class SignedPart:
    """A signature over something in the container (detached CMS, timestamped), and what it is checked with, canonical JSON."""

    cms: bytes
    standing: bytes


@dataclass(frozen=True, slots=True)
class ExchangedMessage:
    """The parts of the evidence. `headers` begin with the message's own and end with the signed one; `standing` is the exporter's."""

    id: str
    headers: Sequence[bytes]
    signature: SignedPart
    receipt: bytes
    receipted: SignedPart
    standing: bytes

    def files(self) -> dict[str, bytes]:
        """The files of the container, the descriptor among them."""
        body = {"v": FORMAT, "id": self.id, "headers": len(self.headers)}
        return {
            DESCRIPTOR: canonical.encode(body),
            **{f"headers/{number:03}.json": each for number, each in enumerate(self.headers, 1)},
            "headers.p7s": self.signature.cms,
            "headers.standing": self.signature.standing,
            "receipt.json": self.receipt,
            "receipt.p7s": self.receipted.cms,
            "receipt.standing": self.receipted.standing,
            "export.standing": self.standing,
        }

    @classmethod
    def of(cls, files: Mapping[str, bytes]) -> Self:
        """Read the files of a container; raises MalformedEvidence when a part is missing or one too many is there."""
        try:
            body = canonical.decode(files[DESCRIPTOR])
            read = cls(
                id=body["id"],
                headers=[files[f"headers/{number:03}.json"] for number in range(1, body["headers"] + 1)],
                signature=SignedPart(files["headers.p7s"], files["headers.standing"]),
                receipt=files["receipt.json"],
                receipted=SignedPart(files["receipt.p7s"], files["receipt.standing"]),
                standing=files["export.standing"],
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
        said = self._header()
        sender = proved(self.signature, self.headers[-1], trust)
        of_site(sender, said["from"], "the site that signed the message / 签署消息的站点")
        held.append(
            Text(
                f"站点 {said['from']} 于 {_when(sender)} 前签署了发往 {said['to']} 的第 {said['seq']} 号消息：{said['sender']} 致 {said['recipient']}，"
                f"{said['kind']}，{said['object']}，密级 {said['grade']}；当时证书有效",
                f"The site {said['from']} signed its message {said['seq']} to {said['to']} by {_when(sender)}: {said['sender']} to {said['recipient']}, "
                f"{said['kind']}, {said['object']}, graded {said['grade']}; the certificate was good then",
            )
        )
        self._receipt(said, trust, held)

    def _header(self) -> dict[str, Any]:
        """The message's header, chained to the one that was signed; raises EvidenceMismatch."""
        try:
            read = [canonical.decode(each) for each in self.headers]
            hashes = [suite(each["suite"]).hash for each in read]
            chained = all(
                after["seq"] == before["seq"] + 1
                and (after["from"], after["to"]) == (before["from"], before["to"])
                and after["previous"] == hash_.digest(data).hex()
                for before, after, hash_, data in zip(read, read[1:], hashes, self.headers, strict=False)
            )
            first: dict[str, Any] = read[0]
            named = first["id"] == self.id
        except (KeyError, TypeError, ValueError, YinxinError) as error:
            raise EvidenceMismatch(what=Text("消息头的格式", "the form of the headers")) from error
        if not chained:
            raise EvidenceMismatch(what=Text("消息头的哈希链", "the chain of the headers"))
        if not named:
            raise EvidenceMismatch(what=Text("消息的标识", "the identifier of the message"))
        return first

    def _receipt(self, said: Mapping[str, Any], trust: Trust, held: list[Text]) -> None:
        try:
            body = canonical.decode(self.receipt)
            digest = suite(said["suite"]).hash.digest(self.headers[0]).hex()
            line = next(each for each in body["messages"] if each["seq"] == said["seq"])
            fits = (body["site"], body["peer"], line["digest"]) == (said["to"], said["from"], digest)
            error = line.get("error")
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
