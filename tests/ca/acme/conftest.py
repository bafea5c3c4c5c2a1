"""A site with ACME over its own web application, and the hosts that it validates."""

import contextlib
import http.server
import socket
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import Client

from ca.acme.routes import routes
from ca.enrolment import Grant, Protocol
from tests.ca.acme.client import AcmeClient
from tests.ca.conftest import REGISTRAR, Site
from yinxin.web import WebSettings, create_app

HOME = "a.example.gov.cn"


class Web:
    """http-01's other side: answers by path, counts who asks."""

    def __init__(self) -> None:
        self.answers: dict[str, bytes] = {}
        self.redirects: dict[str, str] = {}
        self.asked: list[tuple[str, str]] = []
        web = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                web.asked.append((self.headers["Host"], self.path))
                if self.path in web.redirects:
                    self.send_response(302)
                    self.send_header("Location", web.redirects[self.path])
                    self.end_headers()
                    return
                body = web.answers.get(self.path)
                self.send_response(404 if body is None else 200)
                self.end_headers()
                with contextlib.suppress(OSError):
                    self.wfile.write(body or b"nothing here")

            def log_message(self, *_: object) -> None:
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_port
        self._thread = threading.Thread(target=self.server.serve_forever)
        self._thread.start()

    def put(self, client: AcmeClient, token: str) -> None:
        self.answers[f"/.well-known/acme-challenge/{token}"] = client.key_authorization(token).encode()

    def close(self) -> None:
        self.server.shutdown()
        self._thread.join()
        self.server.server_close()


class Names:
    """A name server on loopback: every name is this machine, TXT and CNAME as they are put."""

    def __init__(self) -> None:
        self.texts: dict[str, list[str]] = {}
        self.aliases: dict[str, str] = {}
        self.missing: set[str] = set()
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            data, peer = self._socket.recvfrom(4096)
            if data == b"end":
                return
            self._socket.sendto(self._answer(data), peer)

    def _answer(self, data: bytes) -> bytes:
        import dns.flags
        import dns.message
        import dns.rcode
        import dns.rdatatype
        import dns.rrset

        query = dns.message.from_wire(data)
        answer = dns.message.make_response(query)
        answer.flags |= dns.flags.RA
        question = query.question[0]
        name = question.name.to_text(omit_final_dot=True).lower()
        if name in self.missing:
            answer.set_rcode(dns.rcode.NXDOMAIN)
        elif name in self.aliases:
            answer.answer.append(
                dns.rrset.from_text(question.name, 1, "IN", "CNAME", f"{self.aliases[name]}.")
            )
        elif question.rdtype == dns.rdatatype.A:
            answer.answer.append(dns.rrset.from_text(question.name, 1, "IN", "A", "127.0.0.1"))
        elif question.rdtype == dns.rdatatype.TXT and self.texts.get(name):
            quoted = [f'"{each}"' for each in self.texts[name]]
            answer.answer.append(dns.rrset.from_text(question.name, 1, "IN", "TXT", *quoted))
        return answer.to_wire()

    def close(self) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as end:
            end.sendto(b"end", ("127.0.0.1", self.port))
        self._thread.join()
        self._socket.close()


@pytest.fixture(scope="session")
def web() -> Iterator[Web]:
    server = Web()
    yield server
    server.close()


@pytest.fixture(scope="session")
def names() -> Iterator[Names]:
    server = Names()
    yield server
    server.close()


class Desk:
    """A site, its application, and a credential to register with."""

    def __init__(self, site: Site, web: Web, names: Names) -> None:
        self.site, self.web, self.names = site, web, names
        self.acme = site.ca.acme
        self.app = application(site)
        self.grant()

    def grant(self, **parts: Any) -> tuple[str, bytes]:
        """A credential, which clients made from now on register with."""
        expires = self.site.clock.now() + timedelta(days=365)
        given = {
            "protocol": Protocol.ACME,
            "organ": "county-a",
            "profiles": ("tls-server",),
            "expires": expires,
        }
        made, secret = self.site.ca.enrolment.grant(REGISTRAR, Grant(**{**given, **parts}))
        self.kid, self.secret = made.id, secret
        return made.id, secret

    def client(self, *, registered: bool = True, **parts: Any) -> AcmeClient:
        made = AcmeClient(Client(self.app), **parts)
        if registered:
            assert made.register(self.kid, self.secret).status_code == 201
        return made

    def prove(self, client: AcmeClient, order: dict[str, Any]) -> None:
        """Every authorization of an order, by http-01."""
        for each in order["authorizations"]:
            challenge = client.challenge(each)
            self.web.put(client, challenge["token"])
            assert client.post(challenge["url"], {}).status_code == 200
        self.acme.validators.idle()

    def ready(self, client: AcmeClient, *names: str, **payload: Any) -> tuple[str, dict[str, Any]]:
        """An order that can be finalized."""
        url, order = client.order(*(names or (HOME,)), **payload)
        self.prove(client, order)
        order = client.get(url)
        assert order["status"] == "ready", order
        return url, order


def application(site: Site) -> Flask:
    app = create_app(
        authenticator=site.authz.sessions, store=site.store, clock=site.clock, settings=WebSettings()
    )
    for blueprint in routes(site.ca):
        app.register_blueprint(blueprint)
    return app


@pytest.fixture
def settings(web: Web, names: Names) -> dict[str, Any]:
    return {
        "http01_port": web.port,
        "dns_resolver": f"127.0.0.1:{names.port}",
        "validation_attempts": 1,
        "validation_timeout_seconds": 5,
    }


@pytest.fixture
def opened(
    founded: Callable[..., Site], settings: dict[str, Any], web: Web, names: Names
) -> Callable[..., Desk]:
    """Makes a desk with further settings of ACME."""
    return lambda **further: Desk(founded(acme={**settings, **further}), web, names)


@pytest.fixture
def desk(opened: Callable[..., Desk]) -> Desk:
    return opened()
