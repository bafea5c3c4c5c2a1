"""Configuration of the web kit."""

from typing import Literal

from pydantic import Field

from yinxin.settings import Section


class WebSettings(Section):
    """Pages and HTTP API."""

    public_url: str = ""
    """Address readers use, such as https://trust.example.gov.cn; empty takes it from each request."""
    hosts: tuple[str, ...] = ()
    """Host names this server answers to; empty answers to any name."""
    proxy: Literal["none", "socket", "secret"] = "none"
    """Whether a reverse proxy states the reader's certificate (X-Client-Cert): `socket` over the Unix socket of the data directory, `secret` from `proxy_addresses` with the secret of `proxy_secret_file` (X-Proxy-Secret)."""
    proxy_addresses: tuple[str, ...] = ("127.0.0.1", "::1")
    """Addresses from which the proxy with the secret connects."""
    proxy_secret_file: str = ""
    """File of the secret that the proxy shows, at least 32 characters."""
    body_limit: int = Field(default=1 << 20, ge=1024, le=1 << 30)
    """Largest request body, in bytes, of an operation that takes no file."""
    upload_limit: int = Field(default=64 << 20, ge=1024, le=1 << 36)
    """Largest request body, in bytes, of an operation that takes files and states no limit of its own."""
    answers_kept_hours: int = Field(default=24, ge=1, le=24 * 30)
    """How long the answer to an Idempotency-Key is kept, in hours."""
