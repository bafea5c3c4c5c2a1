"""Attached files: the content signed off names them by digest, and whoever has one can hold it against that."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from yinxin.crypto.suite import INTL, SM
from yinxin.evidence.errors import EvidenceMismatch
from yinxin.evidence.judged import NotJudged
from yinxin.text import Text

_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Attached:
    """A file that a reader has beside the evidence: its name there, and its digests (hexadecimal)."""

    name: str
    sha256: str
    sm3: str

    @classmethod
    def of(cls, file: Path) -> Self:
        """The file of that name, read piece by piece; raises OSError."""
        sha256, sm3 = INTL.hash.running(), SM.hash.running()
        with file.open("rb") as stream:
            while data := stream.read(_CHUNK):
                sha256.update(data)
                sm3.update(data)
        return cls(file.name, sha256.digest().hex(), sm3.digest().hex())


def hold(named: Sequence[Mapping[str, Any]], brought: Sequence[Attached], held: list[Text]) -> None:
    """Tell of each file that is named whether it was brought, unchanged; raises EvidenceMismatch for one that is not named."""
    by_digest = {(each.sha256, each.sm3): each for each in brought}
    signed = {(str(each["sha256"]), str(each["sm3"])): str(each["name"]) for each in named}
    for digests, each in by_digest.items():
        if digests not in signed:
            raise EvidenceMismatch(
                what=f"{each.name} is none of the files that were signed / 不是所签发的附件: {each.sha256}"
            )
    for digests, name in signed.items():
        if digests in by_digest:
            held.append(
                Text(
                    f"附件“{name}”与签发内容所载的 SHA-256 和 SM3 摘要一致，未被改动",
                    f"The attached file “{name}” has the SHA-256 and SM3 that the content signed off names: it is unchanged",
                )
            )
        else:
            held.append(
                NotJudged(
                    f"签发内容还载有附件“{name}”（SHA-256 {digests[0]}）；没有提供该文件，未作核对",
                    f"The content signed off names another file, “{name}” (SHA-256 {digests[0]}); it was not given and not checked",
                )
            )
