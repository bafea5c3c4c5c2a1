"""Finding paths: depth first over every certificate at hand, likely issuers first, each link's signature verified."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime

from yinxin.crypto.certificates import Certificate
from yinxin.crypto.errors import PathTooComplex, UnknownIssuer
from yinxin.crypto.names import Folded
from yinxin.crypto.path.work import Kind, Work
from yinxin.errors import YinxinError

Chain = tuple[Certificate, ...]


class Pool:
    """Certificates by the name they bear, and which are known to have signed which."""

    def __init__(
        self, certificates: Iterable[Certificate], anchors: Iterable[Certificate], work: Work
    ) -> None:
        trusted = tuple(anchors)
        self.anchors = frozenset(trusted)
        self._work = work
        self._by_name: defaultdict[Folded, list[Certificate]] = defaultdict(list)
        self._links: dict[tuple[bytes, bytes], YinxinError | None] = {}
        for each in dict.fromkeys((*trusted, *certificates)):
            self._by_name[each.subject.folded].append(each)

    def bearing(self, name: Folded) -> tuple[Certificate, ...]:
        """Every certificate whose subject this is."""
        return tuple(self._by_name.get(name, ()))

    def issuers(self, certificate: Certificate, at: datetime) -> list[Certificate]:
        """Who may have issued it, by name and key identifier; the likeliest first, and else as they were given."""
        wanted = certificate.authority_key_id

        def unlikely(candidate: Certificate) -> tuple[bool, bool, bool, bool, bool, float]:
            return (
                wanted is None or candidate.subject_key_id is None,
                not candidate.not_before <= at <= candidate.not_after,
                not candidate.is_ca,
                candidate not in self.anchors,
                candidate.is_self_issued,  # a rollover's link: the way over it is longer
                -candidate.not_before.timestamp(),
            )

        found = self.bearing(certificate.issuer.folded)
        fitting = (each for each in found if wanted in (None, each.subject_key_id or wanted))
        return sorted(fitting, key=unlikely)

    def verify(self, certificate: Certificate, issuer: Certificate) -> None:
        """Verify the link, once for each key however many certificates it has; raises what `issued_by` raises."""
        link = (certificate.der, issuer.public_key.spki)
        if link not in self._links:
            self._work.spend(Kind.SIGNATURES)
            try:
                certificate.issued_by(issuer)
            except YinxinError as error:
                self._links[link] = error
            else:
                self._links[link] = None
        if (failure := self._links[link]) is not None:
            raise failure


class Search:
    """Every path from one certificate to an anchor, and what was wrong with those that led nowhere."""

    def __init__(self, pool: Pool, leaf: Certificate, at: datetime, work: Work) -> None:
        self._pool, self._leaf, self._at, self._work = pool, leaf, at, work
        #: how many certificates it got to and what was wrong there; of whole paths apart
        self._stuck: list[tuple[int, YinxinError]] = []
        self._refused: list[YinxinError] = []

    def paths(self) -> Iterator[Chain]:
        """Every path whose signatures hold, the likeliest first; raises PathTooComplex."""
        for chain in self._above((self._leaf,)):
            self._work.spend(Kind.PATHS)
            yield chain

    def _above(self, chain: Chain) -> Iterator[Chain]:
        last = chain[-1]
        if last in self._pool.anchors:
            yield chain
            return
        if len(chain) == Kind.CERTIFICATES.limit:
            self._fail(chain, Kind.CERTIFICATES.exceeded(self._leaf.subject.text))
            return
        candidates = [each for each in self._pool.issuers(last, self._at) if not _seen(each, chain)]
        if not candidates:
            self._fail(chain, UnknownIssuer(subject=last.subject.text, issuer=last.issuer.text))
        for candidate in candidates:
            self._work.spend(Kind.CANDIDATES)
            try:
                self._pool.verify(last, candidate)
            except PathTooComplex:
                raise
            except YinxinError as error:
                self._fail(chain, error)
                continue
            yield from self._above((*chain, candidate))

    def _fail(self, chain: Chain, failure: YinxinError) -> None:
        self._stuck.append((len(chain), failure))

    def refuse(self, failure: YinxinError) -> None:
        """Note that a whole path, signatures and all, is no valid one."""
        self._refused.append(failure)

    def verdict(self) -> YinxinError:
        """The most telling failure: of the likeliest whole path, or else of the longest way up."""
        return self._refused[0] if self._refused else max(self._stuck, key=lambda each: each[0])[1]


def _seen(candidate: Certificate, chain: Chain) -> bool:
    """A name with the same key twice is a loop; the same name with another key is a rollover."""
    return any(
        each.public_key == candidate.public_key and each.subject.matches(candidate.subject) for each in chain
    )
