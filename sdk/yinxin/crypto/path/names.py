"""Name constraints (RFC 5280 4.2.1.10, 6.1.3 b and c, 6.1.4 g): every name below an authority, held to what it allows.

The permitted names of several authorities are intersected by asking each; a name is held to the constraints of its own
kind only. A name or a constraint that cannot be compared is never passed over.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from ipaddress import ip_address, ip_network
from urllib.parse import urlsplit

from yinxin.crypto.certificates import Certificate
from yinxin.crypto.constraints import NameConstraints
from yinxin.crypto.errors import MalformedName, NameNotJudged, NameNotPermitted
from yinxin.crypto.general_names import GeneralName
from yinxin.crypto.names import Folded, Name
from yinxin.crypto.path.work import Kind, Work
from yinxin.text import Text

#: bases of one kind each
ByKind = Mapping[str, Sequence[GeneralName]]
#: who imposes it, and which names are permitted and excluded
Imposed = tuple[Text | str, ByKind, ByKind]

_HOST = re.compile(r"(?:(?!-)[a-z0-9_-]{1,63}(?<!-)\.)*(?!-)[a-z0-9_-]{1,63}(?<!-)", re.ASCII)
#: tag of a GeneralName in hexadecimal → what RFC 5280 4.2.1.6 calls it; the kinds that are compared have no entry
_KINDS = {"a0": "otherName", "a3": "x400Address", "a5": "ediPartyName", "87": "ip", "88": "registeredID"}
_CALLER = Text("核验方", "the verifier")


def check(chain: Sequence[Certificate], initial: NameConstraints | None, work: Work) -> None:
    """Hold every certificate to the constraints of those above it, the anchor's and the caller's `initial` included.

    Raises NameNotPermitted, NameNotJudged or PathTooComplex.
    """
    imposed = [_imposed(_CALLER, initial, work)] if initial else []
    for certificate in reversed(chain):
        is_leaf, is_anchor = certificate is chain[0], certificate is chain[-1]
        if imposed and (is_leaf or not (certificate.is_self_issued or is_anchor)):
            _hold(certificate, imposed, work)
        if certificate.name_constraints:
            imposed.append(_imposed(certificate.subject.text, certificate.name_constraints, work))


def hold_names(certificate: Certificate, above: Sequence[Certificate]) -> None:
    """Hold a certificate that is about to be made to the constraints of those `above` it, from its issuer up.

    Raises NameNotPermitted, NameNotJudged or PathTooComplex.
    """
    check((certificate, *above), None, Work(certificate.subject.text))


def _hold(certificate: Certificate, imposed: Iterable[Imposed], work: Work) -> None:
    names = tuple(dict.fromkeys(_names(certificate)))
    for authority, permitted, excluded in imposed:
        for name in names:
            kind = _kind(name)
            inside, outside = permitted.get(kind, ()), excluded.get(kind, ())
            work.spend(Kind.NAMES, len(inside) + len(outside))
            facts = {"subject": certificate.subject.text, "authority": authority, "name": _shown(name)}
            try:
                allowed = not inside or any(_within(name, each) for each in inside)
                allowed = allowed and not any(_overlaps(name, each) for each in outside)
            except ValueError as error:
                raise NameNotJudged(kind=kind, **facts) from error
            if not allowed:
                raise NameNotPermitted(**facts)


def _imposed(authority: Text | str, constraints: NameConstraints, work: Work) -> Imposed:
    """Sorted once for all names below; constraints with which no name is compared are work too."""
    work.spend(Kind.NAMES, len(constraints.permitted) + len(constraints.excluded))
    return authority, _by_kind(constraints.permitted), _by_kind(constraints.excluded)


def _by_kind(bases: Iterable[GeneralName]) -> ByKind:
    found: defaultdict[str, list[GeneralName]] = defaultdict(list)
    for base in bases:
        found[_kind(base)].append(base)
    return found


def _names(certificate: Certificate) -> Iterator[GeneralName]:
    """The subject, its alternative names, and its addresses in the old place (4.2.1.10: emailAddress)."""
    if certificate.subject:
        yield "dirname", certificate.subject.der.hex()
    yield from certificate.san
    yield from (
        ("email", text) for attribute, text in certificate.subject.pairs if attribute == "emailAddress"
    )


def _kind(name: GeneralName) -> str:
    kind, text = name
    return _KINDS.get(text[:2], text[:2]) if kind == "other" else kind


def _shown(name: GeneralName) -> str:
    kind, text = name
    try:
        return Name(bytes.fromhex(text)).text if kind == "dirname" else text
    except MalformedName:
        return text


# --- one name and one constraint; ValueError when the two cannot be compared ---------------------------------------


def _within(name: GeneralName, base: GeneralName) -> bool:
    kind, text = name
    if kind != base[0]:
        raise ValueError("a name or a constraint of no readable form")
    if kind == "dirname":
        return _directory(text)[: len(_directory(base[1]))] == _directory(base[1])
    if kind == "dns":
        return _below(_host(text.removeprefix("*.")), base[1])
    if kind == "email":
        return _email_within(text, base[1])
    if kind == "uri":
        return _host_within(_host_of_uri(text), base[1])
    if kind == "ip":
        network = ip_network(base[1])
        return ip_address(text) in network
    raise ValueError("a kind that is not compared")


def _overlaps(name: GeneralName, base: GeneralName) -> bool:
    """Whether an excluded name is meant; a wildcard means also each single label in its place."""
    kind, text = name
    if kind == base[0] == "dns" and text.startswith("*."):
        first, _, parent = _folded_host(base[1]).partition(".")
        if first and parent == _host(text.removeprefix("*.")):
            return True
    return _within(name, base)


@lru_cache(maxsize=4096)
def _directory(text: str) -> Folded:
    try:
        return Name(bytes.fromhex(text)).folded
    except MalformedName as error:
        raise ValueError("not a distinguished name") from error


def _host(text: str) -> str:
    host = text.lower().removesuffix(".")
    if not _HOST.fullmatch(host):
        raise ValueError("not a host name")
    return host


def _folded_host(base: str) -> str:
    bare = base.removeprefix(".")
    return _host(bare) if bare else ""


def _below(host: str, base: str) -> bool:
    """A domain itself or any below it; with a leading dot only those below, empty all (RFC 5280 4.2.1.10: dNSName)."""
    domain = _folded_host(base)
    return not domain or host.endswith(f".{domain}") or (host == domain and not base.startswith("."))


def _host_within(host: str, base: str) -> bool:
    """That host; with a leading dot the hosts below that domain (4.2.1.10: rfc822Name and URI)."""
    domain = _folded_host(base)
    return not domain or (host.endswith(f".{domain}") if base.startswith(".") else host == domain)


def _email_within(text: str, base: str) -> bool:
    local, at, host = text.rpartition("@")
    if not at or not local or not text.isascii() or not text.isprintable():
        raise ValueError("not a mailbox")
    if "@" not in base:
        return _host_within(_host(host), base)
    base_local, _, base_host = base.rpartition("@")
    return local == base_local and _host(host) == _host(base_host)


def _host_of_uri(text: str) -> str:
    """The host of a URI that has one by name: others no constraint can allow (4.2.1.10)."""
    if "\\" in text or not text.isascii() or not text.isprintable() or " " in text:
        raise ValueError("not a URI")
    host = _host(urlsplit(text).hostname or "")
    if host.rpartition(".")[2].isdigit():
        raise ValueError("an address, not a name")
    return host
