"""Law 2, for answers: a secret or a token that an operation gives out is kept nowhere, not even to be given again.

Seen to fail when: one of the three operations leaves out `secret`; `Answers.keep` stores its answer all the same.
"""

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any, get_args

import pytest
import sqlalchemy as sa
from pydantic import BaseModel

from authz.delegation import Wish
from ops.platform import Platform
from tests.laws.asking import Desk, in_the_log, refused
from tests.laws.province import client, identity
from yinxin.crypto import cms
from yinxin.store import Base
from yinxin.web import Api
from yinxin.web._kit import EXTENSION

pytestmark = pytest.mark.engines("any")

#: what a field of an answer is called when it holds what nobody else may have
_SECRET = re.compile(
    r"(^|_)(secret|token|password|passphrase|pin|private_key|pkcs12|p12|pfx|hmac|key_pem|credential|code)($|_)"
)
GIVEN = {
    ("oidc_clients", "register"),
    ("oidc_clients", "renew"),
    ("authz", "act_for"),
}
CLIENT = {
    "id": "mail",
    "name": {"zh": "电子邮件", "en": "Mail"},
    "redirect_uris": ["https://mail.example.gov.cn/callback"],
}


def fields(model: Any) -> Iterator[str]:
    """The names of every field of an answer, those of the models within it too."""
    for each in get_args(model):
        yield from fields(each)
    if isinstance(model, type) and issubclass(model, BaseModel):
        for name, field in model.model_fields.items():
            yield name
            yield from fields(field.annotation)


def every_answer_that_names_a_secret_is_declared_so(platform: Platform) -> None:
    apis: list[Api] = platform.app.extensions[EXTENSION].apis
    operations = {(api.name, each.name): each for api in apis for each in api.operations}
    telling = {
        place
        for place, each in operations.items()
        if not each.public and any(_SECRET.search(name) for name in fields(each.contract.answer))
    }
    # the code of a refusal within a batch or of a remark on a text is no secret, nor is the name of the file that a
    # receiver's secret is in
    no_secret = {
        *(("ca-batch", "issue_batch"), ("kms_keyring", "use_service_key"), ("scim_receivers", "listing")),
        *(("document", "preview"), ("document", "manuscript_preview")),
    }
    assert telling - no_secret == GIVEN
    assert {place for place, each in operations.items() if each.secret is not None} == GIVEN


def rows(platform: Platform) -> str:
    """All that the database holds."""
    with platform.store.read() as session:
        return "\n".join(
            repr(tuple(row))
            for table in Base.metadata.sorted_tables
            for row in session.execute(sa.select(table))
        )


def delegated(platform: Platform) -> str:
    """The number of a delegation that the leader gives to the clerk."""
    leader, now = identity(platform.data.root, "demo-leader"), platform.clock.now()
    signed_in = platform.authz.sessions.authenticate(client(platform, "demo-leader").sign_in()).actor
    wish = Wish(delegate="demo-clerk", reason="出差", valid_from=now, valid_to=now + timedelta(days=1))
    statement = platform.authz.delegations.statement(signed_in, wish)
    signature = cms.sign_detached(leader, statement, signed_at=now)
    return platform.authz.delegations.give(signed_in, statement, signature).id


def test_an_answer_that_holds_a_secret_is_declared_so_and_is_not_in_the_database(platform: Platform) -> None:
    every_answer_that_names_a_secret_is_declared_so(platform)
    officer, clerk = Desk(platform, "demo-officer"), Desk(platform, "demo-clerk")
    organ = platform.authz.sessions.authenticate(officer.token).actor.organ
    asked: tuple[tuple[Desk, str, dict[str, Any], str], ...] = (
        (officer, "clients", CLIENT | {"organ": organ}, "secret"),
        (officer, "clients/mail/secret", {}, "secret"),
        (clerk, f"delegations/{delegated(platform)}/session", {}, "token"),
    )
    for number, (desk, path, body, name) in enumerate(asked):
        address, key = f"/api/authz/v1/{path}", f"law-2-{number}"
        first = desk.send("POST", address, key=key, json=body)
        assert first.is_success, first.text
        assert len(first.json()[name]) >= 32
        assert first.json()[name] not in rows(platform), path
        before = len(done(platform))
        problem = refused(desk.send("POST", address, key=key, json=body), "request.answer_lost", 409)
        assert problem["facts"]["act"] == first.headers["Audit-Entry"]
        in_the_log(platform, problem)
        assert len(done(platform)) == before, path
    assert officer.token not in rows(platform)


def done(platform: Platform) -> list[Any]:
    platform.audit.sequence()
    return [each for each in platform.audit.entries(limit=10_000) if each.fields()["outcome"] == "done"]
