"""The product's own source, for tests that read it."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
#: every package that is shipped, by its folder
PACKAGES = (
    "sdk/yinxin",
    "seal",
    "ca",
    "kms",
    "authz",
    "audit",
    "backup",
    "monitor",
    "exchange",
    "apps",
    "ops",
)


def files(pattern: str) -> list[Path]:
    """The product's files of that name, in the order of their paths."""
    return sorted(file for package in PACKAGES for file in (ROOT / package).rglob(pattern))
