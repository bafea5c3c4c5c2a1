"""Personal data in a record: a salted commitment in the leaf, salt and value beside it.

What is beside the leaf can be withheld from an extract, and erased (个人信息保护法 art. 47), and every proof of the leaf
holds as before. A commitment is the digest of 16 random octets and of entry, field and value, in each of the log's hash
functions; so it hides the value from whoever has not got the salt, fits no other field and no other entry, and both
worlds open it with their own algorithm. Each field has a salt of its own, so that opening or erasing one says nothing of
another. The reasoning stands in docs/audit/erasure.md.
"""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from yinxin import canonical
from yinxin.crypto.suite import INTL, SM, HashAlgorithm
from yinxin.errors import Untrue, YinxinError
from yinxin.randomness import Randomness
from yinxin.text import Text

#: the form of the block in an entry, and what every commitment begins with
FORMAT, CONTEXT = 1, "yinxin-personal@v1"
#: octets of a salt: it is what hides a value that can be guessed
SALT = 16
HASHES: tuple[HashAlgorithm, ...] = (INTL.hash, SM.hash)

#: every personal fact that a record may hold: its name and its words. A verb declares which of them its records have
FIELDS: Mapping[str, Text] = {
    "person_name": Text("姓名", "name of a person"),
    "contact": Text("联系方式", "contact data"),
    "identity_number": Text("证件号码", "identity number"),
    "network_address": Text("网络地址", "network address"),
    "file_name": Text("文件名", "name of a file"),
    "grounds": Text("理由", "grounds, in free text"),
    "note": Text("说明", "note, in free text"),
}


class PersonalInClear(YinxinError):
    """A personal fact on its way into a leaf as it is: a fault of our own code, stopped before it was recorded."""

    code = "record.personal_in_clear"
    zh = "程序试图把个人信息“{field}”以明文写入操作 {verb} 的审计记录，已阻止。"
    en = "Code tried to write the personal fact {field} of {verb} into the log in the clear; it was stopped."


class UndeclaredPersonal(YinxinError):
    """A personal fact that the vocabulary or the verb does not declare: a fault of our own code."""

    code = "record.undeclared_personal"
    zh = "操作 {verb} 没有声明个人信息“{field}”，记录已阻止。"
    en = "{verb} does not declare the personal fact {field}; the record was stopped."


class WrongOpening(Untrue):
    """A value that is not what the entry commits to: forged, another field's or another entry's."""

    code = "evidence.wrong_opening"
    zh = "记录 {entry} 的“{field}”与记录中的承诺不符：内容或盐被改动，或取自别的字段、别的记录；不可采信。"
    en = "The {field} given for entry {entry} is not what the entry commits to: value or salt was changed, or belongs to another field or entry; do not rely on it."


@dataclass(frozen=True, slots=True)
class Personal:
    """A personal fact, given to an act among its facts; `of` is the stable identifier of the person whose it is."""

    value: str
    of: str | None = None


@dataclass(frozen=True, slots=True)
class Opening:
    """What opens a commitment."""

    salt: bytes
    value: str

    def commitment(self, algorithm: HashAlgorithm, entry: str, name: str) -> bytes:
        """What the leaf of `entry` holds under `name`; raises NotCanonical for a value that is no text."""
        return algorithm.digest(self.salt + canonical.encode([CONTEXT, entry, name, self.value]))

    def verify(self, entry: str, name: str, committed: Mapping[str, Any]) -> None:
        """Hold it against what the leaf has for the field; raises WrongOpening."""
        fits = len(self.salt) == SALT and all(
            hmac.compare_digest(str(committed.get(each.name)), self.commitment(each, entry, name).hex())
            for each in HASHES
        )
        if not fits:
            raise WrongOpening(entry=entry, field=name)


@dataclass(frozen=True, slots=True)
class Salted:
    """A personal fact with the salt that hides it."""

    of: str | None
    opening: Opening

    def committed(self, entry: str, name: str) -> dict[str, str]:
        """What the leaf holds of it."""
        whose = {} if self.of is None else {"of": self.of}
        return whose | {each.name: self.opening.commitment(each, entry, name).hex() for each in HASHES}

    def fields(self) -> dict[str, str | None]:
        """What stands beside the leaf."""
        return {"of": self.of, "salt": self.opening.salt.hex(), "value": self.opening.value}

    @classmethod
    def of_fields(cls, fields: Mapping[str, Any]) -> Self:
        """Read what `fields` wrote; raises KeyError, TypeError or ValueError."""
        return cls(fields["of"], Opening(bytes.fromhex(fields["salt"]), fields["value"]))


def salted(
    verb: str,
    facts: Mapping[str, Any],
    randomness: Randomness,
    declared: Mapping[str, frozenset[str]] | None = None,
) -> tuple[Mapping[str, Any], dict[str, Salted]]:
    """The facts that go into the leaf as they are, and those that are personal, each under a fresh salt.

    `declared` says by verb which personal facts its records may have; None where nobody has said it. Raises
    PersonalInClear, UndeclaredPersonal.
    """
    _hold_clear(verb, facts)
    personal = {name: each for name, each in facts.items() if type(each) is Personal}
    if not personal:
        return facts, {}
    allowed = FIELDS.keys() if declared is None else declared.get(verb, frozenset())
    for name in personal:
        if name not in allowed or name not in FIELDS:
            raise UndeclaredPersonal(verb=verb, field=name)
    salts = randomness.token(SALT * len(personal))
    made = {
        name: Salted(each.of, Opening(salts[SALT * at : SALT * (at + 1)], each.value))
        for at, (name, each) in enumerate(personal.items())
    }
    return {name: each for name, each in facts.items() if name not in personal}, made


def _hold_clear(verb: str, facts: Mapping[str, Any]) -> None:
    for name, value in facts.items():
        if name in FIELDS and type(value) is not Personal:
            raise PersonalInClear(verb=verb, field=name)
        if type(value) is dict:
            _hold_clear(verb, {key: each for key, each in value.items() if type(each) is not Personal})
        elif type(value) is list:
            _hold_clear(verb, {str(at): each for at, each in enumerate(value) if type(each) is dict})


def committed_in(event: Mapping[str, Any]) -> Mapping[str, Mapping[str, Any]]:
    """The fields to which an entry's event commits, by name; none in entries from before there were any.

    Raises KeyError or TypeError for a block of another form.
    """
    block = event.get("personal")
    if block is None:
        return {}
    if block["v"] != FORMAT:
        raise TypeError(f"personal facts of form {block['v']}")
    fields: Mapping[str, Mapping[str, Any]] = block["fields"]
    return fields
