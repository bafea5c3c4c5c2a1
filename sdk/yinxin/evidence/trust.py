"""What a verifier trusts beforehand: root certificates and log keys, from a folder obtained apart from the evidence."""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

from yinxin.crypto.certificates import Certificate
from yinxin.evidence.errors import TrustMissing
from yinxin.tlog import NoteVerifier


@dataclass(frozen=True, slots=True)
class Trust:
    """Roots of every suite, and the keys of the logs."""

    roots: tuple[Certificate, ...]
    logs: tuple[NoteVerifier, ...]

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read `*.root.pem` and `*.vkey` of a folder.

        Raises TrustMissing when either kind is missing or a file cannot be read, MalformedCertificate, BadNoteKey.
        """
        try:
            pems = [file.read_bytes() for file in sorted(folder.glob("*.root.pem"))]
            lines = [
                line for file in sorted(folder.glob("*.vkey")) for line in file.read_text("utf-8").split("\n")
            ]
        except (OSError, UnicodeDecodeError) as error:
            raise TrustMissing(reason=str(error)) from error
        roots = [each for pem in pems for each in Certificate.load_many(pem)]
        logs = [NoteVerifier.decode(line.strip()) for line in lines if line.strip()]
        if not roots or not logs:
            raise TrustMissing(reason=str(folder))
        return cls(tuple(roots), tuple(logs))
