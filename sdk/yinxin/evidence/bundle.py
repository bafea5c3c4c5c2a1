"""What lies in an evidence bundle and where: the descriptor that ties the parts together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from yinxin import canonical
from yinxin.evidence import container
from yinxin.evidence.errors import MalformedEvidence

DESCRIPTOR = "evidence.json"
FORMAT = 1


@dataclass(frozen=True, slots=True)
class SignedAct:
    """A statement, its CMS signature, and the OCSP answer for the signer's certificate, as they were at the time."""

    statement: bytes
    cms: bytes
    ocsp: bytes


@dataclass(frozen=True, slots=True)
class Bundle:
    """The evidence for one object.

    `sealed` is the sealed PDF and `sealed_sm` the detached SM2 signature over it; `acts` what people signed about it;
    `proofs` the log's proofs of what was recorded; `certificates` and `crls` what a path needs, in DER.
    """

    subject: str
    sealed: bytes
    sealed_sm: bytes
    acts: Sequence[SignedAct]
    proofs: Sequence[bytes]
    certificates: Sequence[bytes]
    crls: Sequence[bytes]
    facts: Mapping[str, Any] = field(default_factory=dict)

    def files(self) -> dict[str, bytes]:
        """The files of the container, the descriptor among them."""
        files = {"document.pdf": self.sealed, "document.sm.p7s": self.sealed_sm}
        for number, act in enumerate(self.acts, 1):
            files |= {
                f"acts/{number:02}.json": act.statement,
                f"acts/{number:02}.p7s": act.cms,
                f"acts/{number:02}.ocsp": act.ocsp,
            }
        files |= _numbered("log", "tlog-proof", self.proofs)
        files |= _numbered("certificates", "cer", self.certificates)
        files |= _numbered("revocation", "crl", self.crls)
        counts = {"acts": len(self.acts), "log": len(self.proofs)}
        counts |= {"certificates": len(self.certificates), "revocation": len(self.crls)}
        body = {"v": FORMAT, "subject": self.subject, "facts": dict(self.facts), "counts": counts}
        return files | {DESCRIPTOR: canonical.encode(body)}

    @classmethod
    def of(cls, files: Mapping[str, bytes]) -> Self:
        """Read the files of a container; raises MalformedEvidence when a part is missing or one too many is there."""
        try:
            body = canonical.decode(files[DESCRIPTOR])
            counts = body["counts"]
            bundle = cls(
                subject=body["subject"],
                sealed=files["document.pdf"],
                sealed_sm=files["document.sm.p7s"],
                acts=[
                    SignedAct(*(files[f"acts/{number:02}.{kind}"] for kind in ("json", "p7s", "ocsp")))
                    for number in range(1, counts["acts"] + 1)
                ],
                proofs=_read(files, "log", "tlog-proof", counts["log"]),
                certificates=_read(files, "certificates", "cer", counts["certificates"]),
                crls=_read(files, "revocation", "crl", counts["revocation"]),
                facts=dict(body["facts"]),
            )
            written = bundle.files()
        except (KeyError, TypeError, ValueError) as error:
            raise MalformedEvidence(reason=f"{error} is missing") from error
        if written != dict(files):
            raise MalformedEvidence(reason="a file too many, or another descriptor")
        return bundle


def _numbered(folder: str, ending: str, items: Sequence[bytes]) -> dict[str, bytes]:
    return {f"{folder}/{number:02}.{ending}": item for number, item in enumerate(items, 1)}


def _read(files: Mapping[str, bytes], folder: str, ending: str, count: int) -> list[bytes]:
    return [files[f"{folder}/{number:02}.{ending}"] for number in range(1, count + 1)]


def to_sign(bundle: Bundle) -> bytes:
    """The manifest that the container's signature covers."""
    return container.manifest(bundle.files())


def pack(bundle: Bundle, signature: bytes) -> bytes:
    """The container, given the detached CMS signature over `to_sign`."""
    return container.pack(bundle.files(), signature)
