"""The enrolment protocols as a client of theirs sees them: an application in this process, and credentials for it."""

from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

from ca.enrolment import Credential, Grant, Protocol
from ca.enrolment.credential import ANY_DOMAIN, spelled
from ca.module import MODULE
from tests.ca.conftest import REGISTRAR, Site
from yinxin.act import Actor
from yinxin.client.transports import PEER
from yinxin.crypto.certificates import Certificate
from yinxin.errors import NotAuthenticated
from yinxin.web import Caller, WebSettings, create_app


class Nobody(NotAuthenticated):
    code = "ca_test.nobody"
    zh = "请登录。"
    en = "Sign in."


class NobodyElse:
    """These protocols have credentials of their own: nobody signs in."""

    def authenticate(self, token: str, peer: bytes | None = None) -> Caller:
        raise Nobody


def client_of(site: Site) -> Any:
    """A client of every address of the authority."""
    settings = WebSettings(public_url="https://trust.example.gov.cn")
    app = create_app(authenticator=NobodyElse(), store=site.store, clock=site.clock, settings=settings)
    for blueprint in MODULE.blueprints(site.ca):
        app.register_blueprint(blueprint)
    return app.test_client()


def shown(certificate: Certificate) -> dict[str, Any]:
    """The environment of a request whose TLS client showed this certificate."""
    return {PEER: certificate.der}


def granted(site: Site, protocol: Protocol, *, by: Actor = REGISTRAR, **parts: Any) -> tuple[Credential, str]:
    """A credential, and its secret as it is spelled."""
    given = Grant(
        protocol,
        "county-a",
        ("tls-client", "tls-server"),
        site.clock.now() + timedelta(days=90),
        domains=ANY_DOMAIN,
    )
    made, secret = site.ca.enrolment.grant(by, replace(given, **parts))
    return made, spelled(secret)


@contextmanager
def unchanged(site: Site) -> Any:
    """Nothing is issued, revoked or begun inside."""
    before = [(row.serial, row.state, row.revoked_at) for row in site.rows()]
    yield
    assert [(row.serial, row.state, row.revoked_at) for row in site.rows()] == before
