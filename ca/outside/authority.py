"""One outside authority: asked over HTTP, and believed only when every part of its answer holds."""

import ssl
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import httpx

from ca.outside.errors import OutsideMisconfigured, OutsideRefused, OutsideUnreachable
from ca.outside.settings import OutsideSettings
from yinxin.crypto import pem
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.path import RevocationEvidence, ValidatedPath
from yinxin.crypto.status import CertificateList
from yinxin.crypto.suite import HashAlgorithm
from yinxin.crypto.timestamps import Token, request
from yinxin.errors import YinxinError
from yinxin.text import Text

_QUERY, _REPLY = "application/timestamp-query", "application/timestamp-reply"
#: octets of an answer; a token with its chain has a few thousand
_LARGEST = 1 << 18


class Outside:
    """An authority by its settings; its files are read each time, for somebody keeps them current."""

    def __init__(
        self, name: str, settings: OutsideSettings, transport: Callable[[], httpx.BaseTransport] | None = None
    ) -> None:
        """`transport`: what connects in place of the network, for tests."""
        self.name, self.settings = name, settings
        self._transport = transport

    def ask(self, hash_: HashAlgorithm, digest: bytes, nonce: int, now: datetime) -> Token:
        """A token over the digest; raises OutsideUnreachable, OutsideRefused, OutsideMisconfigured.

        1. The answer is whole, and a timestamp reply. 2. It grants, and repeats imprint, nonce and policy. 3. Its time is
        ours, as near as the settings say. 4. Its signature holds, and its certificate leads to one of the roots, for
        timestamping alone, good then, and not revoked as far as its lists tell.
        """
        asked = request(hash_, digest, nonce, policy=self.settings.policy or None)
        answer = self._post(asked)
        try:
            token = Token.from_response(answer, asked)
            self.path(token)
        except OutsideMisconfigured:
            raise
        except YinxinError as error:
            raise OutsideRefused(name=self.name, reason=Text(error.text("zh"), error.text("en"))) from error
        off = abs((token.at - now).total_seconds())
        if off > self.settings.clock_seconds:
            raise OutsideRefused(
                name=self.name,
                reason=Text(f"时间与本机相差 {off:.0f} 秒", f"its time is {off:.0f} s from ours"),
            )
        return token

    def path(self, token: Token) -> ValidatedPath:
        """The path of one of its tokens, as of the token's time; raises what signatures and paths fail by."""
        lists = self.lists()
        return token.verify(
            imprint=token.digest,
            anchors=[each for each in self._known() if each.is_self_issued],
            intermediates=self._known(),
            revocation=RevocationEvidence(crls=lists),
            require_revocation=bool(self.settings.lists_file),
        )

    def lists(self) -> tuple[CertificateList, ...]:
        """Its revocation lists, as somebody put them there."""
        if not self.settings.lists_file:
            return ()
        return tuple(map(CertificateList, self._blocks(self.settings.lists_file, "X509 CRL")))

    def _known(self) -> list[Certificate]:
        return [Certificate(each) for each in self._blocks(self.settings.trust_file, "CERTIFICATE")]

    def _blocks(self, file: str, label: str) -> list[bytes]:
        try:
            return list(pem.decode(label, Path(file).read_bytes()))
        except (OSError, ValueError, YinxinError) as error:
            raise OutsideMisconfigured(name=self.name, file=file, reason=type(error).__name__) from error

    def _post(self, asked: bytes) -> bytes:
        settings = self.settings
        try:
            trust = ssl.create_default_context(cafile=settings.tls_trust_file or None)
        except OSError as error:
            raise OutsideMisconfigured(
                name=self.name, file=settings.tls_trust_file, reason=type(error).__name__
            ) from error
        try:
            with (
                httpx.Client(
                    verify=trust,
                    timeout=settings.timeout,
                    follow_redirects=False,
                    trust_env=False,
                    transport=self._transport() if self._transport else None,
                ) as http,
                http.stream("POST", settings.url, content=asked, headers={"Content-Type": _QUERY}) as answer,
            ):
                kind = answer.headers.get("Content-Type", "").partition(";")[0].strip().lower()
                if answer.status_code != httpx.codes.OK or kind != _REPLY:
                    raise OutsideUnreachable(name=self.name, reason=f"HTTP {answer.status_code} {kind[:60]}")
                return _whole(answer, self.name, settings.timeout)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise OutsideUnreachable(name=self.name, reason=type(error).__name__) from error


def _whole(answer: httpx.Response, name: str, patience: float) -> bytes:
    """The body, if it comes whole in time and is no larger than an answer is."""
    found, begun = bytearray(), time.monotonic()
    for part in answer.iter_bytes():
        found += part
        if len(found) > _LARGEST or time.monotonic() - begun > patience:
            raise OutsideUnreachable(name=name, reason=f"{len(found)} B")
    return bytes(found)


def wait(failures: int) -> timedelta:
    """How long an authority is left alone after so many failures in a row: 1, 2, 4 … minutes, an hour at most."""
    return timedelta(minutes=min(60, 1 << min(failures - 1, 6)))
