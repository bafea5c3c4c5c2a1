"""The keys that sign ID tokens: in the key centre, published before they sign and until nothing they signed lives."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from threading import Lock
from typing import Any, Protocol

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from authz.oidc.models import SigningKeyRow
from yinxin.act import SYSTEM
from yinxin.crypto import jose
from yinxin.crypto.jose import Jwk
from yinxin.crypto.keys import Signer
from yinxin.store import Store, as_good

#: a client may keep the key set for as long, so a key is published so much before it signs, and after
OVERLAP = timedelta(days=1)


class TokenKeys(Protocol):
    """What this floor needs of the key centre above it, handed in at assembly."""

    def make(self, label: str) -> None:
        """Make a key for ES256 of this label in the module, once however often this is called."""
        ...

    def signer(self, label: str) -> Signer:
        """The signer of that key."""
        ...


class SigningKeys:
    """The keys of this provider; `age` is when the next one follows."""

    def __init__(self, store: Store, keys: TokenKeys, age: timedelta) -> None:
        self._store = store
        self._keys = keys
        self._age = age
        self._known: dict[str, Jwk] = {}
        self._lock = Lock()

    def sign(self, claims: Mapping[str, Any], kind: str = "JWT") -> str:
        """A signed token (JWS compact) with `typ` of `kind`, by the key that signs now; `ready` has been called."""
        now = self._store.clock.now()
        rows = self._rows()
        signing = max((row for row in rows if row.signs_from <= now), key=lambda row: row.signs_from)
        header = {"typ": kind, "kid": self._jwk(signing.label).thumbprint}
        return jose.compact(jose.sign(self._keys.signer(signing.label), header, jose.encode_object(claims)))

    def ready(self) -> None:
        """Make the first key where there is none; before an act, for making a key is one of its own."""
        if not self._rows():
            self._first()

    def published(self) -> list[dict[str, str]]:
        """The key set (RFC 7517): what signs, what will, and what signed until lately."""
        self.ready()
        rows, now = self._rows(), self._store.clock.now()
        successors = [row.signs_from for row in rows[1:]]
        live = [
            row
            for row, after in zip(rows, [*successors, None], strict=True)
            if after is None or after + OVERLAP > now
        ]
        return [self._published(self._jwk(row.label)) for row in live]

    def known(self, kid: str) -> Jwk | None:
        """The key of this identifier, whether it is still published or not."""
        return next((jwk for row in self._rows() if (jwk := self._jwk(row.label)).thumbprint == kid), None)

    def rotate(self) -> None:
        """Make the next key when the present one has its age; a job."""
        rows, now = self._rows(), self._store.clock.now()
        if not rows:
            self._first()
        elif rows[-1].signs_from + self._age <= now:
            self._make(now, now + OVERLAP)

    def _first(self) -> None:
        now = self._store.clock.now()
        self._make(now, now)

    def _make(self, now: datetime, signs_from: datetime) -> None:
        label = f"oidc-{signs_from:%Y%m%d}"  # two processes on one day make one and the same key
        self._keys.make(label)
        try:
            with self._store.act(SYSTEM, "authz.make-signing-key", f"key:{label}", taken=as_good) as act:
                act.session.add(SigningKeyRow(label=label, created=now, signs_from=signs_from))
        except IntegrityError:
            if not any(row.label == label for row in self._rows()):
                raise

    def _rows(self) -> list[SigningKeyRow]:
        with self._store.read() as session:
            rows = session.scalars(sa.select(SigningKeyRow).order_by(SigningKeyRow.signs_from)).all()
            session.expunge_all()
        return list(rows)

    def _jwk(self, label: str) -> Jwk:
        with self._lock:
            if label not in self._known:
                self._known[label] = Jwk.of(self._keys.signer(label).public_key)
            return self._known[label]

    @staticmethod
    def _published(jwk: Jwk) -> dict[str, str]:
        return {**jwk.members, "kid": jwk.thumbprint, "use": "sig", "alg": "ES256"}
