"""The first start writes the ports that certificates will name, also those that it was given by `--set`."""

import tomllib
from pathlib import Path
from typing import Any

import pytest

from ops.data import DataDirectory
from ops.init import prepare
from yinxin.settings import BadConfiguration

pytestmark = pytest.mark.engines("any")


def written(folder: Path) -> dict[str, Any]:
    return tomllib.loads((folder / "config.toml").read_text())


@pytest.mark.parametrize(
    ("overrides", "port", "want"),
    [
        ([], None, (8443, 8444, "http://127.0.0.1:8444")),
        ([], 18443, (18443, 18444, "http://127.0.0.1:18444")),
        (["server.plain_port=18080"], 18443, (18443, 18080, "http://127.0.0.1:18080")),
        (["server.port=9443"], None, (9443, 9444, "http://127.0.0.1:9444")),
        (["ca.public_url=http://pki.example.gov.cn"], None, (8443, 8444, "http://pki.example.gov.cn")),
        (
            ['ca.public_url=http://pki.example.gov.cn/"a"'],
            None,
            (8443, 8444, 'http://pki.example.gov.cn/"a"'),
        ),
    ],
)
def test_what_certificates_name_is_where_it_is_served(
    tmp_path: Path, overrides: list[str], port: int | None, want: tuple[int, int, str]
) -> None:
    """Without it a list and an OCSP responder were named for ever on a port where nobody answers."""
    now: Any = prepare(DataDirectory(tmp_path), overrides, port)
    assert (
        now.section("server").port,
        now.section("server").plain_port,
        now.section("ca").public_url,
    ) == want
    later: Any = prepare(DataDirectory(tmp_path), [], None)
    assert (later.section("server").plain_port, later.section("ca").public_url) == want[1:]


def test_a_free_port_is_found_where_the_choice_is_left(tmp_path: Path) -> None:
    prepare(DataDirectory(tmp_path), ["server.port=0", "server.plain_port=0"], None)
    found = written(tmp_path)
    assert (found["server"]["port"], found["server"]["plain_port"]) == (8443, 8444)  # 0 holds for this run
    other = tmp_path / "other"
    other.mkdir()
    prepare(DataDirectory(other), [], 0)
    assert min(written(other)["server"].values()) > 1023


def test_a_wrong_setting_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(BadConfiguration) as raised:
        prepare(DataDirectory(tmp_path), ["http_port=18080"], None)
    assert "config.toml" not in raised.value.text("en")
    assert not (tmp_path / "config.toml").exists()


@pytest.mark.parametrize(("port", "key"), [(70000, "server.port"), (65535, "server.plain_port")])
def test_a_port_that_cannot_be_is_refused_before_anything_is_written(
    tmp_path: Path, port: int, key: str
) -> None:
    """The port beside it too. Seen to fail: it was written, and no later start could read the file."""
    with pytest.raises(BadConfiguration, match=key):
        prepare(DataDirectory(tmp_path), [], port)
    assert not (tmp_path / "config.toml").exists()


def test_a_wrong_override_is_not_blamed_on_the_file(tmp_path: Path) -> None:
    prepare(DataDirectory(tmp_path), [], None)
    with pytest.raises(BadConfiguration) as raised:
        prepare(DataDirectory(tmp_path), ["server.prt=18080"], None)
    assert raised.value.facts["source"] == "--set"
    file = tmp_path / "config.toml"
    file.write_text(file.read_text() + "wrong = 1\n")
    with pytest.raises(BadConfiguration) as raised:
        prepare(DataDirectory(tmp_path), ["server.port=9443"], None)
    assert raised.value.facts["source"] == str(file)
