"""`yinxin serve --only kms`: the key centre in a process of its own, the only one that opens the security module.

It answers the platform's own services over mutual TLS and nobody else. Nothing lives in it that is not in the token or
the database, so it may be ended in any way and started again; its callers wait.
"""

from __future__ import annotations

import logging
import os
import threading
from functools import partial
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from ca.models import CertificateRow
from kms.custodians.wait import attend, record
from kms.engine.face import EngineFace
from kms.errors import NotOurService
from kms.offer import VERB, Offer
from kms.settings import CENTRE
from ops.listening import Announcement, Listening, listen
from ops.platform import Platform, Seams
from ops.service_certificates import NoKeyCentreAddress, demand
from ops.service_pins import pinned
from ops.settings import configuration
from yinxin.act import STRANGER, Actor, Kind
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.path import Usage
from yinxin.errors import YinxinError
from yinxin.text import Text

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable
    from datetime import datetime

    from kms.secrets import Sources
    from ops.data import DataDirectory
    from ops.settings import Common

    #: told why no call is answered now
    Troubled = Callable[[YinxinError], None]

_log = logging.getLogger("yinxin.kms")

#: seconds for which a certificate that was admitted is not looked up again
ADMITTED_SECONDS = 5
#: seconds between looks at the tokens
_LOOK = 5.0


class Admission:
    """Who may call: services that `kms.callers` names, by certificates in force that are pinned. Refusals are recorded.

    The name is what an officer gave the certificate; the pin is what `yinxin kms-services` wrote on this machine.
    """

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._callers = frozenset(platform.section("kms").callers)
        self._admitted: dict[bytes, tuple[datetime, Actor]] = {}

    def __call__(self, certificate: bytes | None) -> Actor:
        """Who calls; raises NotOurService for whoever may not. Certificate checks are made again every few seconds."""
        now = self._platform.clock.now()
        known = self._admitted.get(certificate or b"")
        if known is not None and abs((now - known[0]).total_seconds()) < ADMITTED_SECONDS:
            return known[1]
        try:
            caller = self._holder(certificate, now)
        except YinxinError as error:
            self._platform.store.refuse(STRANGER, VERB, CENTRE, error)
            raise
        _log.debug("%s calls the key centre", caller.id)
        self._admitted[certificate or b""] = now, caller
        return caller

    def _holder(self, encoded: bytes | None, now: datetime) -> Actor:
        if encoded is None:
            raise NotOurService(subject="-", reason=Text("未出示证书", "none was shown"))
        certificate = Certificate.load(encoded)
        try:
            self._platform.ca.checker.standing(certificate, now, Usage.CLIENT)
        except YinxinError as error:
            raise NotOurService(subject=certificate.subject.text, reason=error.code) from error
        wanted = sa.select(CertificateRow.holder_kind, CertificateRow.holder)
        with self._platform.store.read() as session:
            kind, holder = session.execute(
                wanted.where(CertificateRow.fingerprint == certificate.fingerprint)
            ).one()
        if kind != "service" or holder not in self._callers:
            raise NotOurService(subject=certificate.subject.text, reason=f"{kind}:{holder}")
        if certificate.fingerprint not in pinned(self._platform.data, holder):
            reason = Text("证书指纹未登记", "its fingerprint is not pinned")
            raise NotOurService(subject=certificate.subject.text, reason=reason)
        return Actor(Kind.SERVICE, str(holder), certificate=certificate.fingerprint)


class KeyCentreServer(Listening):
    """The key centre's server: what it serves is the engine's face, to those who are admitted."""

    certificate = CENTRE
    keepalive = 60

    def __init__(
        self,
        data: DataDirectory,
        overrides: list[str],
        settings: Common,
        listener: socket.socket,
        announcement: Announcement,
        *,
        secrets: Sources,
        troubled: Troubled,
    ) -> None:
        self._overrides = overrides
        self._troubled = troubled
        super().__init__(data, settings, (listener,), announcement, secrets=secrets)

    def load(self) -> Any:
        """The application; called in the worker, after the fork."""
        self._platform = Platform(
            self.data,
            configuration(self.data.config, self._overrides),
            Seams.real(),
            self.secrets,
            holds_keys=True,
        )
        self.stack.callback(self._platform.close)
        record(self._platform.store, self.secrets.sealed)
        return EngineFace(self._platform.kms.engine, Admission(self._platform), Offer(self._platform.store))

    def began(self) -> None:
        """The custodians' door."""
        if self.secrets.settings.uses("custodians"):
            attending = partial(attend, self.secrets.sealed, self.data.root)
            threading.Thread(target=attending, name="custodians-door", daemon=True).start()

    def announce(self) -> None:
        """Say that it answers while it does: not before secrets and token are there, nor when they have gone."""
        _Watch(self._trouble, self.announcement, self._troubled).start()

    def _trouble(self) -> YinxinError | None:
        """Why no call would be answered now; None when it would."""
        try:
            # a connection that begins needs the one, the token the other
            with self.secrets.read(f"{CENTRE}.password"):
                pass
            self._platform.kms.watch()
            self._platform.kms.engine.facts()
        except YinxinError as error:
            return error
        return None


class _Watch(threading.Thread):
    """Looks every few seconds whether calls are answered, tells when that changes, and records what became of tokens."""

    def __init__(
        self, trouble: Callable[[], YinxinError | None], announcement: Announcement, troubled: Troubled
    ) -> None:
        super().__init__(name="tokens", daemon=True)
        self._trouble = trouble
        self._announcement = announcement
        self._troubled = troubled
        self._wait = threading.Event()

    def run(self) -> None:
        told: str | None = None  # the code of the trouble that was told, empty for none
        while True:
            trouble = self._trouble()
            now = trouble.code if trouble is not None else ""
            if now != told:
                told = now
                if trouble is None:
                    self._announcement.make()
                else:
                    self._announcement.withdraw()
                    self._troubled(trouble)
            self._wait.wait(_LOOK)


def serve_key_centre(
    data: DataDirectory,
    overrides: list[str],
    settings: Common,
    secrets: Sources,
    told: tuple[Callable[[dict[str, Any]], None], Troubled],
) -> None:
    """Serve until stopped; `told` are whoever hears where, once it answers, and why, when it does not.

    Raises NoKeyCentreAddress, NoServiceCertificate, PortTaken.
    """
    announce, troubled = told
    address = settings.section("kms").address
    if not address:
        raise NoKeyCentreAddress
    demand(data, CENTRE)
    host, _, port = address.rpartition(":")
    listener = listen(host.strip("[]"), int(port), "--set kms.address=HOST:PORT")
    where: dict[str, Any] = {"pid": os.getpid(), "host": host, "port": listener.getsockname()[1]}
    announcement = Announcement(data.path("run", f"{CENTRE}.json"), where, announce)
    server = KeyCentreServer(
        data, overrides, settings, listener, announcement, secrets=secrets, troubled=troubled
    )
    server.serve()
