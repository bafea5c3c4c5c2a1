"""The signed act: what a person declares, in canonical bytes that she signs with her own certificate.

A statement names the act, what it is done to, the signer as person, post and organ, the time, and the digests of what
she saw. The platform writes it, the signer's side signs exactly those bytes (a detached CMS signature), and anyone
can check both later without the platform.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from yinxin import canonical
from yinxin.act import Actor
from yinxin.clock import parse_rfc3339, rfc3339
from yinxin.errors import Invalid
from yinxin.text import Text

FORMAT = 1


class MalformedStatement(Invalid):
    """Bytes that are no statement."""

    code = "statement.malformed"
    zh = "不是有效的签署声明（{reason}）；请重新取得待签内容。"
    en = "Not a valid statement ({reason}); fetch the statement to sign again."


@dataclass(frozen=True, slots=True)
class Statement:
    """A declaration to be signed. `type` is the verb (`document.sign-off`); `content` what it is about, digests included."""

    type: str
    subject: str
    person: str
    post: str
    organ: str
    at: datetime
    content: Mapping[str, Any]

    @classmethod
    def of(cls, actor: Actor, type: str, subject: str, at: datetime, content: Mapping[str, Any]) -> Self:  # noqa: A002 - the field's name
        """The statement of a person acting in a post."""
        if actor.post is None or actor.organ is None:
            raise MalformedStatement(
                reason=Text("签署人须在某机关的岗位上", "a signer acts in a post of an organ")
            )
        return cls(type, subject, actor.id, actor.post, actor.organ, at, dict(content))

    def encode(self) -> bytes:
        """The canonical bytes that are signed."""
        return canonical.encode(
            {
                "v": FORMAT,
                "type": self.type,
                "subject": self.subject,
                "person": self.person,
                "post": self.post,
                "organ": self.organ,
                "at": rfc3339(self.at),
                "content": dict(self.content),
            }
        )

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Read a statement back; raises MalformedStatement or NotCanonical."""
        body = canonical.decode(data)
        names = {"v", "type", "subject", "person", "post", "organ", "at", "content"}
        if not isinstance(body, dict) or set(body) != names or body["v"] != FORMAT:
            raise MalformedStatement(reason=Text("字段与声明不符", "other fields than a statement has"))
        texts = {name: body[name] for name in ("type", "subject", "person", "post", "organ", "at")}
        if not all(isinstance(value, str) for value in texts.values()) or not isinstance(
            body["content"], dict
        ):
            raise MalformedStatement(reason=Text("有字段类型不对", "a field of the wrong type"))
        return cls(at=parse_rfc3339(texts.pop("at")), content=body["content"], **texts)
