"""Debian's nginx on loopback, with the configuration that we ship."""

import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

FOLDER = Path(__file__).parents[2] / "ops" / "nginx"
_MAIN = """
user root;
worker_processes 1;
error_log {folder}/error.log;
pid {folder}/pid;
events {{ }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    keepalive_requests 1000000;
    include {folder}/shipped.conf;
}}
"""


@contextmanager
def nginx(folder: Path, published: Path, plain_port: int) -> Iterator[str]:
    """In front of the plain port; the server's address. Stopped afterwards."""
    port = _free()
    here = {
        "127.0.0.1:8080": f"127.0.0.1:{plain_port}",
        "listen 80": f"listen 127.0.0.1:{port}",
        "/var/lib/yinxin/public": str(published),
    }
    with _running(folder, "status.conf", here, port):
        yield f"http://127.0.0.1:{port}"


@contextmanager
def fronting(folder: Path, data: Path) -> Iterator[int]:
    """In front of pages and API, over the socket in `data`; the TLS port. Stopped afterwards."""
    port = _free()
    clients = folder / "clients.pem"
    clients.write_text(
        "".join((data / "trust" / f"intl.{name}.pem").read_text() for name in ("root", "issuing"))
    )
    password = data / "secrets" / "tls-server.password"
    here = {
        "unix:/run/yinxin/proxy.sock": f"unix:{data / 'run' / 'proxy.sock'}",
        "listen 443 ssl": f"listen 127.0.0.1:{port} ssl",
        "/etc/yinxin/tls-server.pem;": f"{data / 'tls' / 'tls-server.pem'}; ssl_password_file {password};",
        "/etc/yinxin/tls-server.key": str(data / "tls" / "tls-server.key"),
        "/etc/yinxin/clients.pem": str(clients),
    }
    with _running(folder, "site.conf", here, port):
        yield port


def _free() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


@contextmanager
def _running(folder: Path, shipped: str, here: dict[str, str], port: int) -> Iterator[None]:
    text = (FOLDER / shipped).read_text("utf-8")
    for theirs, ours in here.items():
        assert theirs in text
        text = text.replace(theirs, ours)
    folder.mkdir(exist_ok=True)
    (folder / "shipped.conf").write_text(text)
    (folder / "nginx.conf").write_text(_MAIN.format(folder=folder))
    command = ["/usr/sbin/nginx", "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", str(folder / "error.log"), "-g", "daemon off;"]  # fmt: skip
    process = subprocess.Popen(command)
    try:
        _await(port, process)
        yield
    finally:
        process.terminate()
        process.wait()


def _await(port: int, process: "subprocess.Popen[bytes]") -> None:
    given_up = time.monotonic() + 10
    while process.poll() is None and time.monotonic() < given_up:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except ConnectionRefusedError:
            time.sleep(0.02)
        else:
            return
    raise AssertionError("nginx did not start")
