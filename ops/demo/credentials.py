"""The demo's enrolment credentials: one for each protocol, with its secret in a file of the data directory."""

import json
from datetime import timedelta
from typing import TYPE_CHECKING

from ca.enrolment import Grant, Protocol
from ca.enrolment.credential import ANY_DOMAIN, spelled
from ops.acting import acting_person
from yinxin import files
from yinxin.authz import PLATFORM

if TYPE_CHECKING:
    from ops.platform import Platform

#: file → protocol, the profiles granted, and what the protocol calls identifier and secret
_WANTED = {
    "acme_eab": (Protocol.ACME, ("tls-server",), ("kid", "hmac_key")),
    "est": (Protocol.EST, ("tls-client", "tls-server"), ("username", "password")),
    "cmp": (Protocol.CMP, ("tls-client", "tls-server"), ("reference", "secret")),
    "scep": (Protocol.SCEP, ("tls-client", "tls-server"), ("id", "secret")),
}
_LIFE = timedelta(days=365)
#: whoever tries the demo chooses the hosts; it says so where the credential is shown and recorded
_DOMAINS = ANY_DOMAIN


def grant_credentials(platform: "Platform") -> None:
    """Grant what is not there yet, in the security officer's name; a file is written once and never changed."""
    missing = [name for name in _WANTED if not platform.data.path("credentials", f"{name}.json").exists()]
    if not missing:
        return
    officer = acting_person(platform, None, None)
    for name in missing:
        protocol, profiles, (identifier, secret_name) = _WANTED[name]
        expires = platform.clock.now() + _LIFE
        wanted = Grant(protocol, officer.organ or PLATFORM, profiles, expires, domains=_DOMAINS)
        made, secret = platform.ca.enrolment.grant(officer, wanted)
        facts = {
            identifier: made.id,
            secret_name: spelled(secret),
            "profiles": list(profiles),
            "domains": list(_DOMAINS),
        }
        if protocol is Protocol.SCEP:
            facts["challenge"] = f"{made.id}:{spelled(secret)}"
        files.replace(
            platform.data.path("credentials", f"{name}.json"), json.dumps(facts).encode(), mode=0o600
        )
