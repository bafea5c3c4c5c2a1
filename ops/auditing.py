"""What the log is told by the floors above it (`audit.surroundings`): organs, words, tables for reports, and signing."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from audit.surroundings import Executed, Rows
from authz.directory.tree import reached
from authz.errors import UnknownPerson
from ca.lookup import Found
from ops.modules import MODULES
from yinxin import pdf as sealing
from yinxin.act import SYSTEM
from yinxin.crypto.suite import INTL
from yinxin.text import Text

if TYPE_CHECKING:
    from ops.platform import Platform

#: the keys that sign reports and what is timestamped: the platform's own seal, and the timestamp unit (suite intl)
SEAL, STAMP = "intl-evidence", "intl-tsa"


class Around:
    """The directory, the registrations of all modules, the policies in force, and the platform's seal."""

    def __init__(self, platform: "Platform") -> None:
        self._platform = platform

    def below(self, organ: str) -> Sequence[str]:
        """The organ and every one below it in the directory; raises UnknownOrgan."""
        self._platform.authz.directory.organ(organ)
        with self._platform.store.read() as session:
            return list(session.scalars(reached(organ)))

    def tenant(self, organ: str) -> str | None:
        """The tenant that an organ is or lies in."""
        return self._platform.authz.tenants.of(organ)

    def tenants(self) -> Collection[str]:
        """Every organ that lies in a tenant."""
        return self._platform.authz.directory.tenants()

    def verb(self, name: str) -> Text | None:
        """What an act is called."""
        return self._verbs.get(name)

    def verbs(self) -> Sequence[tuple[str, Text]]:
        """Every act that is recorded."""
        return tuple(self._verbs.items())

    def modules(self) -> Sequence[tuple[str, Text]]:
        """Every module."""
        return tuple((module.name, module.title) for module in MODULES if module.verbs)

    def person(self, id: str) -> bool:  # noqa: A002 - the field's name
        """Whether the directory has, or had, a person of that identifier."""
        try:
            self._platform.authz.directory.person(id)
        except UnknownPerson:
            return False
        return True

    def policy(self, id: str) -> Text | None:  # noqa: A002 - the field's name
        """What a policy in force says."""
        return self._platform.authz.decisions.policies.reasons.get(id)

    def executed(self, proposal: str) -> Executed | None:
        """The proposal, if it is on record, unaltered and carried out."""
        found = self._platform.authz.proposals.executed(proposal)
        if found is None:
            return None
        document = found.document
        return Executed(
            kind=document.kind,
            digest=found.digest,
            content=document.content,
            signed=frozenset(each.certificate for each in found.signed),
            needed=document.approvals,
            basis=document.basis,
            unentitled={
                each.certificate: Text(error.text("zh"), error.text("en")) for each, error in found.unentitled
            },
        )

    def tables(self, report: str) -> Sequence[tuple[str, Text, Sequence[tuple[str, Text]], Rows]]:
        """What modules add to a kind of report, read now."""
        return tuple(self._tables(report))

    def seal(self, pdf: bytes, files: Sequence[tuple[str, str, bytes]], reason: str) -> bytes:
        """The PDF with the files inside, under the platform's seal and timestamp (PAdES B-LTA).

        Raises UnknownCertificate before a ceremony has made the seal, and what key centre and authority fail by.
        """
        platform, now = self._platform, self._platform.clock.now()
        seal, stamp = self._certified(SEAL), self._certified(STAMP)
        proofs = [platform.ca.evidence(each.certificates[0], now) for each in (seal, stamp)]
        chains = {each.fingerprint: each for found in (seal, stamp) for each in found.certificates}
        root = seal.certificates[-1]
        issuers = [each for found in (seal, stamp) for each in found.certificates[1:]]
        names = {platform.ca.ctx.issuers.of_key(each.public_key.key_id) for each in issuers}
        lists = {platform.ca.crl(issuer.name) for issuer in names if issuer is not None}
        return sealing.seal(
            pdf,
            signer=platform.kms.signer(SEAL),
            certificate=seal.certificates[0],
            validity=sealing.Validity(
                root=root,
                others=tuple(each for each in chains.values() if each != root),
                ocsps=tuple(dict.fromkeys(each for proof in proofs for each in proof.ocsp)),
                crls=tuple(lists.union(*(proof.crls for proof in proofs))),
            ),
            timestamp=lambda request: platform.ca.timestamp(INTL.name, request, SYSTEM),
            at=now,
            place=None,
            picture=None,
            attachments=tuple(sealing.Attachment(name, kind, name, data) for name, kind, data in files),
            reason=reason,
        )

    def _certified(self, label: str) -> Found:
        key = self._platform.kms.signer(label).public_key
        return self._platform.ca.by_key(INTL.hash.digest(key.spki).hex())

    def _tables(self, report: str) -> Iterator[tuple[str, Text, Sequence[tuple[str, Text]], Rows]]:
        for module in MODULES:
            for table in module.reports:
                if table.report == report:
                    rows = table.rows(self._platform.service(module))
                    yield table.name, table.title, table.columns, rows

    @cached_property
    def _verbs(self) -> Mapping[str, Text]:
        return {verb.name: verb.text for module in MODULES for verb in module.verbs}
