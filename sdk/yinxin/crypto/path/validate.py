"""The whole judgement: every path in turn, until one holds in every respect."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from yinxin.crypto import alternative
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.constraints import NameConstraints
from yinxin.crypto.errors import PathInvalid, PathTooComplex
from yinxin.crypto.path import form, names, policies
from yinxin.crypto.path.build import Chain, Pool, Search
from yinxin.crypto.path.policies import Held, Policies
from yinxin.crypto.path.revocation import Revocation, RevocationEvidence
from yinxin.crypto.path.usage import Usage
from yinxin.crypto.path.work import Kind, Work


@dataclass(frozen=True)
class ValidatedPath:
    """The certificates from the leaf up to and including the anchor, and the moment they were judged for."""

    certificates: tuple[Certificate, ...]
    at: datetime
    usage: Usage
    #: dotted, in the anchor's domain: the policies that hold along the path by its authorities, and of these the accepted
    authority_policies: frozenset[str] = frozenset()
    policies: frozenset[str] = frozenset()

    @property
    def leaf(self) -> Certificate:
        """The certificate that was asked about."""
        return self.certificates[0]

    @property
    def anchor(self) -> Certificate:
        """The trusted authority it leads to."""
        return self.certificates[-1]


def validate(
    leaf: Certificate,
    intermediates: Iterable[Certificate],
    anchors: Iterable[Certificate],
    *,
    at: datetime,
    usage: Usage,
    revocation: RevocationEvidence | None = None,
    require_revocation: bool = True,
    require_alternative: bool = False,
    policies: Policies | None = None,
    names: NameConstraints | None = None,
) -> ValidatedPath:
    """Find a valid path for `usage` at the instant `at`, or raise what is wrong with the best candidate.

    Revocation: a certificate revoked after `at` is fine, one revoked before is CertificateRevoked. A statement counts
    when it was current at `at`, or was made later and before the certificate expired. With `require_revocation` every
    certificate below the anchor needs one (RevocationUnknown); without, only what is given is heard.

    With `require_alternative` every certificate below the anchor needs a second signature as well, by the second key of
    the authority above it (X.509 9.8); the anchor is trusted with both. Statements about revocation have one signature.

    `policies` and `names` are the inputs of RFC 5280 6.1.1 c and e to i: by default every policy and every name will do,
    unless an authority on the path says otherwise.

    Raises UnknownIssuer, Expired, NotYetValid, UsageNotAllowed, NotAnAuthority, PathTooLong, UnsupportedExtension,
    NameNotPermitted, NameNotJudged, PolicyNotAccepted, PolicyMappingInvalid, BadSignature, PathTooComplex,
    AlternativeMissing, BadAlternative.
    """
    work = Work(leaf.subject.text)
    evidence = revocation or RevocationEvidence()
    pool = Pool(intermediates, anchors, work)
    judge = _Judge(pool, evidence, at, work, required=require_revocation)
    search = Search(pool, leaf, at, work)
    for chain, held in judge.valid(search, usage, policies or Policies(), names):
        try:
            if require_alternative:
                work.spend(Kind.SIGNATURES, len(chain))
                alternative.require(chain)
        except PathTooComplex:
            raise
        except PathInvalid as error:
            search.refuse(error)
            continue
        return ValidatedPath(chain, at, usage, held.authorities, held.accepted)
    raise search.verdict()


class _Judge:
    """Holds a path to everything but its signatures, which the search has verified."""

    def __init__(
        self, pool: Pool, evidence: RevocationEvidence, at: datetime, work: Work, *, required: bool
    ) -> None:
        self._pool, self._at, self._work = pool, at, work
        self._revocation = Revocation(
            evidence, at, pool, work, required=required, find_path=self._paths_of_signer
        )

    def valid(
        self, search: Search, usage: Usage, wanted: Policies, permitted: NameConstraints | None
    ) -> Iterator[tuple[Chain, Held]]:
        """Every valid path of a search, with the policies it holds for; what is wrong with the others is noted there."""
        for chain in search.paths():
            try:
                form.check(chain, self._at, usage)
                names.check(chain, permitted, self._work)
                held = policies.check(chain, wanted, self._work)
                self._revocation.check(chain)
            except PathTooComplex:
                raise
            except PathInvalid as error:
                search.refuse(error)
                continue
            yield chain, held

    def _paths_of_signer(self, signer: Certificate, anchor: Certificate) -> Iterator[Chain]:
        """The valid paths of one who signs lists, to that very anchor (RFC 5280 6.3.3 f)."""
        search = Search(self._pool, signer, self._at, self._work)
        for chain, _ in self.valid(search, Usage.ANY, Policies(), None):
            if chain[-1] == anchor:
                yield chain
