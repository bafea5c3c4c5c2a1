"""This site's own part: the key that signs for it, the keys its organs are written to, the certificate it calls others with.

All are made when they are first needed and certified anew before they end, by the site's own issuing authority under
profiles that nobody can ask for (`exchange-site`, `exchange-organ`). The signing key and the organs' keys stay in the
key centre; the key for mutual TLS is a file, encrypted under a secret, as the server's own is.
"""

from datetime import datetime, timedelta
from pathlib import Path
from threading import Lock

import sqlalchemy as sa

from ca.ceremony.files import file_key
from ca.errors import UnknownCertificate
from ca.issue import carry_out, recall
from ca.models import CertificateRow, State
from ca.request import Application, Holder, IssueRequest, examine
from ca.service import Authority
from exchange.errors import ExchangeOff, NotOurOrgan
from exchange.settings import ExchangeSettings
from kms.models import Purpose
from kms.service import KeyCentre
from yinxin.act import SYSTEM
from yinxin.authz import PLATFORM
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.enveloped_data import EnvelopedData
from yinxin.crypto.keys import Identity, PublicKey
from yinxin.crypto.names import Name
from yinxin.crypto.suite import INTL, SM, Suite, suite

SITE_PROFILE, ORGAN_PROFILE, TLS_PROFILE = "exchange-site", "exchange-organ", "exchange-tls"
#: how long before its end a certificate is followed by the next
_EARLY = timedelta(days=60)
#: how long the certificate that is signed with is taken as it was found
_ASKED = timedelta(minutes=1)


class Own:
    """The keys and certificates of this site. Shared by the threads of a process."""

    def __init__(self, ca: Authority, keys: KeyCentre, settings: ExchangeSettings, root: Path) -> None:
        """`root` is the data directory, where the key for TLS lies."""
        self._ca = ca
        self._keys = keys
        self._settings = settings
        self._root = root
        self._lock = Lock()
        self._kept: tuple[datetime, Identity] | None = None

    @property
    def site(self) -> str:
        """This site's identifier; raises ExchangeOff."""
        if not self._settings.site or not self._settings.organs:
            raise ExchangeOff
        return self._settings.site

    @property
    def first(self) -> str:
        """The organ in whose name the site itself writes; raises ExchangeOff."""
        _ = self.site
        return self._settings.organs[0]

    @property
    def suite(self) -> Suite:
        """By which it signs, and is written to."""
        return suite(self._settings.suite)

    def signing(self) -> Identity:
        """The key that signs headers, receipts and cards, and its certificates; raises what key centre and issuance raise.

        Whether the certificate is still the one in force is asked again after a minute, as what shows it good is (`exchange.signed`).
        """
        now = self._ca.ctx.store.clock.now()
        kept = self._kept
        if kept is None or not kept[0] <= now < kept[0] + _ASKED:
            self._kept = kept = (now, self._signing())
        return kept[1]

    def _signing(self) -> Identity:
        label = f"exchange-{self.suite.name}"
        self._keys.create(SYSTEM, label=label, purpose=Purpose.EXCHANGE, suite=self.suite)
        signer = self._keys.signer(label)
        own, *above = self._certified(
            signer.public_key, SITE_PROFILE, Holder("service", label, None, PLATFORM)
        )
        return Identity(signer, own, tuple(above))

    def organ(self, organ: str) -> Certificate:
        """The certificate that messages for one of our organs are encrypted to; raises NotOurOrgan."""
        self.demand(organ)
        label = self._label(organ)
        self._keys.create(
            SYSTEM,
            label=label,
            purpose=Purpose.DECIPHER,
            algorithm=self.suite.encryption_keys[0],
            owner=organ,
        )
        key = self._keys.signer(label).public_key
        return self._certified(key, ORGAN_PROFILE, Holder("organ", organ))[0]

    def demand(self, organ: str) -> None:
        """Raise NotOurOrgan unless this site exchanges for the organ."""
        if organ not in self._settings.organs:
            raise NotOurOrgan(organ=organ[:64])

    def open(self, organ: str, envelope: EnvelopedData, recipient: Certificate) -> bytes:
        """What is encrypted to an organ's key; raises CannotDecrypt, or as `KeyCentre.open_envelope`."""
        return self._keys.open_envelope(self._label(organ), envelope, recipient)

    def calling(self) -> Identity:
        """The key and certificate that this site shows to others on HTTPS."""
        secrets, randomness = self._keys.secrets, self._ca.ctx.store.randomness
        with self._lock:
            key = file_key(self._root, "exchange", INTL.key_algorithm, secrets, randomness)
        own, *above = self._certified(
            key.public_key, TLS_PROFILE, Holder("service", "exchange-tls", None, PLATFORM)
        )
        return Identity(key, own, tuple(above))

    def roots(self) -> tuple[Certificate, ...]:
        """The roots by which what this site's people and seals sign is judged, of either suite."""
        names = {f"{each.name}-issuing" for each in (INTL, SM)} & set(self._ca.authorities())
        return tuple(chain[-1] for name in sorted(names) for chain in self._ca.chains(name))

    def _label(self, organ: str) -> str:
        return f"exchange-{organ}-{self.suite.name}"

    def _certified(self, key: PublicKey, profile: str, holder: Holder) -> tuple[Certificate, ...]:
        """The certificate in force for a key and those above it, issued when there is none or its end is near."""
        if (known := self._known(key)) is not None:
            return known
        with self._lock:
            return self._known(key) or self._issued(key, profile, holder)

    def _known(self, key: PublicKey) -> tuple[Certificate, ...] | None:
        try:
            found = self._ca.by_key(INTL.hash.digest(key.spki).hex()).certificates
        except UnknownCertificate:
            return None
        lasting = found[0].not_after - self._ca.ctx.store.clock.now() > _EARLY
        return found if lasting else None

    def _issued(self, key: PublicKey, profile: str, holder: Holder) -> tuple[Certificate, ...]:
        ctx = self._ca.ctx
        issuer = ctx.issuers.issuing(f"{key.suite.name}-issuing")
        digest = INTL.hash.digest(key.spki).hex()
        with ctx.store.read() as session:
            number = session.scalar(
                sa.select(sa.func.count()).where(
                    CertificateRow.spki_digest == digest, CertificateRow.state == State.ISSUED
                )
            )
        organization = issuer.subject.get("organizationName") or "-"
        # an organ's name stands in the directory; a service's is the site's
        asked = [("organizationName", organization), ("commonName", self.site)]
        request = IssueRequest(
            reference=f"exchange/{digest[:32]}/{number}",
            profile=profile,
            csr=Application(key, Name.of(asked if holder.kind == "service" else ())),
            holder=holder,
            authority=issuer.name,
        )
        order = examine(request, ctx.profiles[profile], ctx.register, ctx.settings)
        issued = recall(ctx, SYSTEM, order, issuer) or carry_out(ctx, SYSTEM, order, issuer)
        return (issued.certificate, *issued.chain)
