"""What hangs on a session ends with it, however that ends, and the systems that it let in are told."""

from datetime import timedelta
from urllib.parse import urlencode

import pytest
import sqlalchemy as sa
from authlib.integrations.base_client.errors import OAuthError
from joserfc import jwt

from authz.oidc.models import GrantRow

from .relying import authorization


@pytest.fixture
def database_url(tmp_path):
    """One engine is enough here: what two may do at once is tried on both in test_sign_on_races."""
    return f"sqlite:///{tmp_path / 'test.sqlite'}"


def test_the_end_of_the_session_ends_everything_and_clients_are_told(world):
    secret = world.register(backchannel_logout_uri="https://mail.example.gov.cn/backchannel")
    with world.relying(secret) as mail:
        tokens = world.sign_on(mail)
        session = world.claims(tokens["id_token"])["sid"]
        world.site.authz.sessions.sign_out(world.site.authz.sessions.authenticate(world.token))
        assert mail.get(world.found["userinfo_endpoint"]).status_code == 401
        with pytest.raises(OAuthError, match="invalid_grant"):
            mail.refresh_token(world.found["token_endpoint"])
        world.told.answers = False
        assert world.site.authz.oidc.logouts.tell() == 0
        world.told.answers = True
        assert world.site.authz.oidc.logouts.tell() == 0  # not yet due again
        world.site.clock.advance(timedelta(seconds=30))
        assert world.site.authz.oidc.logouts.tell() == 1
        assert world.site.authz.oidc.logouts.tell() == 0
        (told,) = world.told.tokens
        decoded = jwt.decode(told, world.keys(), algorithms=["ES256"])
        assert decoded.header["typ"] == "logout+jwt"
        assert (decoded.claims["sub"], decoded.claims["sid"], decoded.claims["aud"]) == (
            "zhang",
            session,
            "mail",
        )
        assert list(decoded.claims["events"]) == ["http://schemas.openid.net/event/backchannel-logout"]
        assert "nonce" not in decoded.claims


@pytest.mark.parametrize("how", ["revoked", "officer", "time"])
def test_what_hangs_on_a_session_ends_with_it_however_that_ends(world, how):
    secret = world.register(backchannel_logout_uri="https://mail.example.gov.cn/backchannel")
    with world.relying(secret) as mail:
        world.sign_on(mail)
        if how == "revoked":
            world.site.ca.revoke(world.person.certificate)
        elif how == "officer":
            world.site.authz.end_sessions(world.officer, "zhang")
        else:
            world.site.clock.advance(timedelta(hours=8))
        if how != "time":  # Authlib looks at its own clock besides
            assert mail.get(world.found["userinfo_endpoint"]).status_code == 401
        world.site.authz.oidc.tend()
        assert len(world.told.tokens) == 1
        world.site.authz.oidc.tend()
        assert len(world.told.tokens) == 1
        with world.site.store.read() as session:
            assert session.scalars(sa.select(GrantRow.ended)).one() is not None


def test_many_are_looked_at_in_turn(world, monkeypatch):
    """Seen to fail when the turn begins anew each time."""
    monkeypatch.setattr("authz.oidc.logout._LOOK", 2)
    world.register(backchannel_logout_uri="https://mail.example.gov.cn/backchannel")
    for _ in range(3):
        world.browse(authorization(world))
    world.site.clock.advance(timedelta(seconds=1))  # the turn goes by age
    other = world.site.enrol("wang", "seal-a")
    world.browse(authorization(world), token=world.site.sign_in(other))
    world.site.ca.revoke(other.certificate)
    world.site.authz.oidc.tend()
    assert world.told.tokens == []
    world.site.authz.oidc.tend()
    assert len(world.told.tokens) == 1
    world.site.authz.oidc.tend()
    assert len(world.told.tokens) == 1


def test_a_client_signs_its_person_out(world):
    secret = world.register()
    with world.relying(secret) as mail:
        id_token = world.sign_on(mail)["id_token"]
    asked = {
        "id_token_hint": id_token,
        "post_logout_redirect_uri": "https://mail.example.gov.cn/bye",
        "state": "x",
    }
    bad = asked | {"post_logout_redirect_uri": "https://evil.example/"}
    assert "https://evil.example/" not in world.browse("/oidc/logout?" + urlencode(bad))
    forged = asked | {"id_token_hint": id_token[:-4] + "AAAA"}
    world.browse("/oidc/logout?" + urlencode(forged))
    without = {"client_id": "mail", "post_logout_redirect_uri": asked["post_logout_redirect_uri"]}
    assert "要退出登录吗" in world.browse(
        "/oidc/logout?" + urlencode(without)
    )  # nobody is signed out by a link
    world.site.authz.sessions.authenticate(world.token)
    world.site.clock.advance(timedelta(minutes=20))  # an ID token that is over serves as a hint
    assert world.browse("/oidc/logout?" + urlencode(asked)) == "https://mail.example.gov.cn/bye?state=x"
    with pytest.raises(Exception, match="session_ended"):
        world.site.authz.sessions.authenticate(world.token)
