"""What validation may reach. Nothing else of the platform calls out.

Names are looked up at the resolver of the installation's choice; only networks that are not denied are connected to.
"""

import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Any

import dns.exception
import dns.name
import dns.rdatatype
import dns.resolver

from ca.acme.errors import NoAddress, NoConnection
from ca.acme.settings import AcmeSettings
from yinxin.networks import Address, addresses_of, embedded, plain, within
from yinxin.text import Text

#: addresses of one name that are tried, and aliases that are followed
_MOST = 4
_ALIASES = 8


def monotonic() -> float:
    """Seconds that only rise, for time limits; not the time of day."""
    return time.monotonic()


class Hurried(socket.socket):
    """A connection all of whose reading ends at one moment, however slowly the other side sends."""

    until = 0.0

    def recv_into(self, *arguments, **named):  # type: ignore[no-untyped-def]  # noqa: ANN002, ANN003, ANN201 - the socket's own signature
        self.settimeout(max(self.until - monotonic(), 0.001))
        return super().recv_into(*arguments, **named)


@dataclass(frozen=True)
class Reach:
    """The way out, as configured."""

    settings: AcmeSettings
    clock: Callable[[], float] = field(default=monotonic)

    def until(self) -> float:
        """When an attempt that begins now is over."""
        return self.clock() + self.settings.validation_timeout_seconds

    def addresses(self, name: str, until: float) -> list[str]:
        """Addresses of a host, or the address that it is; raises NoAddress, and NoConnection when all are denied."""
        try:
            found = [str(ip_address(name.strip("[]")))]
        except ValueError:
            found = self._looked_up(name, until)
        allowed = [each for each in found if self._allowed(ip_address(each))]
        if not allowed:
            reason = Text("配置不允许连接该网段", "the configuration allows no connection to its network")
            raise NoConnection(where=", ".join(found[:_MOST]), reason=reason)
        return allowed[:_MOST]

    def connect(self, name: str, port: int, until: float) -> Hurried:
        """A connection to the first address that answers; raises NoAddress, NoConnection."""
        failed: OSError | None = None
        for address in self.addresses(name, until):
            made = Hurried(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
            made.until = until
            made.settimeout(max(until - self.clock(), 0.001))
            try:
                made.connect((address, port))
            except OSError as error:
                made.close()
                failed = error
            else:
                return made
        raise NoConnection(where=f"{name}:{port}", reason=str(failed)[:120])

    def texts(self, name: str, until: float) -> list[str]:
        """The TXT records of a name, aliases followed; raises NoAddress."""
        answer = self._asked(name, dns.rdatatype.TXT, until)
        return [b"".join(each.strings).decode("utf-8", "replace") for each in answer]

    def _allowed(self, address: Address) -> bool:
        meant = (address, plain(address), *embedded(address))
        if any(within(one, each) for one in meant for each in self.settings.denied):
            return False
        allowed = self.settings.allowed
        return not allowed or any(within(plain(address), each) for each in allowed)

    def _looked_up(self, name: str, until: float) -> list[str]:
        if not self.settings.dns_resolver:
            return _by_system(name)
        found: list[str] = []
        failed: NoAddress | None = None
        for kind in (dns.rdatatype.A, dns.rdatatype.AAAA):
            try:
                found += [each.address for each in self._asked(name, kind, until)]
            except NoAddress as error:
                failed = error
        if not found:
            raise failed or NoAddress(name=name, reason=Text("没有地址记录", "it has no address"))
        return found

    def _asked(self, name: str, kind: dns.rdatatype.RdataType, until: float) -> list[Any]:
        """The records of a name, or of the alias it is; none is none."""
        resolver = self._resolver(name)
        try:
            # it may be too long, and where a redirection leads no name at all
            wanted = dns.name.from_text(name)
            for _ in range(_ALIASES):
                left = max(until - self.clock(), 0.001)
                answer = resolver.resolve(wanted, kind, search=False, raise_on_no_answer=False, lifetime=left)
                if answer.rrset is not None:
                    return list(answer.rrset)
                if answer.canonical_name == wanted:
                    return []
                wanted = answer.canonical_name
        except (dns.exception.DNSException, OSError) as error:
            raise NoAddress(name=name, reason=str(error)[:160]) from error
        raise NoAddress(name=name, reason=Text("别名过多", "too many aliases"))

    def _resolver(self, name: str) -> dns.resolver.Resolver:
        chosen = self.settings.dns_resolver
        try:
            resolver = dns.resolver.Resolver(configure=not chosen)
        except dns.resolver.NoResolverConfiguration as error:
            raise NoAddress(name=name, reason=str(error)[:160]) from error
        if chosen:
            host, _, port = chosen.rpartition(":")
            resolver.nameservers, resolver.port = [host.strip("[]")], int(port)
        return resolver


def _by_system(name: str) -> list[str]:
    try:
        return addresses_of(name)
    except (OSError, UnicodeError) as error:  # the second for what cannot be a name
        raise NoAddress(name=name, reason=str(error)[:160]) from error
