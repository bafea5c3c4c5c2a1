"""A province's configuration refuses what only a trial may use."""

import pytest

from ops.data import DataDirectory
from ops.platform import Platform
from ops.settings import InsecureStandIn, check_shape, configuration


def test_province_refuses_sqlite(tmp_path):
    opening = Platform.open(DataDirectory(tmp_path), ["shape=province"])
    with pytest.raises(InsecureStandIn) as refused, opening:
        pass
    assert refused.value.facts["part"] == "SQLite"
    assert not (tmp_path / "yinxin.db").exists()


def test_province_refuses_softhsm():
    settings = configuration(None, ["shape=province", "database.url=postgresql+psycopg:///yinxin"])
    with pytest.raises(InsecureStandIn, match="SoftHSM2"):
        check_shape(settings, token_manufacturer="SoftHSM project")
    check_shape(settings, token_manufacturer="Another maker")


@pytest.mark.parametrize("eab", ["optional", "off"])
def test_province_refuses_accounts_of_anybody(eab):
    """Seen to fail when `check_shape` does not look at it."""
    settings = configuration(
        None, ["shape=province", "database.url=postgresql+psycopg:///yinxin", f"ca.acme.eab={eab}"]
    )
    with pytest.raises(InsecureStandIn, match=r"ca\.acme\.eab"):
        check_shape(settings)


def test_embedded_takes_both():
    check_shape(configuration(None), token_manufacturer="SoftHSM project")
