"""The certificate authority as one service: what commands, interfaces, timers and the floors above call."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from authz.directory import Directory
from authz.refusals import Refusals
from ca import check, inventory, timestamp
from ca.acme.ari import MARK as RENEW
from ca.acme.service import Acme
from ca.attribute.issue import Templates
from ca.attribute.service import Attributes
from ca.bulk import Bulk, Lists
from ca.ceremony.conduct import VERB as CEREMONY
from ca.ceremony.conduct import Done, conduct
from ca.ceremony.kinds import Plan
from ca.ceremony.proposal import resource_of as ceremony_resource
from ca.check import Checker, Evidence
from ca.cmp import transaction
from ca.context import Context
from ca.ends import Ends, ends
from ca.enrolment import Enrolment
from ca.enrolment.agent import Agents
from ca.errors import UnknownCertificate
from ca.health import health
from ca.hierarchy import tree
from ca.hierarchy.chains import chains, collection
from ca.inventory import Filter
from ca.issue import Issued, Told, Wanted, issue_wanted
from ca.issue_many import Answer, issue_many
from ca.issuer import Issuers
from ca.keycheck.blocklist import Blocklist
from ca.lookup import Found, by_key
from ca.lookup import own as own_certificate
from ca.models import CertificateRow
from ca.outside.authority import Outside
from ca.outside.order import Order
from ca.pair.service import Pairs
from ca.profile import Profiles
from ca.profile.versions import versions
from ca.recheck.service import Recheck
from ca.reconcile import reconcile
from ca.register import DirectoryRegister
from ca.registration.departed import revoke_departed
from ca.registration.notices import Delivery, notify
from ca.registration.renew import renew
from ca.registration.service import Registrations
from ca.request import IssueRequest
from ca.revoke import VERB as REVOKE
from ca.revoke import Revocation, revoke
from ca.revoke_many import Target, confirmed, revoke_many, targeted
from ca.settings import CaSettings
from ca.stamps import Stamps
from ca.status import crl, ocsp, presign, publish
from ca.status.crl import Published
from ca.status.line import Line
from ca.suspend import RESUME, SUSPEND, Hold, resume, suspend
from kms.service import KeyCentre
from yinxin.act import STRANGER, Actor, Kind
from yinxin.authz import PLATFORM, Decider, Resource
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.signed_data import certificates_only
from yinxin.errors import YinxinError
from yinxin.module import Health
from yinxin.store import Store

READ = "ca.read"
#: issuances that an export reads at a time
EXPORT_PAGE = 500
#: certificates of one's own that are shown at most
OWN = 200


class Authority:
    """Issues, revokes, answers for and timestamps; one per process, shared by its threads.

    `templates` gives what can be granted by the policies in force: attribute certificates state it.
    """

    def __init__(
        self,
        store: Store,
        keys: KeyCentre,
        directory: Directory,
        decider: Decider,
        settings: CaSettings,
        *,
        templates: Callable[[], Templates],
        root: Path = Path(),
    ) -> None:
        self.keys = keys
        self.decider = decider
        #: the data directory
        self.root = root
        self.ctx = Context(
            store=store,
            issuers=Issuers(store, keys),
            settings=settings,
            profiles=Profiles(root / settings.profiles if settings.profiles else None),
            register=DirectoryRegister(directory, store),
            decider=decider,
            escrow=keys.escrow,
            rejections=Refusals(store, settings.rejections_per_minute),
            outside=Order(store, (Outside(name, each) for name, each in settings.tsa_outside.items())),
            trust=root / "trust",
        )
        #: enrolment by protocol, on credentials that officers grant
        self.enrolment = Enrolment(self.ctx, keys, decider)
        #: who takes notices to their readers; nobody, until a module that can is handed in
        self.delivery: Delivery | None = None
        #: enrolment from lists
        self.bulk = Bulk(self.ctx, decider)
        self.lists = Lists(self.ctx, decider, self.bulk)
        #: applications for certificates, and the officers who decide on them
        self.registrations = Registrations(self.ctx, decider)
        #: who signs the protocols' own messages
        self.agents = Agents(self.ctx, keys)
        #: certificates by ACME (RFC 8555)
        self.acme = Acme(self.ctx, keys, self.enrolment)
        #: pairs of certificates, their encryption keys in escrow
        self.pairs = Pairs(self.ctx, keys.escrow, decider)
        #: attribute certificates: posts, roles and grants as signed objects
        self.attributes = Attributes(self.ctx, decider, templates)
        #: keys that are never certified again
        self.blocklist = Blocklist(self.ctx, decider, self.revoke)
        if settings.status.publish_folder:
            store.recorded.append(lambda: publish.follow(self.ctx))
        #: everything stored, checked again
        self.recheck = Recheck(self.ctx)
        #: timestamps over what people sign (`authz.proposal.context.Timestamps`)
        self.timestamps = Stamps(self.ctx)
        #: what authz asks (`authz.checker.CertificateChecker`)
        self.checker = Checker(self.ctx)

    # --- acts of officers --------------------------------------------------------------------------------------

    def issue(self, actor: Actor, request: IssueRequest, *, told: Told | None = None) -> Issued:
        """Issue, if the policies permit it; see `ca.issue.issue_wanted`. Raises Denied."""
        return issue_wanted(self.ctx, actor, Wanted(request, told=told, ask=True))

    def issue_reserved(self, actor: Actor, request: IssueRequest) -> Issued:
        """As `issue`, for a service of `ca.request.RESERVED`: for `yinxin kms-services`, and behind no address."""
        return issue_wanted(self.ctx, actor, Wanted(request, ask=True, reserved=True))

    def issue_many(self, actor: Actor, requests: Sequence[IssueRequest]) -> list[Answer]:
        """Issue what the policies permit; for each request the certificate or the refusal. See `ca.issue_many`."""
        return issue_many(self.ctx, actor, [Wanted(each, ask=True) for each in requests])

    def revoke(self, actor: Actor, name: str, reason: str) -> Revocation:
        """Revoke by serial number or fingerprint, if the policies permit it; see `ca.revoke.revoke`. Raises Denied."""
        row, decision = self._permitted(actor, REVOKE, name)
        return revoke(self.ctx, actor, row.serial, reason, decision)

    def targeted(self, actor: Actor, target: Target) -> tuple[CertificateRow, ...]:
        """What `revoke_many` would revoke; raises Denied when one of them is not the actor's to see."""
        rows = targeted(self.ctx, target)
        for row in rows:
            self.decider.require(actor, READ, resource_of(row))
        return rows

    def revoke_many(
        self, actor: Actor, target: Target, reason: str, expected: int
    ) -> tuple[list[Revocation], list[tuple[str, YinxinError]]]:
        """Revoke all that `target` names, each by its own act; see `ca.revoke_many`. Raises WrongCount, Denied."""
        rows = self.targeted(actor, target)
        confirmed(self.ctx, actor, target, rows, expected)
        return revoke_many(rows, lambda row: self.revoke(actor, row.serial, reason))

    def renew_own(self, csr: bytes, signature: bytes, *, supersede: bool = False) -> Issued:
        """The successor of a certificate, on its key's word; see `ca.registration.renew.renew`."""
        return renew(self.ctx, csr, signature, supersede=supersede)

    def suspend(self, actor: Actor, name: str) -> Hold:
        """Suspend until resumed or revoked, if the policies permit it; see `ca.suspend.suspend`. Raises Denied."""
        row, decision = self._permitted(actor, SUSPEND, name)
        return suspend(self.ctx, actor, row.serial, decision)

    def resume(self, actor: Actor, name: str) -> Hold:
        """Lift a hold, if the policies permit it; see `ca.suspend.resume`. Raises Denied."""
        row, decision = self._permitted(actor, RESUME, name)
        return resume(self.ctx, actor, row.serial, decision)

    def renew(self, actor: Actor, name: str, url: str | None = None) -> str:
        """Have a certificate renewed now (RFC 9773), if the policies permit revoking it; its serial number.

        Raises UnknownCertificate, Denied.
        """
        try:
            row = inventory.find(self.ctx, name)
        except YinxinError as error:
            self.ctx.store.refuse(actor, RENEW, f"certificate:{name[:80]}", error)
            raise
        self.acme.renew(actor, row.serial, self.decider.require(actor, REVOKE, resource_of(row)), url)
        return row.serial

    def _permitted(self, actor: Actor, verb: str, name: str) -> tuple[CertificateRow, dict[str, Any]]:
        """The certificate that an act is about and the record of the permission; raises UnknownCertificate, Denied."""
        try:
            row = inventory.find(self.ctx, name)
        except YinxinError as error:
            self.ctx.store.refuse(actor, verb, f"certificate:{name[:80]}", error)
            raise
        return row, self.decider.require(actor, verb, resource_of(row)).record()

    def show(self, actor: Actor, name: str) -> CertificateRow:
        """One issuance, by serial number or fingerprint; raises UnknownCertificate, Denied."""
        row = inventory.find(self.ctx, name)
        self.decider.require(actor, READ, resource_of(row))
        return row

    def may(self, actor: Actor, verb: str, row: CertificateRow) -> bool:
        """Whether the policies would let the actor; for showing a button."""
        return self.decider.check(actor, verb, resource_of(row)).allowed

    def held(self, actor: Actor) -> Sequence[CertificateRow]:
        """The certificates that the person acting holds herself, the newest first: what is one's own needs no permission."""
        if actor.kind is not Kind.PERSON:
            return ()
        own = Filter(holder=actor.id, sort="-created")
        found = inventory.search(self.ctx.store, own, limit=OWN)
        return [row for row in found if row.holder_kind == "person"]

    def bundle(self, row: CertificateRow) -> str:
        """A certificate that was handed out, and those above it, in PEM; raises UnknownCertificate of one that never was."""
        whole = inventory.find(self.ctx, row.serial)  # the rows of a list come without their octets
        if whole.der is None:
            raise UnknownCertificate(certificate=row.serial)
        above = self.ctx.issuers.get(row.authority).chain
        return "".join(each.pem for each in (Certificate(whole.der), *above))

    def own(self, actor: Actor) -> tuple[Certificate, ...]:
        """The certificate by which the actor is known here, and those above it; raises UnknownCertificate."""
        return own_certificate(self.ctx, actor.certificate or "")

    def may_read(self, actor: Actor) -> None:
        """Whether the actor looks at certificates of the own organ at all; raises Denied."""
        organ = actor.organ or PLATFORM
        resource = Resource("Certificate", "*", organ=organ, attributes={"profile": "*"})
        self.decider.require(actor, READ, resource)

    def search(
        self, actor: Actor, wanted: Filter, *, after: str = "", limit: int = 100
    ) -> Sequence[CertificateRow]:
        """A page of issuances in an organ (the actor's own, unless the filter names one); raises Denied, UnknownProfile."""
        organ = wanted.organ or actor.organ or PLATFORM
        resource = Resource("Certificate", "*", organ=organ, attributes={"profile": wanted.profile or "*"})
        self.decider.require(actor, READ, resource)
        if wanted.profile is not None and wanted.profile not in self.ctx.profiles:
            versions(
                self.ctx, wanted.profile
            )  # a name that never was is told, for an empty list would say: there are none
        return inventory.search(self.ctx.store, replace(wanted, organ=organ), after=after, limit=limit)

    def ends(self, actor: Actor, organ: str | None = None) -> Sequence[Ends]:
        """How many certificates in force end in each coming month, of an organ (the actor's own, else) and those below; raises Denied."""
        organ = organ or actor.organ or PLATFORM
        resource = Resource("Certificate", "*", organ=organ, attributes={"profile": "*"})
        self.decider.require(actor, READ, resource)
        return ends(self.ctx.store, organ)

    def found(self, actor: Actor, plan: Plan, beside: Path) -> Done:
        """Found the hierarchies of a site that has none; see `ca.ceremony.conduct`. Raises Denied, ProposalNeeded."""
        self.decider.require(actor, CEREMONY, ceremony_resource(plan))
        return conduct(self.ctx, self.keys, actor, plan, self.root, beside=beside)

    def hierarchy(self, actor: Actor) -> list[dict[str, Any]]:
        """Every authority and how it stands; see `ca.hierarchy.tree.tree`. Raises Denied."""
        self._may_read_platform(actor)
        return tree.tree(self.ctx, self.keys)

    def authority(self, actor: Actor, name: str) -> dict[str, Any]:
        """One authority with all its certificates; raises UnknownAuthority, Denied."""
        self._may_read_platform(actor)
        return tree.one(self.ctx, self.keys, name)

    def _may_read_platform(self, actor: Actor) -> None:
        resource = Resource("Certificate", "*", organ=PLATFORM, attributes={"profile": "*"})
        self.decider.require(actor, READ, resource)

    def every(self, actor: Actor, wanted: Filter) -> Iterator[CertificateRow]:
        """All issuances that match, page by page as they are taken; raises as `search`, before the first."""
        page = self.search(actor, wanted, limit=EXPORT_PAGE)
        while page:
            yield from page
            after = inventory.position(page[-1], wanted.sort)
            page = (
                self.search(actor, wanted, after=after, limit=EXPORT_PAGE) if len(page) == EXPORT_PAGE else ()
            )

    # --- public services ---------------------------------------------------------------------------------------

    def ocsp(self, request: bytes) -> bytes:
        """An OCSP response, both DER."""
        return ocsp.answer(self.ctx, request)

    def crl(self, name: str) -> bytes:
        """The revocation list in force of an authority, or `NAME/SHARD`, DER; raises UnknownAuthority, Unavailable."""
        return crl.in_force(self.ctx, Line.of(name)).der

    def published(self, line: Line) -> Published:
        """The list in force of a line with its delta; raises UnknownAuthority, Unavailable."""
        return crl.in_force(self.ctx, line)

    def delta(self, name: str) -> bytes:
        """The delta to that list; raises UnknownAuthority, NoDelta, Unavailable."""
        return crl.delta_in_force(self.ctx, Line.of(name))

    def timestamp(self, suite: str, request: bytes, actor: Actor = STRANGER) -> bytes:
        """A timestamp response, both DER; raises UnknownSuite."""
        return timestamp.stamp(self.ctx, suite, request, actor)

    def certificate(self, name: str) -> Certificate:
        """An authority's own certificate; raises UnknownAuthority."""
        return self.ctx.issuers.get(name).chain[0]

    def by_key(self, spki_digest: str) -> Found:
        """The certificates for a key of an organ or service; raises UnknownCertificate."""
        return by_key(self.ctx, spki_digest)

    def collection(self, name: str) -> bytes:
        """The certificates of these chains as one certs-only message (RFC 5280 4.2.2.1), DER; raises UnknownAuthority."""
        return certificates_only(collection(self.ctx, name))

    def authorities(self) -> tuple[str, ...]:
        """The authorities that are made, by name."""
        return self.ctx.issuers.names()

    def chains(self, name: str) -> tuple[tuple[Certificate, ...], ...]:
        """Every way from an authority to a root; see `ca.hierarchy.chains.chains`. Raises UnknownAuthority."""
        return chains(self.ctx, name)

    # --- for the floors above ----------------------------------------------------------------------------------

    def evidence(self, certificate: Certificate, at: datetime) -> Evidence:
        """Chain, OCSP answers and lists that prove the certificate's standing at `at`; see `ca.check.evidence`."""
        return check.evidence(self.ctx, certificate, at)

    # --- for the timers ----------------------------------------------------------------------------------------

    def reconcile(self) -> None:
        """Give up issuances that were cut off."""
        reconcile(self.ctx)

    def notify(self) -> None:
        """Announce the certificates that end soon."""
        notify(self.ctx, self.delivery)

    def revoke_departed(self) -> None:
        """Revoke the certificates of people who left their post."""
        revoke_departed(self.ctx)

    def tend_registrations(self) -> None:
        """Expire applications that are over, and issue what was approved and cut off."""
        self.registrations.tend()

    def presign(self) -> None:
        """Sign the OCSP answers that are due."""
        presign.refresh(self.ctx)

    def tend_cmp(self) -> None:
        """Revoke what was issued by CMP and not confirmed in time."""
        transaction.tend(self.ctx)

    def renew_lists(self) -> None:
        """Make the revocation lists that are due, and open new ones where they are full."""
        crl.renew_all(self.ctx)
        publish.everything(self.ctx)

    # --- for the operator --------------------------------------------------------------------------------------

    def health(self) -> Health:
        """Whether every authority has its list and its helpers, and until when."""
        return health(self.ctx, self.recheck)


def resource_of(row: CertificateRow) -> Resource:
    """A certificate as policies see it: it belongs to its holder's organ."""
    return Resource(
        "Certificate", row.serial, organ=row.organ or PLATFORM, attributes={"profile": row.profile}
    )
