"""Who may read the metrics."""

from pydantic import Field

from yinxin.settings import Section


class MetricsSettings(Section):
    """Figures for monitoring at `/metrics`. Whoever fits one of these may read them; with none of them nobody may."""

    loopback: bool = True
    """Whether a program of this very machine may read them, directly and not through a proxy."""
    token_file: str = ""
    """File of a bearer token for monitoring, at least 32 characters, readable by our own user alone; read for each request."""
    clients: tuple[str, ...] = ()
    """SHA-256 fingerprints, hexadecimal, of client certificates of ours by which monitoring is known on its TLS connection."""
    patience: float = Field(default=5.0, gt=0, le=60)
    """Seconds that a part may take to tell its figures; one that takes longer is told as down."""
