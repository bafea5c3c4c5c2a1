"""The assembly of one web application: whatever is registered on it gets the same scope, defence and errors."""

from collections.abc import Callable
from datetime import timedelta

from flask import Flask

from yinxin.client import Client, in_process
from yinxin.clock import Clock
from yinxin.store import Store
from yinxin.web import _babel, crosssite, frame, openapi, problems, requests, signin
from yinxin.web._kit import EXTENSION, Kit, reader_language
from yinxin.web._rules import LateRule
from yinxin.web.caller import Authenticator, Names, NoNames
from yinxin.web.idempotency import Answers
from yinxin.web.settings import WebSettings

#: the host name of calls inside this process; always answered to
INSIDE = "localhost"


def create_app(
    *,
    authenticator: Authenticator,
    store: Store,
    clock: Clock,
    settings: WebSettings,
    core: Callable[..., Client] | None = None,
    names: Names | None = None,
) -> Flask:
    """A WSGI application to register `Api.blueprint` and `Pages.blueprint` on.

    `core(token=…, certificate=…)` makes a client of the core when that runs elsewhere; without it the core is this
    very application. `names` tells pages what people, posts and organs are called.
    """
    app = Flask("yinxin.web")
    app.url_rule_class = LateRule
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    app.config["TRUSTED_HOSTS"] = [*settings.hosts, INSIDE] if settings.hosts else None
    answers = Answers(store, kept=timedelta(hours=settings.answers_kept_hours))
    reach = core or _within(app, store)
    app.extensions[EXTENSION] = Kit(authenticator, store, clock, settings, answers, reach, names or NoNames())
    _babel.install(app)
    requests.install(app)
    crosssite.install(app)
    problems.install(app)
    frame.install(app)
    app.register_blueprint(openapi.blueprint)
    app.register_blueprint(signin.blueprint)
    return app


def _within(app: Flask, store: Store) -> Callable[..., Client]:
    def core(*, token: str | None = None, certificate: bytes | None = None) -> Client:
        return Client(
            f"https://{INSIDE}",
            token=token,
            transport=in_process(app, certificate=certificate),
            language=reader_language(),
            clock=store.clock,
            randomness=store.randomness,
        )

    return core
