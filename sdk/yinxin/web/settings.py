"""Configuration of the web kit."""

from pydantic import Field

from yinxin.settings import Section


class WebSettings(Section):
    """Pages and HTTP API."""

    public_url: str = ""
    """Address readers use, such as https://trust.example.gov.cn; empty takes it from each request."""
    hosts: tuple[str, ...] = ()
    """Host names this server answers to; empty answers to any name."""
    proxy: bool = False
    """A reverse proxy on a Unix socket states the reader's certificate (X-Client-Cert) and scheme. Ignored on TCP."""
    body_limit: int = Field(default=1 << 20, ge=1024, le=1 << 30)
    """Largest request body, in bytes, of an operation that takes no file."""
    upload_limit: int = Field(default=64 << 20, ge=1024, le=1 << 36)
    """Largest request body, in bytes, of an operation that takes files and states no limit of its own."""
    answers_kept_hours: int = Field(default=24, ge=1, le=24 * 30)
    """How long the answer to an Idempotency-Key is kept, in hours."""
