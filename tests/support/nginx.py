"""Debian's nginx on loopback, with the configuration that we ship."""

import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SHIPPED = Path(__file__).parents[2] / "ops" / "nginx" / "status.conf"
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
    include {folder}/status.conf;
}}
"""


@contextmanager
def nginx(folder: Path, published: Path, plain_port: int) -> Iterator[str]:
    """The server's address; stopped afterwards."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    text = SHIPPED.read_text("utf-8")
    for shipped, here in (
        ("127.0.0.1:8080", f"127.0.0.1:{plain_port}"),
        ("listen 80", f"listen 127.0.0.1:{port}"),
        ("/var/lib/yinxin/public", str(published)),
    ):
        assert shipped in text
        text = text.replace(shipped, here)
    folder.mkdir(exist_ok=True)
    (folder / "status.conf").write_text(text)
    (folder / "nginx.conf").write_text(_MAIN.format(folder=folder))
    command = ["/usr/sbin/nginx", "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", str(folder / "error.log"), "-g", "daemon off;"]  # fmt: skip
    process = subprocess.Popen(command)
    try:
        _await(port, process)
        yield f"http://127.0.0.1:{port}"
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
