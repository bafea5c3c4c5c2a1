"""The launcher's promises, each on a copy of it whose slow road is a stub that counts its calls."""

import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
INPUTS = ["yinxin", "ops/install/apt.txt", "pyproject.toml", "sdk/pyproject.toml", "uv.lock"]

# Stands in for the installation: counts the call, may dawdle or fail, and lays an interpreter that shows what it is given.
PREPARE = """
set -eu
echo "$2" >>"$1/calls"
if [ -e "$1/dawdle" ]; then sleep 0.5; fi
if [ -e "$1/fail" ]; then exit 69; fi
mkdir -p "$1/.venv/bin"
printf '#!/bin/sh\\nfor word; do printf "<%%s>" "$word"; done; pwd\\n' >"$1/.venv/bin/python"
chmod +x "$1/.venv/bin/python"
"""


@pytest.fixture
def tree(tmp_path):
    tree = tmp_path / "a tree 印信"
    for name in [*INPUTS, "ops/install/apt-test.txt"]:
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tree / name)
    (tree / "ops/install/prepare.sh").write_text(PREPARE, "utf-8")
    (tree / "ops/install/test.sh").write_text('shift; echo "tests: $*"\n', "utf-8")
    return tree


def start(launcher, *arguments, **options):
    bare = {"PATH": "/usr/bin:/bin"}  # no HOME, no LANG
    return subprocess.run(
        [launcher, *arguments], capture_output=True, text=True, check=False, env=bare, **options
    )


def calls(tree):
    path = tree / "calls"
    return path.read_text("utf-8").split() if path.exists() else []


def test_it_installs_once_and_then_only_runs(tree):
    for _ in range(3):
        done = start(tree / "yinxin", "demo", "--data", "a b", "*")
        assert done.returncode == 0, done.stderr
        assert "<-m><ops.cli><demo><--data><a b><*>" in done.stdout
        assert "<-I>" in done.stdout  # nothing of the caller's can come before our code
    assert calls(tree) == ["run"]


def test_it_runs_from_any_directory_and_through_symlinks(tree, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "second").symlink_to(tree / "yinxin")
    (elsewhere / "first").symlink_to("second")
    done = start("./first", "x", cwd=elsewhere)
    assert done.stdout.endswith(
        f"<x>{elsewhere}\n"
    )  # the caller's directory stays: paths in arguments mean the same
    assert calls(tree) == ["run"]


@pytest.mark.parametrize("name", INPUTS)
def test_a_change_of_what_it_depends_on_installs_again(tree, name):
    start(tree / "yinxin")
    with (tree / name).open("a") as file:
        file.write("\n")
    start(tree / "yinxin")
    start(tree / "yinxin")
    assert calls(tree) == ["run", "run"]


def test_a_moved_tree_and_another_interpreter_install_again(tree):
    start(tree / "yinxin")
    moved = tree.rename(tree.with_name("moved"))
    start(moved / "yinxin")
    assert calls(moved) == ["run", "run"]
    python = moved / ".venv/bin/python"
    python.rename(moved / "python3.99")
    python.symlink_to(moved / "python3.99")
    start(moved / "yinxin")
    assert calls(moved) == ["run", "run", "run"]
    (moved / "python3.99").unlink()  # the system's Python went: a dangling link
    python.unlink()
    start(moved / "yinxin")
    assert len(calls(moved)) == 4


def test_a_failed_installation_is_reported_and_tried_again(tree):
    (tree / "fail").touch()
    assert start(tree / "yinxin").returncode == 69
    assert start(tree / "yinxin").returncode == 69
    (tree / "fail").unlink()
    assert start(tree / "yinxin").returncode == 0
    assert calls(tree) == ["run", "run", "run"]


def test_first_starts_at_the_same_time_install_once(tree):
    (tree / "dawdle").touch()
    running = [
        subprocess.Popen([tree / "yinxin", "x"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        for _ in range(5)
    ]
    said = [process.communicate(timeout=30)[0] for process in running]
    assert [process.returncode for process in running] == [0] * 5, said
    assert all("<ops.cli><x>" in words for words in said)
    assert calls(tree) == ["run"]


def test_a_running_command_does_not_hold_the_lock(tree):
    start(tree / "yinxin")
    python = tree / ".venv/bin/python"
    python.write_text("#!/bin/sh\nls -l /proc/$$/fd\n", "utf-8")
    (tree / ".venv/ready-run").unlink()
    (tree / "ops/install/prepare.sh").write_text(":\n", "utf-8")
    assert str(tree / "yinxin") not in start(tree / "yinxin").stdout


def test_the_tests_level_holds_the_run_level(tree):
    assert "tests: --all -k x" in start(tree / "yinxin", "test", "--all", "-k", "x").stdout
    start(tree / "yinxin", "demo")
    assert calls(tree) == ["test"]


def test_the_run_level_is_not_enough_for_tests(tree):
    start(tree / "yinxin", "demo")
    start(tree / "yinxin", "test")
    assert calls(tree) == ["run", "test"]


def test_a_second_start_costs_little(tree):
    start(tree / "yinxin")
    spent = []
    for _ in range(5):
        begin = time.perf_counter()
        start(tree / "yinxin")
        spent.append(time.perf_counter() - begin)
    assert min(spent) < 0.5


def test_shell_scripts_are_clean():
    scripts = [ROOT / "yinxin", ROOT / ".ci/run", *sorted((ROOT / "ops/install").glob("*.sh"))]
    done = subprocess.run(
        ["shellcheck", "-x", *scripts],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "LC_ALL": "C.UTF-8"},
    )
    assert done.returncode == 0, done.stdout
