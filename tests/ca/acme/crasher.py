"""Processes that finalize, and one that dies by its own hand at a named step."""

import json
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

from werkzeug.test import Client

from tests.ca.acme.client import HOST, AcmeClient
from tests.ca.acme.conftest import application
from tests.ca.acme.quickly import begun, served
from tests.ca.conftest import Site
from tests.ca.crasher import die
from yinxin.crypto.jose import encode64
from yinxin.crypto.keys import PrivateKey
from yinxin.steps import listen


def client_of(site: Site, folder: Path) -> AcmeClient:
    """The client whose key and address lie in the folder."""
    made = json.loads((folder / "client.json").read_text())
    return AcmeClient(
        Client(application(site)), PrivateKey.load((folder / "account.key").read_bytes()), made["kid"]
    )


def keep(client: AcmeClient, folder: Path) -> None:
    """Let other processes be this client."""
    (folder / "account.key").write_bytes(client.key.pkcs8())
    (folder / "client.json").write_text(json.dumps({"kid": client.kid}))


def killed(url: str, folder: Path, settings: dict[str, Any], order: dict[str, Any], step: str) -> None:
    """Finalize, and die at `step`."""
    client = client_of(Site(url, folder, acme=settings), folder)
    listen(lambda name: die() if name == step else None)
    client.finalize(order, (folder / "csr").read_bytes())


def killed_together(
    url: str, folder: Path, settings: dict[str, Any], orders: list[dict[str, Any]], step: str
) -> None:
    """Finalize several orders at one window, and die at `step`."""
    client = client_of(Site(url, folder, acme=settings), folder)
    app = client.http.application
    client.get(orders[0]["authorizations"][0])  # since then the name is known that we are reached by
    group = []
    for number, order in enumerate(orders):
        body = client.signed(order["finalize"], {"csr": encode64((folder / f"csr{number}").read_bytes())})
        group.append(begun(app, order["finalize"].removeprefix(HOST), json.dumps(body).encode()))
    listen(lambda name: die() if name == step else None)
    served(app, group)


def racing(
    url: str, folder: Path, settings: dict[str, Any], order: dict[str, Any], *, barrier: Barrier, threads: int
) -> None:
    """Finalize in many threads at once, in step with other processes; the answers go to a file of this process."""
    import os
    from concurrent.futures import ThreadPoolExecutor

    site = Site(url, folder, acme=settings)
    clients = [client_of(site, folder) for _ in range(threads)]
    bodies = [
        client.signed(order["finalize"], {"csr": order["csr"][n % len(order["csr"])]})
        for n, client in enumerate(clients)
    ]
    barrier.wait()
    with ThreadPoolExecutor(threads) as pool:
        answers = list(
            pool.map(lambda pair: pair[0].send(order["finalize"], pair[1]), zip(clients, bodies, strict=True))
        )
    said = [[each.status_code, json.loads(each.data).get("type", "")] for each in answers]
    (folder / f"race.{os.getpid()}").write_text(json.dumps(said))
    site.close()
