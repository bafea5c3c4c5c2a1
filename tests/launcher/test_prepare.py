"""The slow road: what it says and does on machines that are not ready, with the machine's own tools replaced."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PIP = """#!/bin/sh
cat <<'END'
:env:.cert='/etc/ssl/own.pem'
global.index-url='https://mirror.example/simple'
global.extra-index-url='file:///one/simple file:///two/simple'
:env:.find-links='/wheels\\n/more'
global.no-index='0'
:env:.no-index='1'
END
"""


@pytest.fixture
def machine(tmp_path):
    """A directory of commands that come first on PATH, and the means to run shell with them."""
    tools = tmp_path / "tools"
    tools.mkdir()

    class Machine:
        def has(self, name, script):
            path = tools / name
            path.write_text(f"#!/bin/sh\n{script}\n", "utf-8")
            path.chmod(0o755)

        def run(self, script, *arguments):
            return subprocess.run(
                ["/bin/sh", "-c", script, "sh", *arguments],
                capture_output=True,
                text=True,
                check=False,
                env={"PATH": f"{tools}:/usr/bin:/bin", "TMPDIR": str(tmp_path)},
                stdin=subprocess.DEVNULL,
            )

        def prepare(self, root):
            return self.run('exec sh "$1/ops/install/prepare.sh" "$1" run', str(root))

    made = Machine()
    made.calls = tmp_path / "apt-calls"
    made.has("apt-get", f'echo "$*" >>{made.calls}')
    made.has("dpkg", f'echo "dpkg $*" >>{made.calls}')
    return made


@pytest.fixture
def tree(tmp_path):
    tree = tmp_path / "tree"
    shutil.copytree(ROOT / "ops/install", tree / "ops/install")
    return tree


def test_neither_root_nor_sudo_is_told_the_one_command(machine, tree):
    machine.has("id", "echo 1000")
    machine.has("sudo", "exit 1")
    machine.has("dpkg-query", 'case "$*" in *softhsm2*) exit 1 ;; *) echo "ii " ;; esac')
    done = machine.prepare(tree)
    assert done.returncode == 69
    assert "su -c 'apt-get update; apt-get install -y --no-install-recommends softhsm2'" in done.stderr
    assert "管理员" in done.stderr
    assert not machine.calls.exists()


def test_a_renewal_that_fails_leaves_no_stamp(machine, tree):
    """Were the inputs changed back, half of the change might still lie in .venv: the old stamp must not count."""
    machine.has("dpkg-query", "exit 1")
    machine.has("id", "echo 1000")
    machine.has("sudo", "exit 1")
    stamps = [tree / ".venv" / name for name in ("ready-run", "ready-test")]
    for stamp in stamps:
        stamp.parent.mkdir(exist_ok=True)
        stamp.touch()
    assert machine.prepare(tree).returncode == 69
    assert not any(stamp.exists() for stamp in stamps)


def test_a_tree_of_someone_else_is_named(tree):
    tree.parent.chmod(0o755)
    nobody = ["setpriv", "--reuid", "nobody", "--clear-groups", "--"] if os.geteuid() == 0 else []
    tree.chmod(0o555)
    done = subprocess.run(
        [*nobody, "/bin/sh", "ops/install/prepare.sh", ".", "run"],
        cwd=tree,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 69
    assert "not writable" in done.stderr


def test_a_system_without_apt_is_told_so(machine, tree):
    done = machine.run(
        'command() { return 1; }; say() { echo "$2"; }; here=$1/ops/install level=run; . "$here/system.sh"; missing_packages',
        str(tree),
    )
    assert done.returncode == 69
    assert "Debian 12+" in done.stdout


def test_half_installed_packages_count_as_missing(machine, tree):
    machine.has("dpkg-query", 'case "$*" in *softhsm2*) echo "iF " ;; *) echo "ii " ;; esac')
    done = machine.run(
        'say() { :; }; here=$1/ops/install level=run; . "$here/system.sh"; missing_packages', str(tree)
    )
    assert done.stdout.split() == ["softhsm2"]


def test_an_interrupted_dpkg_is_finished_first(machine, tree):
    machine.has("id", "echo 0")
    machine.has(
        "apt-get",
        f'echo "$*" >>{machine.calls}; case "$*" in *install*softhsm2*) [ -e {machine.calls}.configured ] ;; esac',
    )
    machine.has("dpkg", f"echo dpkg >>{machine.calls}; touch {machine.calls}.configured")
    machine.has(
        "sh", 'shift 3; exec apt-get install "$@"'
    )  # apt_install's inner shell: leave the machine's files alone
    done = machine.run(
        'say() { echo "$2"; }; quietly() { "$@"; }; log=/dev/null here=$1/ops/install level=run; . "$here/system.sh"; install_packages softhsm2',
        str(tree),
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert machine.calls.read_text("utf-8").split("\n")[:-1] == [
        "-q update",
        "install softhsm2",
        "dpkg",
        "-q -y -f install",
        "install softhsm2",
    ]


@pytest.mark.parametrize(
    ("system_python", "wanted"),
    [
        ("exit 1", ["python3.11", "python3.11-venv"]),  # Ubuntu 22.04: 3.10
        (
            "case $2 in *ensurepip*) exit 1 ;; esac",
            ["python3", "python3-venv"],
        ),  # Debian's, without python3-venv
        ("", []),
    ],
)
def test_a_machine_without_a_good_python_gets_one(machine, tree, system_python, wanted):
    for name in ("python3", "python3.11", "python3.12", "python3.13", "python3.14"):
        machine.has(name, "exit 1")
    machine.has("system-python", system_python)
    script = """
        here=$1/ops/install level=run; . "$here/system.sh"
        system_python=$(command -v system-python)
        wanted_packages | sed 's/#.*//'
    """
    names = machine.run(script, str(tree)).stdout.split()
    assert [name for name in names if name.startswith("python")] == wanted


def test_the_machines_pip_settings_reach_uv(machine, tmp_path):
    pip = tmp_path / "venv/uv/bin/python"
    pip.parent.mkdir(parents=True)
    pip.write_text(PIP, "utf-8")
    pip.chmod(0o755)
    done = machine.run(
        'venv=$1; . "$2"; follow_pip_settings; env; echo "no_index=$no_index"',
        str(tmp_path / "venv"),
        str(ROOT / "ops/install/python.sh"),
    )
    set_ = dict(line.split("=", 1) for line in done.stdout.splitlines() if "=" in line)
    assert set_["UV_DEFAULT_INDEX"] == "https://mirror.example/simple"
    assert set_["UV_INDEX"] == "file:///one/simple file:///two/simple"
    assert set_["UV_FIND_LINKS"] == "/wheels,/more"
    assert set_["SSL_CERT_FILE"] == "/etc/ssl/own.pem"
    assert set_["no_index"] == "--no-index"


def test_the_installer_is_pinned_by_hash():
    lines = (ROOT / "ops/install/uv.txt").read_text("utf-8").splitlines()
    assert sum(line.startswith("uv==") for line in lines) == 1
    assert sum("--hash=sha256:" in line for line in lines) >= 10


@pytest.mark.slow
def test_a_real_first_start_and_its_repair(tmp_path):
    """With the real tools and the real index: the environment holds what the lock says, also after a cut."""
    tree = tmp_path / "a tree 印信"
    names = (
        subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True)
        .stdout.decode()
        .split("\0")
    )
    for name in names:
        if (
            name.endswith((".toml", ".lock", ".sh", ".txt", "README.md", "LICENSE", "__init__.py"))
            and (ROOT / name).is_file()
        ):
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, tree / name)

    def prepare():
        subprocess.run(
            ["/bin/sh", tree / "ops/install/prepare.sh", tree, "run"],
            check=True,
            cwd="/",
            stdin=subprocess.DEVNULL,
        )
        script = "import flask, yinxin; print(yinxin.__file__)"
        return subprocess.run(
            [tree / ".venv/bin/python", "-I", "-c", script], capture_output=True, text=True, check=True
        ).stdout

    assert prepare().startswith(str(tree))
    (lost,) = (tree / ".venv").glob("lib/python3*/site-packages/flask/app.py")
    lost.unlink()
    (tree / ".venv/incomplete").touch()  # as a cut between two files leaves it
    assert prepare().startswith(str(tree))
    assert lost.exists()
