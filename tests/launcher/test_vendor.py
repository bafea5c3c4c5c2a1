"""Files of others are exactly those that were read and pinned, and nothing lies beside them."""

import hashlib
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = tomllib.loads((ROOT / "ops" / "vendor.toml").read_text("utf-8"))["package"]


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package["name"])
def test_the_committed_files_are_the_pinned_ones(package):
    folder = ROOT / package["into"]
    assert {path.name for path in folder.iterdir()} == set(package["files"])
    for name, pinned in package["files"].items():
        assert hashlib.sha512((folder / name).read_bytes()).hexdigest() == pinned["sha512"], name
    assert "LICENSE" in package["files"]


def test_every_vendored_folder_is_pinned():
    pinned = {ROOT / package["into"] for package in PACKAGES}
    lying = {path for vendor in {folder.parent for folder in pinned} for path in vendor.iterdir()}
    assert lying == pinned


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package["name"])
def test_readers_find_it_with_its_licence(package):
    rows = [
        line
        for line in (ROOT / "THIRD-PARTY.md").read_text("utf-8").splitlines()
        if f"`{package['into']}/`" in line
    ]
    assert len(rows) == 1
    assert f"| {package['version']} | {package['licence']} |" in rows[0]
