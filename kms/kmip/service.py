"""KMIP's face as one service: who may come, what they do here, and what officers see of it."""

import hashlib
from dataclasses import replace

from authz.refusals import Refusals
from kms.keyring.secret import Keys
from kms.kmip import client as registering
from kms.kmip import kept, recover
from kms.kmip.answer import CALL, LARGEST, answer
from kms.kmip.client import Judge, KmipClient
from kms.kmip.errors import KmipInvalidMessage, KmipNotAdmitted
from kms.kmip.exchange import Exchange
from kms.kmip.kept import KmipObject
from kms.kmip.message import Answered, answer_of, version_in
from kms.kmip.settings import KmipSettings
from kms.kmip.ttlv import encode
from yinxin.act import STRANGER, Actor
from yinxin.authz import Decider, Decision, Resource
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.path import Usage
from yinxin.errors import Unavailable, YinxinError
from yinxin.store import Store

__all__ = ["LARGEST", "Kmip"]

#: refusals of one certificate in a minute that are recorded one by one
_REFUSALS = 60
#: who comes without a certificate that TLS takes
SUBJECT = "kmip"


class NoJudge(Unavailable):
    """Nobody can say yet which certificates are to be trusted."""

    code = "kms.kmip_no_judge"
    zh = "尚不能核验证书，KMIP 连接暂不受理：请稍后重试。"
    en = "Certificates cannot be judged yet, and KMIP admits nobody: try again shortly."


class _NoJudge:
    """In the place of the authority until it is handed in: law 7."""

    def standing(self, certificate: Certificate, at: object, usage: Usage) -> None:  # noqa: ARG002 - the judge's own signature
        raise NoJudge


class Kmip:
    """The face. One per process, on its key centre."""

    def __init__(self, store: Store, settings: KmipSettings, decider: Decider, keys: Keys) -> None:
        self._store = store
        self._settings = settings
        self._decider = decider
        self._keys = keys
        self._refusals = Refusals(store, _REFUSALS)
        #: who says which certificates can be trusted; the platform hands in its authority
        self.judge: Judge = _NoJudge()

    # --- systems ----------------------------------------------------------------------------------------------

    def serve(self, certificate: bytes, octets: bytes) -> tuple[bytearray, bool]:
        """The answer to one message of whoever has shown the certificate, and whether the connection goes on.

        Never raises for what was asked. The answer may hold a key: whoever sends it cleanses it.
        """
        try:
            client, actor = registering.admitted(self._store, self.judge, certificate)
        except YinxinError as error:
            self._refuse(_stranger(certificate), CALL, SUBJECT, error)
            told = error if isinstance(error, KmipNotAdmitted | Unavailable) else None
            shown = told or KmipNotAdmitted(subject="-", reason=error.code)
            return self._failed(octets, shown), False
        exchange = Exchange(
            self._store,
            self._keys,
            client,
            actor,
            wipe_days=self._settings.destruction_days,
            most_objects=self._settings.objects,
        )
        return answer(exchange, octets, self._refuse), True

    def unreadable(self, certificate: bytes, octets: bytes, error: KmipInvalidMessage) -> bytearray:
        """The answer to what is not read to its end: it is too long, or no message at all; recorded."""
        self._refuse(_stranger(certificate), CALL, SUBJECT, error)
        return self._failed(octets, error)

    def turned_away(self, error: KmipNotAdmitted) -> None:
        """Record that TLS did not take somebody's certificate."""
        self._refuse(STRANGER, CALL, SUBJECT, error)

    def _failed(self, octets: bytes, error: YinxinError) -> bytearray:
        failed = (Answered(None, error=error),)
        return encode(answer_of(version_in(octets), self._store.clock.now(), failed))

    def _refuse(self, actor: Actor, verb: str, subject: str, error: YinxinError) -> None:
        self._refusals.record(actor, verb, subject, error)

    # --- officers ---------------------------------------------------------------------------------------------

    def register(self, actor: Actor, id_: str, organ: str, certificate: bytes) -> KmipClient:
        """Let a system come; see `kms.kmip.client.register`. Raises Denied besides."""
        registering.check_id(id_)
        shown = registering.certificate_of(certificate)
        asked = Resource("KmipClient", id_, organ=organ)
        decision = self._decider.require(actor, registering.REGISTER, asked)
        return registering.register(self._store, self.judge, actor, (id_, organ, shown), decision)

    def demand_trusted(self, certificate: Certificate) -> None:
        """Raise BadKmipClient for a certificate that cannot be trusted now."""
        registering.trusted(self.judge, certificate, self._store.clock.now())

    def end(self, actor: Actor, id_: str) -> KmipClient:
        """Let it come no more; see `kms.kmip.client.end`. Raises KmipClientUnknown, Denied besides."""
        client, decision = self._known(actor, registering.END, id_)
        return registering.end(self._store, actor, client, decision)

    def clients_of(
        self, actor: Actor, organ: str, *, after: str = "", limit: int | None = None
    ) -> list[KmipClient]:
        """An organ's clients; raises Denied."""
        self._decider.require(actor, registering.LOOK, Resource("KmipClient", "*", organ=organ))
        return registering.list_clients(self._store, organ, after=after, limit=limit)

    def show(self, actor: Actor, id_: str) -> KmipClient:
        """One client; raises KmipClientUnknown, Denied."""
        return self._known(actor, registering.LOOK, id_)[0]

    def objects_of(
        self, actor: Actor, id_: str, *, after: str = "", limit: int | None = None
    ) -> list[KmipObject]:
        """What a client keeps here, without the keys; raises KmipClientUnknown, Denied."""
        client, _ = self._known(actor, registering.LOOK, id_)
        return kept.objects_of(self._store, client.id, after=after, limit=limit)

    def wipe_due(self) -> int:
        """See `kms.kmip.recover.wipe_due`; for the timer."""
        return recover.wipe_due(self._store)

    def _known(self, actor: Actor, verb: str, id_: str) -> tuple[KmipClient, Decision]:
        """The client, and the decision that permits; raises KmipClientUnknown, Denied, both recorded."""
        try:
            client = registering.client_of(self._store, id_)
        except YinxinError as error:
            self._store.refuse(actor, verb, f"kmip-client:{id_[:64]}", error)
            raise
        return client, self._decider.require(actor, verb, client.resource)


def _stranger(certificate: bytes) -> Actor:
    """Whoever holds this certificate and may not, or not yet, be told apart by more than that."""
    return replace(STRANGER, certificate=hashlib.sha256(certificate).hexdigest())
