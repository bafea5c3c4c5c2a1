"""`yinxin up` on the demo's province: everything that `status` names answers, and others' tools agree with it."""

import base64
import json
import re
import shutil
import ssl
import subprocess
import sys
import urllib.error
import urllib.request
from functools import cache
from pathlib import Path

import pymerkle
import pytest

from tests.journey.conftest import ROOT, yinxin
from tests.laws.serving import Served
from tests.support.openssl import openssl
from yinxin.crypto.suite import INTL, SM
from yinxin.tlog import Checkpoint, Note, NoteVerifier, Tile, leaf_hash

SM2_ID = ("-vfyopt", "distid:1234567812345678")
SUITES = {"intl": (), "sm": SM2_ID}


def status(server: Served) -> dict[str, dict[str, str]]:
    return _status(server.folder)


@cache
def _status(folder: Path) -> dict[str, dict[str, str]]:
    """Asked once: the command takes seconds, and what it names stays where it is while the server runs."""
    done = yinxin("status", "--json", "--data", folder)
    assert done.status == 0, done
    answer: dict[str, dict[str, str]] = json.loads(done.out)
    return answer


def get(url: str, trust: str, data: bytes | None = None, kind: str = "") -> bytes:
    context = ssl.create_default_context(cafile=trust) if url.startswith("https") else None
    headers = {"Content-Type": kind} if kind else {"Accept": "text/html, */*;q=0.5"}
    request = urllib.request.Request(url, data, headers)
    with urllib.request.urlopen(request, context=context, timeout=30) as answer:
        return bytes(answer.read())


def test_everything_that_status_names_answers(served: Served) -> None:
    answer = status(served)
    assert answer["ready"]
    assert {"console", "api", "openapi", "ocsp", "crl", "tsa", "log"} <= set(answer["urls"])
    tls = answer["trust"]["tls"]
    for name in ("openapi", "crl", "console", "documents", "verify"):
        assert get(answer["urls"][name], tls), name
    assert get(answer["urls"]["log"] + "/checkpoint", tls).startswith(b"yinxin.local/log\n")


def test_the_openapi_document_is_sound(served: Served) -> None:
    answer = status(served)
    document = json.loads(get(answer["urls"]["openapi"], answer["trust"]["tls"]))
    assert document["openapi"].startswith("3.1.")
    assert document["info"]["title"]
    assert document["info"]["version"]
    names = re.findall(r'"#/components/(\w+)/([^"]+)"', json.dumps(document, ensure_ascii=False))
    for kind, name in names:
        assert name in document["components"][kind], name
    identifiers = []
    for path, item in document["paths"].items():
        for method, operation in item.items():
            identifiers.append(operation["operationId"])
            parameters = {each["name"] for each in operation.get("parameters", ()) if each["in"] == "path"}
            assert parameters == set(re.findall(r"{(\w+)}", path)), path
            assert any(code.startswith("2") for code in operation["responses"]), (path, method)
            keyed = any(each["name"] == "Idempotency-Key" for each in operation.get("parameters", ()))
            signs_in = path.startswith("/api/authz/v1/")
            # the use of a service key changes nothing, and no answer of it is kept; nor of what comes with a PIN
            uses = (
                re.match(r"/api/kms/v1/(service-keys/{name}/\w|random-octets$|holder-keys)", path) is not None
            )
            # a file made or taken in once more is the same file, and no answer of it is kept
            carried = re.search(r"^/api/exchange/v1/(card|media|\S+/(evidence|medium))$", path) is not None
            # a part of a file says where it belongs: sent again it changes nothing
            part = (path, method) == ("/api/attachment/v1/uploads/{upload}/content", "put")
            assert (
                keyed
                or method == "get"
                or signs_in
                or uses
                or carried
                or part
                or operation.get("security") == []
            ), (
                path,
                method,
            )
    assert len(identifiers) == len(set(identifiers)) > 30


@pytest.mark.parametrize(
    ("readme", "prints"), [("README.md", "in_review"), ("sdk/yinxin/client/README.md", "clerk")]
)
def test_the_readmes_snippet_runs(served: Served, tmp_path: Path, readme: str, prints: str) -> None:
    """The very lines of the README, in a folder where the paths it names are those of the data directory."""
    text = (ROOT / readme).read_text("utf-8")
    (snippet,) = re.findall(r"<!-- readme-test: sdk -->\s*```python\n(.*?)```", text, re.DOTALL)
    for name in ("accounts", "trust"):
        (tmp_path / name).symlink_to(served.folder / name)
    shutil.copy(ROOT / "apps/document/layout/samples/notice.md", tmp_path / "notice.md")
    code = re.sub(r"(https://[a-z0-9.]+):8443", rf"\1:{served.where['port']}", snippet)
    assert code != snippet
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=tmp_path, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert prints in done.stdout


# --- others' tools, over the wire ------------------------------------------------------------------------------


@pytest.mark.parametrize("suite", SUITES)
def test_openssl_asks_for_status(served: Served, suite: str, tmp_path: Path) -> None:
    """`openssl ocsp` against the running server, for a good certificate; the answer's signature is OpenSSL's to check."""
    trust = served.folder / "trust"
    issuer, root = trust / f"{suite}.issuing.pem", trust / f"{suite}.root.pem"
    person = certificate_of(served, "demo-clerk", suite, tmp_path)
    asked = openssl("ocsp", "-issuer", issuer, "-cert", person, "-reqout", tmp_path / "request", "-no_nonce")
    assert asked == "" or "WARNING" not in asked
    urls = status(served)["urls"]
    answer = get(urls["ocsp"], "", (tmp_path / "request").read_bytes(), "application/ocsp-request")
    (tmp_path / "answer").write_bytes(answer)
    verifying = ["-CAfile", root, "-verify_other", issuer] if suite == "intl" else ["-noverify"]
    said = openssl(*("ocsp", "-issuer", issuer, "-cert", person, "-respin", tmp_path / "answer", *verifying))
    assert f"{person}: good" in said
    if suite == "intl":
        assert "Response verify OK" in said


def certificate_of(served: Served, person: str, suite: str, folder: Path) -> Path:
    from tests.laws.province import identity

    file = folder / f"{person}.{suite}.pem"
    file.write_text(identity(served.folder, person, suite).certificate.pem, "ascii")
    return file


@pytest.mark.parametrize("suite", SUITES)
def test_openssl_verifies_the_lists(served: Served, suite: str, tmp_path: Path) -> None:
    base = status(served)["urls"]["crl"].rsplit("/", 1)[0]
    for name in ("root", "issuing"):
        (tmp_path / "list").write_bytes(get(f"{base}/{suite}-{name}.crl", ""))
        signer = served.folder / "trust" / f"{suite}.{name}.pem"
        said = openssl(
            "crl", "-inform", "DER", "-in", tmp_path / "list", "-noout", "-CAfile", signer, "-text"
        )
        assert "Revoked Certificates" in said  # also of none: "No Revoked Certificates"
        if suite == "intl":  # openssl crl takes no distid (3.0); SM lists are held to the chain checks below
            assert "verify OK" in said


def test_the_leaders_old_certificate_is_on_the_list(served: Served) -> None:
    base = status(served)["urls"]["crl"].rsplit("/", 1)[0]
    said = openssl("crl", "-inform", "DER", "-noout", "-text", input=get(f"{base}/intl-issuing.crl", ""))
    assert "Superseded" in said


@pytest.mark.parametrize("suite", SUITES)
def test_openssl_asks_for_the_time(served: Served, suite: str, tmp_path: Path) -> None:
    (tmp_path / "data").write_bytes(b"something to be dated")
    digest = {"intl": "-sha256", "sm": "-sm3"}[suite]
    openssl("ts", "-query", "-data", tmp_path / "data", digest, "-cert", "-out", tmp_path / "question")
    url = status(served)["urls"][{"intl": "tsa", "sm": "tsa_sm"}[suite]]
    answer = get(url, "", (tmp_path / "question").read_bytes(), "application/timestamp-query")
    (tmp_path / "answer").write_bytes(answer)
    text = openssl("ts", "-reply", "-in", tmp_path / "answer", "-text")
    assert "Status: Granted" in text
    assert f"Hash Algorithm: {digest[1:]}" in text
    if suite == "intl":
        trust = served.folder / "trust"
        said = openssl(
            *("ts", "-verify", "-queryfile", tmp_path / "question", "-in", tmp_path / "answer"),
            *("-CAfile", trust / "intl.root.pem", "-untrusted", trust / "intl.issuing.pem"),
        )
        assert "Verification: OK" in said


def test_anybody_can_recompute_the_log(served: Served) -> None:
    """Checkpoint and tiles from the public port; roots by another implementation, signatures by the published keys."""
    base = status(served)["urls"]["log"]
    keys = [
        NoteVerifier.decode(line)
        for line in (served.folder / "trust" / "log.vkey").read_text("utf-8").split("\n")
        if line
    ]
    for prefix, suite in (("", INTL), ("/sm3", SM)):
        note = Note.decode(get(f"{base}{prefix}/checkpoint", ""))
        checkpoint, signed = Checkpoint.open(note, keys)
        assert signed is suite
        leaves = b""
        for number in range(-(-checkpoint.size // 256)):
            width = min(256, checkpoint.size - 256 * number)
            leaves += get(f"{base}{prefix}/tile/{Tile(0, number, width).path()}", "")
        hashes = [leaves[at : at + 32] for at in range(0, len(leaves), 32)]
        assert len(hashes) == checkpoint.size
        assert merkle_root(hashes, suite) == checkpoint.root


def merkle_root(leaves: list[bytes], suite: object) -> bytes:
    """RFC 6962 2.1, written out: the recursion of the definition, over leaf hashes."""
    if len(leaves) == 1:
        return leaves[0]
    half = 1 << (len(leaves) - 1).bit_length() - 1
    left, right = merkle_root(leaves[:half], suite), merkle_root(leaves[half:], suite)
    return suite.hash.digest(b"\x01" + left + right)  # type: ignore[attr-defined, no-any-return]


def test_pymerkle_agrees_with_the_log(served: Served) -> None:
    import sqlite3

    with sqlite3.connect(f"file:{served.folder / 'yinxin.db'}?mode=ro", uri=True) as connection:
        entries = [row[0] for row in connection.execute('SELECT data FROM audit_entry ORDER BY "index"')]
    base = status(served)["urls"]["log"]
    size = int(get(f"{base}/checkpoint", "").split(b"\n")[1])
    root = base64.b64decode(get(f"{base}/checkpoint", "").split(b"\n")[2])
    tree = pymerkle.InmemoryTree(algorithm="sha256")
    for entry in entries[:size]:
        tree.append_entry(entry)
    if int(get(f"{base}/checkpoint", "").split(b"\n")[1]) == size:
        assert tree.get_root(size) == root
    assert leaf_hash(INTL.hash, entries[0]) == tree.get_leaf(1)


def test_the_plain_port_serves_nothing_else(served: Served) -> None:
    for path in ("/api/openapi.json", "/documents", "/api/authz/v1/challenges"):
        with pytest.raises(urllib.error.HTTPError) as caught:
            get(served.plain + path, "")
        with caught.value as answer:
            assert answer.code == 404


def test_a_second_server_on_the_same_port_says_so(served: Served, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(served.folder, tmp_path / "second"))
    for language, words in (("zh", "已被占用"), ("en", "is taken")):
        done = yinxin("up", "--data", folder, "--port", str(served.where["port"]), language=language)
        assert done.status == 73, done
        assert "ops.port_taken" in done.err
        assert words in done.err
