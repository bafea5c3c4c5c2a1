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
    """A statement, its CMS signature, and the OCSP answer for the signer's certificate, as they were at the time.

    `attributes`: the attribute certificate that she acted under, with what it is judged by (PEM); empty where there is none.
    `delegation`: the signed delegation that she acted by (`SignedDelegation`); empty where she held the post herself.
    """

    statement: bytes
    cms: bytes
    ocsp: bytes
    attributes: bytes = b""
    delegation: bytes = b""


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
    #: the policies of witnesses that were in force at the log, for readers who have none
    policies: Sequence[bytes] = ()
    #: timestamps (RFC 3161, DER) over the texts of the checkpoints that the proofs stand under
    stamps: Sequence[bytes] = ()
    #: evidence records (RFC 4998, DER) of those checkpoints: what came in place of the bare timestamps
    records: Sequence[bytes] = ()

    def files(self) -> dict[str, bytes]:
        """The files of the container, the descriptor among them."""
        files = {"document.pdf": self.sealed, "document.sm.p7s": self.sealed_sm}
        for number, act in enumerate(self.acts, 1):
            files |= {
                f"acts/{number:02}.json": act.statement,
                f"acts/{number:02}.p7s": act.cms,
                f"acts/{number:02}.ocsp": act.ocsp,
            }
            if act.attributes:
                files[f"acts/{number:02}.attributes"] = act.attributes
            if act.delegation:
                files[f"acts/{number:02}.delegation"] = act.delegation
        files |= container.numbered("log", "tlog-proof", self.proofs)
        files |= container.numbered("log", "policy", self.policies)
        files |= container.numbered("log", "tst", self.stamps)
        files |= container.numbered("log", "ers", self.records)
        files |= container.numbered("certificates", "cer", self.certificates)
        files |= container.numbered("revocation", "crl", self.crls)
        counts = {"acts": len(self.acts), "log": len(self.proofs)}
        counts |= {"certificates": len(self.certificates), "revocation": len(self.crls)}
        if (
            self.policies
        ):  # a part of evidence since there are witnesses; what was made before has no such count
            counts["policies"] = len(self.policies)
        if self.stamps:
            counts["stamps"] = len(self.stamps)
        if self.records:
            counts["records"] = len(self.records)
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
                    SignedAct(
                        files[f"acts/{number:02}.json"],
                        files[f"acts/{number:02}.p7s"],
                        files[f"acts/{number:02}.ocsp"],
                        files.get(f"acts/{number:02}.attributes", b""),
                        files.get(f"acts/{number:02}.delegation", b""),
                    )
                    for number in range(1, counts["acts"] + 1)
                ],
                proofs=container.read_numbered(files, "log", "tlog-proof", counts["log"]),
                certificates=container.read_numbered(files, "certificates", "cer", counts["certificates"]),
                crls=container.read_numbered(files, "revocation", "crl", counts["revocation"]),
                facts=dict(body["facts"]),
                policies=container.read_numbered(files, "log", "policy", counts.get("policies", 0)),
                stamps=container.read_numbered(files, "log", "tst", counts.get("stamps", 0)),
                records=container.read_numbered(files, "log", "ers", counts.get("records", 0)),
            )
            written = bundle.files()
        except (KeyError, TypeError, ValueError) as error:
            raise MalformedEvidence(reason=f"{error} is missing") from error
        if written != dict(files):
            raise MalformedEvidence(reason="a file too many, or another descriptor")
        return bundle


def to_sign(bundle: Bundle) -> bytes:
    """The manifest that the container's signature covers."""
    return container.manifest(bundle.files())


def pack(bundle: Bundle, signature: bytes) -> bytes:
    """The container, given the detached CMS signature over `to_sign`."""
    return container.pack(bundle.files(), signature)
