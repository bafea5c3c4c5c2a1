"""What a verifier trusts beforehand: root certificates, log keys, witness policies and ages of algorithms, from a folder obtained apart from the evidence."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Self

from yinxin.crypto.ages import Ages
from yinxin.crypto.certificates import Certificate
from yinxin.evidence.errors import TrustMissing
from yinxin.tlog import NoteVerifier, Policy


@dataclass(frozen=True, slots=True)
class Trust:
    """Roots of every suite, the keys of the logs, and how many witnesses must have cosigned for a log to be believed."""

    roots: tuple[Certificate, ...]
    logs: tuple[NoteVerifier, ...]
    policies: tuple[Policy, ...] = ()
    #: until when algorithms are believed
    ages: Ages = field(default_factory=Ages)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read `*.root.pem`, `*.vkey` and, where there are any, `*.policy` (c2sp.org/tlog-policy) and `algorithms.toml` of a folder.

        Raises TrustMissing when one of the first two is missing or a file cannot be read, MalformedCertificate,
        BadNoteKey, MalformedPolicy.
        """
        try:
            pems = [file.read_bytes() for file in sorted(folder.glob("*.root.pem"))]
            lines = [
                line for file in sorted(folder.glob("*.vkey")) for line in file.read_text("utf-8").split("\n")
            ]
            policies = [file.read_bytes() for file in sorted(folder.glob("*.policy"))]
            own = folder / "algorithms.toml"
            ages = Ages.load(own) if own.exists() else Ages()
        except (OSError, ValueError) as error:
            raise TrustMissing(reason=str(error)) from error
        roots = [each for pem in pems for each in Certificate.load_many(pem)]
        logs = [NoteVerifier.decode(line.strip()) for line in lines if line.strip()]
        if not roots or not logs:
            raise TrustMissing(reason=str(folder))
        return cls(tuple(roots), tuple(logs), tuple(map(Policy.parse, policies)), ages)

    @classmethod
    def of(cls, folders: Sequence[Path]) -> Self:
        """What several folders hold together, as for what two sites signed; each as `load` reads it, algorithms as the first says."""
        first, *others = map(cls.load, folders)
        for each in others:
            first = replace(
                first,
                roots=(*first.roots, *each.roots),
                logs=(*first.logs, *each.logs),
                policies=(*first.policies, *each.policies),
            )
        return first
