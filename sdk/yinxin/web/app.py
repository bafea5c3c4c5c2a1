"""The assembly of one web application: whatever is registered on it gets the same scope, defence and errors."""

from datetime import timedelta

from flask import Flask

from yinxin.clock import Clock
from yinxin.store import Store
from yinxin.web import crosssite, openapi, problems, requests
from yinxin.web._kit import EXTENSION, Kit
from yinxin.web.caller import Authenticator
from yinxin.web.idempotency import Answers
from yinxin.web.settings import WebSettings


def create_app(*, authenticator: Authenticator, store: Store, clock: Clock, settings: WebSettings) -> Flask:
    """A WSGI application to register `Api.blueprint` and `Pages.blueprint` on; nothing is served yet."""
    app = Flask("yinxin.web")
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    app.config["TRUSTED_HOSTS"] = list(settings.hosts) or None
    answers = Answers(store, kept=timedelta(hours=settings.answers_kept_hours))
    app.extensions[EXTENSION] = Kit(authenticator, store, clock, settings, answers)
    requests.install(app)
    crosssite.install(app)
    problems.install(app)
    app.register_blueprint(openapi.blueprint)
    return app
