"""A province's configuration refuses what only a trial may use."""

import pytest

from ops.data import DataDirectory
from ops.platform import Platform
from ops.settings import InsecureStandIn, check_shape, configuration, demand_shared
from yinxin.settings import BadConfiguration


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


PROVINCE = ["shape=province", "database.url=postgresql+psycopg:///yinxin"]


def test_province_refuses_a_password_in_the_configuration():
    """Seen to fail when `check_shape` does not look at the address."""
    settings = configuration(None, ["shape=province", "database.url=postgresql+psycopg://me:hush@db/yinxin"])
    with pytest.raises(InsecureStandIn) as refused:
        check_shape(settings)
    assert "hush" not in str(refused.value)


def test_province_refuses_a_store_without_tls():
    store = ["secrets.source=openbao", "secrets.openbao.role_id=r"]
    with pytest.raises(InsecureStandIn, match="http://127"):
        check_shape(configuration(None, [*PROVINCE, *store, "secrets.openbao.address=http://127.0.0.1:8200"]))
    check_shape(configuration(None, [*PROVINCE, *store, "secrets.openbao.address=https://bao.example:8200"]))


@pytest.mark.parametrize(
    ("key", "overrides"),
    [
        ("secrets", ["secrets.source=openbao"]),
        ("secrets", ["secrets.sources.hsm-pin=openbao", "secrets.openbao.address=https://bao:8200"]),
        ("secrets.source", ["secrets.source=vault"]),
        ("secrets.sources.hsm-pim", ["secrets.sources.hsm-pim=files"]),
        ("secrets.openbao.secret_id", ["secrets.openbao.secret_id=0"]),
        ("secrets.openbao.address", ["secrets.openbao.address=http://bao.example:8200"]),
        ("secrets.openbao.address", ["secrets.openbao.address=https://me:hush@bao.example"]),
        ("secrets.openbao.address", ["secrets.openbao.address=bao.example"]),
        ("secrets.openbao.timeout", ["secrets.openbao.timeout=0"]),
        ("secrets.custodians.minutes", ["secrets.custodians.minutes=1"]),
    ],
)
def test_sources_of_secrets_that_are_wrong(key, overrides):
    """No setting takes a secret, and a slip of the pen is no source."""
    with pytest.raises(BadConfiguration) as refused:
        configuration(None, overrides)
    assert refused.value.facts["key"].startswith(key)
    assert "hush" not in str(refused.value)


def test_province_serves_with_the_keys_elsewhere():
    overrides = ["shape=province", "database.url=postgresql+psycopg:///yinxin"]
    with pytest.raises(InsecureStandIn, match=r"kms\.address"):
        demand_shared(configuration(None, overrides))
    demand_shared(configuration(None, [*overrides, "kms.address=127.0.0.1:8445"]))
    demand_shared(configuration(None))
