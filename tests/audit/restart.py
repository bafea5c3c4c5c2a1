"""A log on a folder of its own, and what is wrong with it once something has happened to it."""

from collections.abc import Iterable
from pathlib import Path

from yinxin.tlog import Checkpoint

from .site import Site


def url(folder: Path) -> str:
    return f"sqlite:///{folder / 'test.sqlite'}"


def begun(keys: Path, folder: Path) -> Path:
    """A log with one entry, closed; its keys are moved there from `keys`."""
    folder.mkdir()
    keys.rename(folder / "data")
    site = Site(url(folder), folder / "data")
    site.create()
    site.log.start()
    site.log.settle(site.act())
    site.close()
    return folder


def wrong_with(folder: Path, told: Iterable[str]) -> str | None:
    """What is wrong with the log after a restart, given what its process had said; None when all is well."""
    words = [each.split() for each in told]
    acknowledged = [name for word, name in words if word == "ACK"]
    published = [int(size) for word, size in words if word == "PUB"]
    site = Site(url(folder), folder / "data")
    try:
        with site.engine.connect() as connection:
            (sound,) = connection.exec_driver_sql("PRAGMA integrity_check").one()
            if sound != "ok":
                return "corrupt"
        site.log.start()
        if published and Checkpoint.parse(site.log.signed().text).size < published[-1]:
            return "a published checkpoint is gone"
        site.log.sequence()
        site.log.checkpoint()
        site.log.check()
        there = [entry.event for entry in reversed(site.log.entries(limit=10_000))]
    except Exception as error:  # noqa: BLE001 - whatever it is, the log did not begin again
        return f"{type(error).__name__}: {error}"
    finally:
        site.close()
    if [each for each in there if each in acknowledged] != acknowledged:
        return "an acknowledged act is missing, there twice, or out of order"
    return None
