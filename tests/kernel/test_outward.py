"""The one way out to where somebody else says: no neighbour, no proxy, and no answer that never ends.

Where a name leads is judged in tests/authz/test_sign_on_refused.py. Seen to fail when: the time of an exchange is not limited
as a whole, a body that was cut off is taken for all of it, the environment's proxy is followed, somebody makes a client past it.
"""

import ssl
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest

from tests.support.product import ROOT, files
from yinxin.outward import AddressNotPermitted, outward

pytestmark = pytest.mark.engines("any")
HERE = ("127.0.0.0/8",)
HEAD = b"HTTP/1.1 200 OK\r\n"
BEGUN = {
    "/head": HEAD,
    "/body": HEAD + b"Connection: close\r\n\r\n",
    "/counted": HEAD + b"Content-Length: 99999\r\n\r\n",
}


class Slow(BaseHTTPRequestHandler):
    """An octet now and then, for ever."""

    def do_GET(self):
        if self.path == "/":
            self.send_response(204)
            self.end_headers()
            return
        self.wfile.write(BEGUN[self.path])
        try:
            while not self.server.over.wait(0.02):
                self.wfile.write(b"x")
        except OSError:
            self.server.left.set()

    def log_message(self, *_arguments):
        pass


@contextmanager
def slow():
    with ThreadingHTTPServer(("127.0.0.1", 0), Slow) as server:
        server.over, server.left, server.daemon_threads = threading.Event(), threading.Event(), True
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            server.over.set()
            server.shutdown()
            thread.join()


@pytest.mark.parametrize("path", list(BEGUN))
def test_an_answer_that_never_ends_is_ended(path):
    """Each octet comes well within the time that may pass between two; the exchange as a whole is over all the same."""
    with slow() as server, outward(HERE, ssl.create_default_context(), 30.0, 0.3) as http:
        began = time.monotonic()
        with pytest.raises(httpx.ReadTimeout, match="whole answer"):
            http.get(f"http://127.0.0.1:{server.server_port}{path}")
        assert time.monotonic() - began < 10
        assert server.left.wait(10)


def test_an_answer_in_time_is_not_touched():
    with slow() as server, outward(HERE, ssl.create_default_context(), 30.0, 0.3) as http:
        for _ in range(3):
            assert http.get(f"http://127.0.0.1:{server.server_port}/").status_code == 204


def test_neighbours_and_proxies(monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    with slow() as server:
        address = f"http://127.0.0.1:{server.server_port}/"
        with outward(HERE, ssl.create_default_context(), 5.0, None) as http:
            assert http.get(address).status_code == 204
        with outward((), ssl.create_default_context(), 5.0, 5.0) as http, pytest.raises(AddressNotPermitted):
            http.get(address)


def test_every_client_of_the_platform_is_made_there():
    makers = {
        str(path.relative_to(ROOT))
        for path in files("*.py")
        if "httpx.Client(" in path.read_text() or "httpx.HTTPTransport(" in path.read_text()
    }
    # an address that the user of the SDK or this installation's own settings give is no stranger's word
    own = {"sdk/yinxin/client/_client.py", "sdk/yinxin/client/transports.py"}
    own |= {"ca/outside/authority.py", "kms/engine/remote.py"}
    assert makers - own == {"sdk/yinxin/outward.py"}
