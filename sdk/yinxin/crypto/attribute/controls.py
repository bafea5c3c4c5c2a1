"""What an authority may state (aaControls in its own certificate, RFC 5755 7.4)."""

from dataclasses import dataclass
from typing import Self

from yinxin.crypto import der, oids
from yinxin.crypto.oids import Extension
from yinxin.crypto.points import by_tag
from yinxin.once import once


@dataclass(frozen=True)
class Controls:
    """Attributes by object identifier; `unspecified` says whether what neither list names may be stated."""

    permitted: tuple[str, ...] | None = None
    excluded: tuple[str, ...] | None = None
    unspecified: bool = True
    #: how many authorities may follow below one that is an authority of authorities
    path_length: int | None = None

    @once
    def extension(self) -> Extension:
        """The extension; not critical, so that readers who know nothing of it can still verify the signature."""
        value = der.sequence(
            b"" if self.path_length is None else der.integer(self.path_length),
            _spec(0, self.permitted),
            _spec(1, self.excluded),
            b"" if self.unspecified else der.boolean(False),
        )
        return Extension(oids.AA_CONTROLS, critical=False, value=value)

    @classmethod
    def read(cls, encoded: bytes) -> Self:
        """Read AAControls; raises MalformedDer or ValueError."""
        der.check(encoded)
        fields = by_tag(encoded, (der.INTEGER, 0xA0, 0xA1, der.BOOLEAN))
        said = fields.get(der.BOOLEAN)
        if said not in (None, der.boolean(False)):
            raise ValueError("a default value is written out")
        length = der.number(fields[der.INTEGER]) if der.INTEGER in fields else None
        if length is not None and length < 0:
            raise ValueError("a negative path length")
        permitted, excluded = (_read(fields[tag]) if tag in fields else None for tag in (0xA0, 0xA1))
        return cls(permitted, excluded, said is None, length)

    def permits(self, attribute: str) -> bool:
        """Whether the authority may state it: excluded never, permitted always, else as `unspecified` says."""
        if attribute in (self.excluded or ()):
            return False
        return attribute in (self.permitted or ()) or self.unspecified


#: what an attribute authority of this platform may state: no attribute beyond those that its linter knows
OURS = Controls(
    permitted=(oids.ROLE, oids.CLEARANCE, oids.APPOINTMENT, oids.GRANTS),
    unspecified=False,
)


def _spec(number: int, attributes: tuple[str, ...] | None) -> bytes:
    if attributes is None:
        return b""
    return der.implicit(number, der.sequence(*map(der.oid, attributes)))


def _read(field: bytes) -> tuple[str, ...]:
    return tuple(map(der.dotted, der.elements(bytes((der.SEQUENCE,)) + field[1:])))
