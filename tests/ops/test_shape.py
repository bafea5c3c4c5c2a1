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


def test_embedded_takes_both():
    check_shape(configuration(None), token_manufacturer="SoftHSM project")
