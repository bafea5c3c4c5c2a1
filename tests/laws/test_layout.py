"""The house's own rules that no linter knows, read from the source: where time, chance, algorithms and SQL may stand."""

import ast
import importlib.metadata
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.support.product import PACKAGES, ROOT, files

CORE = ("seal", "ca", "kms", "authz", "audit", "backup", "monitor", "exchange", "ops")


@cache
def sources() -> tuple[tuple[str, str], ...]:
    """(path from the root, text) of every product file."""
    return tuple((str(file.relative_to(ROOT)), file.read_text("utf-8")) for file in files("*.py"))


def nodes(*, but: tuple[str, ...] = ()) -> Iterator[tuple[str, ast.AST]]:
    for path, text in sources():
        if not path.startswith(but):
            for node in ast.walk(ast.parse(text)):
                yield path, node


def where(path: str, node: ast.AST) -> str:
    return f"{path}:{getattr(node, 'lineno', '?')}"


def test_no_file_holds_two_ideas():
    # a migration is one list of tables, written by the tool
    found = [
        path for path, text in sources() if text.count("\n") > 400 and "/migrations/versions/" not in path
    ]
    assert found == []


# --- SQL ---

#: the log's own sequencer, and the migrations, which run before any act can
_SQL = ("audit/sequence.py", "audit/models.py", "audit/checkpoint.py", "ops/migrations", "ops/bench")
_DML = re.compile(r"\s*(insert|update|delete|merge|truncate|replace)\b", re.IGNORECASE)


def test_rows_are_changed_through_the_store_only():
    found = []
    for path, node in nodes(but=(*_SQL, "sdk/yinxin/store")):
        if isinstance(node, ast.Attribute) and node.attr in ("exec_driver_sql", "executescript"):
            found.append(where(path, node))
        if isinstance(node, ast.Call) and getattr(node.func, "attr", getattr(node.func, "id", "")) == "text":
            first = node.args[0] if node.args else None
            text = first.values[0] if isinstance(first, ast.JoinedStr) and first.values else first
            if isinstance(text, ast.Constant) and isinstance(text.value, str) and _DML.match(text.value):
                found.append(where(path, node))
    assert found == []


def test_a_long_integer_has_one_name():
    """`yinxin.store.LONG`. Seen to fail with one spelt out in a table of the audit's."""
    found = [
        where(path, node)
        for path, node in nodes(but=("ops/migrations", "sdk/yinxin/store/_base.py"))
        if isinstance(node, ast.Attribute)
        and node.attr == "with_variant"
        and "BigInteger" in ast.dump(node.value)
    ]
    assert found == []


# --- output, time, chance ---


def test_only_the_command_line_prints():
    found = [
        where(path, node)
        for path, node in nodes(but=("ops/cli", "ops/bench", "ops/demo", "ops/vendor.py"))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    ]
    assert found == []


_CLOCK = {
    ("datetime", "now"),
    ("datetime", "utcnow"),
    ("datetime", "today"),
    ("date", "today"),
    ("time", "time"),
}
#: who may look at the machine's clock: the source itself, benchmarks, and the verifier that is one file without a kit
_CLOCKS = ("sdk/yinxin/clock.py", "ops/bench", "sdk/yinxin/evidence/standalone/verify.py")


def test_time_comes_from_the_clock():
    found = [
        where(path, node)
        for path, node in nodes(but=_CLOCKS)
        if isinstance(node, ast.Attribute)
        and (getattr(node.value, "id", getattr(node.value, "attr", "")), node.attr) in _CLOCK
    ]
    assert found == []


#: the source itself; key material, which is made where it is used; passwords and PINs of a fresh installation; a browser's
#: nonces and the password of a key file that lives for one call, which need no repeating
_CHANCE = (
    "sdk/yinxin/randomness.py",
    "sdk/yinxin/crypto/",
    "sdk/yinxin/web/",
    "sdk/yinxin/client/transports.py",
    "kms/",
    "ops/",
)


def test_chance_comes_from_the_randomness():
    found = []
    for path, node in nodes(but=_CHANCE):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        if {"random", "secrets", "uuid"} & {name.split(".")[0] for name in names}:
            found.append(where(path, node))
        if isinstance(node, ast.Attribute) and node.attr == "urandom":
            found.append(where(path, node))
    assert found == []


# --- algorithms (law 8) ---

_ALGORITHM = re.compile(
    r"\b(sha-?(1|224|256|384|512)|sm[234]|aes|md5|ecdsa|ecdh|rsa|ed25519|secp256r1|prime256v1|p-?256|ml-?(dsa|kem)|gcm|hmac)",
    re.IGNORECASE,
)
#: suites are chosen by name; these are the only places that spell an algorithm, each for its reason
_ALGORITHMS = {
    "kms/": "PKCS#11 names its mechanisms and attributes; the key centre maps a suite's key kind to them",
    "ca/profiles": "profiles are data: which key kinds a certificate may have",
    "ca/profile/": "reads those key kinds",
    "ca/keycheck/": "each kind of key has its own weaknesses, and lists of weak keys their own digests",
    "ca/naming.py": "identifiers of the national suite stand in its own certificates only",
    "sdk/yinxin/tlog/note.py": "the note format (c2sp.org/signed-note) fixes its signature types and key identifier",
    "sdk/yinxin/tlog/cosignature.py": "the format of cosignatures (c2sp.org/tlog-cosignature) fixes them too",
    "sdk/yinxin/web/_stored.py": "RFC 9530 has names of its own for digests",
    "sdk/yinxin/evidence/container.py": "ASiC-E names the digest of its manifest by this XML identifier",
    "sdk/yinxin/evidence/page/": "a page's policy (CSP) names its scripts by this hash",
    "sdk/yinxin/evidence/standalone/": "one file without a kit: it has its own, and chooses nothing, but reads what was signed",
    "ops/": "deployment: TLS ciphers, files by their digest",
}
#: names of fields and of formats, not choices: a digest's field says which digest it holds
_FIELDS = re.compile(r"[a-z_]*_(sha256|sm3)|sha256|sm3|sm|sealed_sm|[a-z./]*\.sm\.[a-z0-9.]+", re.IGNORECASE)


def _literals(path: str, text: str) -> Iterator[tuple[int, str]]:
    tree = ast.parse(text)
    prose = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in prose:
            plain = " " not in node.value and node.value.isascii()  # a sentence for readers is no choice
            if plain and _ALGORITHM.search(node.value) and not _FIELDS.fullmatch(node.value):
                yield node.lineno, node.value


def test_algorithms_are_named_in_one_folder():
    allowed = ("sdk/yinxin/crypto", *_ALGORITHMS)
    found = [
        f"{path}:{line}: {literal}"
        for path, text in sources()
        if not path.startswith(allowed)
        for line, literal in _literals(path, text)
    ]
    assert found == []


def test_only_the_crypto_room_reaches_for_primitives():
    found = []
    for path, node in nodes(but=("sdk/yinxin/crypto", "kms/", "ops/")):
        hazmat = isinstance(node, ast.ImportFrom) and (node.module or "").startswith("cryptography.hazmat")
        # serialization is a form of files, no algorithm
        if hazmat and {alias.name for alias in node.names} != {"serialization"}:
            found.append(where(path, node))
    assert found == []


# --- names ---


def test_no_other_distribution_has_a_package_of_our_names():
    owners = importlib.metadata.packages_distributions()
    for name in ("yinxin", *(each for each in PACKAGES if "/" not in each)):
        others = set(owners.get(name, [])) - {"yinxin", "yinxin-platform"}
        assert not others, f"{name} is also a package of {others}"


# --- the applications reach the core only through the client ---


def applications() -> list[str]:
    return sorted(
        ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        for file in (ROOT / "apps").rglob("*.py")
    )


@pytest.mark.parametrize("name", ["apps", "yinxin"])
def test_it_imports_with_the_core_out_of_reach(name):
    names = (
        applications()
        if name == "apps"
        else [
            ".".join(("yinxin", *Path(path).relative_to("sdk/yinxin").with_suffix("").parts)).removesuffix(
                ".__init__"
            )
            for path, _ in sources()
            if path.startswith("sdk/yinxin/")
        ]
    )
    program = (
        f"import sys, importlib\nfor core in {CORE!r}:\n    sys.modules[core] = None\n"
        f"for name in {names!r}:\n    importlib.import_module(name)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, cwd=ROOT
    )
    assert done.returncode == 0, done.stderr
