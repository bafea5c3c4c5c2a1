"""A root that only the database names is believed by nobody: not by sign-in, not for evidence, not for timestamps."""

import pytest
import sqlalchemy as sa

from ca.models import AuthorityRow, CertificateRow
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.errors import UnknownIssuer
from yinxin.crypto.keys import PrivateKey
from yinxin.crypto.names import Name
from yinxin.crypto.suite import INTL
from yinxin.crypto.tbs import CertificateTemplate, assemble, to_be_signed
from yinxin.crypto.timestamps import Token, build_response, request

from .conftest import CLERK, REGISTRAR

pytestmark = pytest.mark.engines("any")


class Insider:
    """Who writes in the database: an authority of her own is on record there, with all that it certifies."""

    def __init__(self, site):
        self.site, self.key, self.named = site, PrivateKey.generate(INTL), Name.of({"commonName": "Other"})
        self.like = site.ca.certificate("intl-root")
        row = {"name": "other", "line": "other", "key_label": "other", "spki": self.key.public_key.spki}
        row |= {"subject": self.named.der, "serial": None, "adopted": None}
        self.added(AuthorityRow, AuthorityRow.name == "intl-root", row)
        self.root = self.certified(
            self.key, self.named, ca=True, key_usage=frozenset({"keyCertSign", "cRLSign"})
        )
        with site.store.engine.begin() as connection:
            mine = sa.update(AuthorityRow).where(AuthorityRow.name == "other")
            connection.execute(mine.values(serial=f"{self.root.serial:x}"))

    def certified(self, key, subject, **template):
        """Signed by her, and on record as issued."""
        now = self.site.clock.now().replace(microsecond=0)
        wanted = CertificateTemplate(subject, now, self.like.not_after, **template)
        algorithm = self.key.public_key.signature_algorithm
        tbs = to_be_signed(
            wanted,
            spki=key.public_key.spki,
            issuer_name=self.named,
            issuer_key_id=self.key.public_key.key_id,
            serial=int.from_bytes(self.site.randomness.token(8)),
            algorithm=algorithm,
        )
        made = Certificate(assemble(tbs, algorithm, self.key.sign(tbs)))
        row = {
            "serial": f"{made.serial:x}",
            "der": made.der,
            "fingerprint": made.fingerprint,
            "authority": "other",
        }
        self.added(
            CertificateRow,
            CertificateRow.serial == f"{self.like.serial:x}",
            row | {"reference": row["serial"]},
        )
        return made

    def added(self, table, like, values):
        with self.site.store.engine.begin() as connection:
            there = connection.execute(sa.select(table.__table__).where(like)).mappings().one()
            connection.execute(sa.insert(table.__table__).values(**{**there, **values}))


@pytest.fixture
def insider(site):
    return Insider(site)


def test_what_she_certifies_signs_nobody_in(site, insider):
    """Seen to fail (she is signed in, and evidence of it handed out) when the tables alone say what a root is."""
    genuine = site.ca.issue(REGISTRAR, site.person()).certificate
    forged = insider.certified(
        PrivateKey.generate(INTL), genuine.subject, key_usage=frozenset({"digitalSignature"})
    )
    now = site.clock.now()
    site.ca.checker.check(genuine, (), now)
    with pytest.raises(UnknownIssuer):
        site.ca.checker.check(forged, (), now)
    with pytest.raises(UnknownIssuer):
        site.ca.evidence(forged, now)


def test_her_clock_tells_no_time(site, insider):
    """Seen to fail (her token is believed) when the tables alone say what a root is."""
    key = PrivateKey.generate(INTL)
    usage = {"key_usage": frozenset({"digitalSignature"}), "extended_key_usage": ("timeStamping",)}
    unit = insider.certified(key, Name.of({"commonName": "TSA"}), **usage)
    asked = request(INTL.hash, INTL.hash.digest(b"signed yesterday"))
    token = Token.from_response(
        build_response(
            asked,
            signer=key,
            certificate=unit,
            chain=(insider.root,),
            policy="1.2.3",
            serial=1,
            at=site.clock.now(),
        ),
        asked,
    )
    genuine = site.ca.timestamps.stamp(b"signed yesterday", "intl", CLERK)
    site.ca.timestamps.verify(genuine, b"signed yesterday")
    for believe in (
        lambda: site.ca.timestamps.verify(token.der, b"signed yesterday"),
        lambda: site.ca.timestamps.standing(token.der),
    ):
        with pytest.raises(UnknownIssuer):
            believe()


def test_an_authority_that_is_not_believed_here_is_told(site, insider):
    """Seen to fail: the site was well, and only who signed in was refused."""
    health = site.ca.health()
    assert not health.ok
    assert str(site.folder / "trust") in health.text.en
    assert "other" in health.text.en
