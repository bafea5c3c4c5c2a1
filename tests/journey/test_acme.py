"""ACME judged by clients that are not ours, against the running server, with the very lines of the manual."""

import contextlib
import functools
import http.server
import json
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.ca.acme.conftest import Names
from tests.laws.serving import Served
from tests.support.network import free_port
from tests.support.openssl import openssl

ROOT = Path(__file__).parents[2]
MANUAL = ROOT / "docs/ca/acme.md"
#: seconds that a client may take, on a machine that does other things as well
PATIENCE = 120


@dataclass
class Site:
    """The server, the names it is asked for, and the ports it validates on."""

    server: Served
    names: Names
    http: int
    tls: int

    @property
    def directory(self) -> str:
        return f"{self.server.url}/acme/directory"

    @property
    def trust(self) -> Path:
        return self.server.folder / "trust"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    names, web, tls = Names(), free_port(), free_port()
    overrides = [
        f"ca.acme.http01_port={web}",
        f"ca.acme.tlsalpn01_port={tls}",
        f'ca.acme.dns_resolver="127.0.0.1:{names.port}"',
        "ca.acme.validation_attempts=2",
        "ca.acme.authorization_days=0",
        "server.port=0",
        "server.plain_port=0",
    ]
    with Served(tmp_path_factory.mktemp("acme") / "data", *overrides) as server:
        yield Site(server, names, web, tls)
    names.close()


@dataclass
class Department:
    """A folder of an administrator's, and a shell in it with what the officer gave her."""

    site: Site
    folder: Path
    name: str
    given: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        shutil.copy(self.site.trust / "tls.pem", self.folder / "root.pem")

    def granted(self) -> dict[str, str]:
        """What the officer gave her: the demonstration's credential, unless another was granted."""
        return self.given or json.loads(
            (self.site.server.folder / "credentials" / "acme_eab.json").read_text("utf-8")
        )

    def run(self, command: str, **variables: str) -> str:
        given = self.granted()
        done = subprocess.run(
            ["sh", "-ec", command],
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE,
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(self.folder),
                "DIRECTORY": self.site.directory,
                "KID": given["kid"],
                "KEY": given["hmac_key"],
                "NAME": self.name,
                **variables,
            },
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}\n{self.said_by_server()}"
        return done.stdout + done.stderr

    def said_by_server(self) -> str:
        return self.site.server.log.read_text("utf-8")[-3000:]

    def manual(self, client: str) -> str:
        """The manual's lines for this client, on the ports of the test."""
        (lines,) = re.findall(
            rf"<!-- acme-test: {client} -->\s*```\n(.*?)```", MANUAL.read_text("utf-8"), re.DOTALL
        )
        return (
            str(lines)
            .replace("--http-01-port 80", f"--http-01-port {self.site.http}")
            .replace("--http.port :80", f"--http.port :{self.site.http}")
        )

    def good(self, certificate: Path) -> str:
        """OpenSSL finds the certificate good, for the right name, and not revoked; its serial number."""
        root, issuing = self.site.trust / "intl.root.pem", self.site.trust / "intl.issuing.pem"
        openssl("verify", "-CAfile", root, "-untrusted", issuing, "-verify_hostname", self.name, certificate)
        assert ": good" in self._status(certificate)
        return openssl("x509", "-noout", "-serial", "-in", certificate).strip()

    def revoked(self, certificate: Path) -> None:
        assert ": revoked" in self._status(certificate)

    def _status(self, certificate: Path) -> str:
        root, issuing = self.site.trust / "intl.root.pem", self.site.trust / "intl.issuing.pem"
        where = ("-url", f"{self.site.server.plain}/ocsp", "-CAfile", root, "-verify_other", issuing)
        return openssl("ocsp", "-issuer", issuing, "-cert", certificate, *where)


@pytest.fixture
def department(site: Site, tmp_path: Path, request: pytest.FixtureRequest) -> Department:
    name = re.sub(r"[^a-z0-9]+", "-", request.node.name.lower()).strip("-")
    return Department(site, tmp_path, f"{name[:50].strip('-')}.example.gov.cn")


@contextlib.contextmanager
def serving(folder: Path, port: int) -> Iterator[None]:
    """A web server for what a client leaves in `folder/.well-known/acme-challenge`."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", port), functools.partial(Quiet, directory=str(folder))
    )
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield
    server.shutdown()
    thread.join()
    server.server_close()


def test_certbot(department: Department) -> None:
    """Registers, gets, renews and revokes by HTTP, standing alone."""
    folder = department.folder
    at_home(folder)
    department.run(department.manual("certbot"))
    live = folder / "config/live" / department.name
    first = department.good(live / "cert.pem")
    assert (live / "fullchain.pem").read_text().count("BEGIN CERTIFICATE") == 2
    department.run(
        "REQUESTS_CA_BUNDLE=root.pem certbot renew --non-interactive --no-random-sleep-on-renew --force-renewal"
    )
    assert department.good(live / "cert.pem") != first
    shutil.copy(live / "cert.pem", folder / "revoked.pem")
    department.run(
        "REQUESTS_CA_BUNDLE=root.pem certbot revoke --non-interactive --server $DIRECTORY "
        f"--cert-path {live / 'cert.pem'} --reason superseded --no-delete-after-revoke"
    )
    department.revoked(folder / "revoked.pem")


def at_home(folder: Path) -> None:
    """certbot keeps to this folder."""
    (folder / ".config/letsencrypt").mkdir(parents=True)
    places = "".join(f"{kind}-dir = {folder / kind}\n" for kind in ("config", "work", "logs"))
    (folder / ".config/letsencrypt/cli.ini").write_text(places)


LEGO = "LEGO_CA_CERTIFICATES=root.pem lego --accept-tos --email admin@example.gov.cn --server $DIRECTORY --path lego"
BOUND = "--eab --kid $KID --hmac $KEY"


def test_lego(department: Department) -> None:
    """Registers, gets, renews and revokes by HTTP."""
    department.run(department.manual("lego"))
    certificate = department.folder / "lego/certificates" / f"{department.name}.crt"
    first = department.good(certificate)
    how = f"--http --http.port :{department.site.http} -d $NAME"
    department.run(f"{LEGO} {BOUND} {how} renew --days 999 --no-random-sleep")
    assert department.good(certificate) != first
    shutil.copy(certificate, department.folder / "revoked.pem")
    department.run(f"{LEGO} {BOUND} {how} revoke")
    department.revoked(department.folder / "revoked.pem")


def test_lego_over_tls(department: Department) -> None:
    """tls-alpn-01 (RFC 8737)."""
    department.run(f"{LEGO} {BOUND} --tls --tls.port :{department.site.tls} -d $NAME run")
    department.good(department.folder / "lego/certificates" / f"{department.name}.crt")


@contextlib.contextmanager
def recording(department: Department) -> Iterator[None]:
    """A script of the department's, record.sh; what it is told is in the DNS meanwhile."""
    script, records = department.folder / "record.sh", department.folder / "records"
    script.write_text(
        '#!/bin/sh\n[ "$1" != present ] || printf "%s %s\\n" "$2" "$3" >>records\n'
        '[ -z "$CERTBOT_DOMAIN" ] || printf "_acme-challenge.%s %s\\n" "$CERTBOT_DOMAIN" "$CERTBOT_VALIDATION" >>records\n'
    )
    script.chmod(0o755)
    records.write_text("")
    names, kept = department.site.names, department.site.names.texts
    names.texts = _Records(records)  # type: ignore[assignment]
    try:
        yield
    finally:
        names.texts = kept


def test_lego_in_the_dns(department: Department) -> None:
    """dns-01, with two names, the record put by a script of the department's."""
    with recording(department):
        department.run(
            f"EXEC_PATH=./record.sh EXEC_SEQUENCE_INTERVAL=1 EXEC_POLLING_INTERVAL=1 {LEGO} {BOUND} --dns exec --dns.disable-cp "
            f"--dns.resolvers 127.0.0.1:{department.site.names.port} -d $NAME -d b.$NAME run"
        )
    department.good(department.folder / "lego/certificates" / f"{department.name}.crt")


def with_wildcards(department: Department) -> None:
    """The officer grants her a credential by the manual's line."""
    granting = (line for line in MANUAL.read_text("utf-8").splitlines() if "--profile tls-wildcard" in line)
    words = next(granting).replace("zi.example.gov.cn", department.name).split()[1:]
    data = str(department.site.server.folder)
    done = subprocess.run(
        [sys.executable, "-I", "-X", "utf8", "-m", "ops.cli", *words, "--data", data, "--json"],
        capture_output=True, text=True, check=False, cwd=ROOT, timeout=PATIENCE,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    made = json.loads(done.stdout)
    department.given = {"kid": made["id"], "hmac_key": made["secret"]}


def any_host(department: Department, certificate: Path) -> None:
    """OpenSSL accepts it for the domain and for a host below it."""
    department.good(certificate)
    department.name = f"any-host.{department.name}"
    department.good(certificate)


@pytest.mark.slow
def test_lego_for_a_wildcard(department: Department) -> None:
    """With the manual's own lines."""
    with_wildcards(department)
    with recording(department):
        line = department.manual("wildcard").replace(
            "--dns exec",
            f"--dns exec --dns.disable-cp --dns.resolvers 127.0.0.1:{department.site.names.port}",
        )
        department.run(f"export EXEC_SEQUENCE_INTERVAL=1 EXEC_POLLING_INTERVAL=1\n{line}")
    any_host(department, department.folder / "lego/certificates" / f"_.{department.name}.crt")


@pytest.mark.slow
def test_certbot_for_a_wildcard(department: Department) -> None:
    """With the manual's own lines, and once more when it is renewed. Seen to fail with the record looked for below the `*`."""
    at_home(department.folder)
    with_wildcards(department)
    with recording(department):
        department.run(department.manual("certbot-wildcard"))
        certificate = department.folder / "config/live" / department.name / "cert.pem"
        first = department.good(certificate)
        department.run(
            "REQUESTS_CA_BUNDLE=root.pem certbot renew --non-interactive --no-random-sleep-on-renew --force-renewal"
        )
    assert department.good(certificate) != first
    any_host(department, certificate)


class _Records(dict[str, list[str]]):
    """TXT records as they stand in a file: a name and a text on each line."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self._file = file

    def get(self, name: str, default: object = None) -> list[str]:  # type: ignore[override]
        lines = (line.split() for line in self._file.read_text().splitlines())
        return [text for known, text in lines if known.rstrip(".").lower() == name]

    def __getitem__(self, name: str) -> list[str]:
        return self.get(name)


@pytest.mark.slow
def test_dehydrated(department: Department) -> None:
    """Registers, gets, renews and revokes, its answers in a folder that a web server serves."""
    folder, site = department.folder, department.site
    answers = folder / ".well-known/acme-challenge"
    answers.mkdir(parents=True)
    given = json.loads((site.server.folder / "credentials" / "acme_eab.json").read_text("utf-8"))
    lines = {
        "CA": site.directory, "EAB_KID": given["kid"], "EAB_HMAC_KEY": given["hmac_key"], "WELLKNOWN": answers,
        "CURL_OPTS": f"--cacert {folder / 'root.pem'}", "BASEDIR": folder, "KEY_ALGO": "prime256v1",
    }  # fmt: skip
    (folder / "config").write_text("".join(f'{name}="{value}"\n' for name, value in lines.items()))
    with serving(folder, site.http):
        department.run(department.manual("dehydrated"))
        certificate = folder / "certs" / department.name / "cert.pem"
        first = department.good(certificate)
        department.run("dehydrated --config config --cron --force --domain $NAME")
        assert department.good(certificate) != first
    shutil.copy(certificate, folder / "revoked.pem")
    department.run(f"dehydrated --config config --revoke {certificate.resolve()}")
    department.revoked(folder / "revoked.pem")


def test_uacme(department: Department) -> None:
    """Registers, gets, changes its key, revokes by the new one and is deactivated, with EC keys; the root among the system's, in a mount namespace of its own."""
    folder = department.folder
    answers = folder / ".well-known/acme-challenge"
    answers.mkdir(parents=True)
    system = Path("/etc/ssl/certs/ca-certificates.crt")
    (folder / "bundle.pem").write_bytes(system.read_bytes() + (folder / "root.pem").read_bytes())
    hook = folder / "hook.sh"
    hook.write_text(
        "#!/bin/sh\n"
        '[ "$2" = http-01 ] || exit 1\n'
        'case $1 in begin) printf %s "$5" >".well-known/acme-challenge/$4" ;; esac\n'
    )
    hook.chmod(0o755)
    trusting = f"mount --bind bundle.pem {system}\n"
    own = "uacme -y -c uacme -a $DIRECTORY -t EC"
    revoking = f"{own} newkey\n{own} revoke uacme/$NAME/cert.pem\n{own} deactivate\n! {own} update\n"
    with serving(folder, department.site.http):
        (folder / "get.sh").write_text(trusting + department.manual("uacme"))
        department.run("unshare --mount sh -ec '. ./get.sh'")
    certificate = folder / "uacme" / department.name / "cert.pem"
    shutil.copy(certificate, folder / "first.pem")
    department.good(folder / "first.pem")
    (folder / "revoke.sh").write_text(trusting + revoking)
    department.run("unshare --mount sh -ec '. ./revoke.sh'")
    department.revoked(folder / "first.pem")
