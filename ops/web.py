"""The web application of an installation: every module's routes on the kit, then the console's pages."""

from typing import TYPE_CHECKING

from ops import console
from ops.metrics.face import blueprint as metrics
from ops.modules import MODULES
from yinxin.web import create_app

if TYPE_CHECKING:
    from flask import Flask

    from ops.platform import Platform


def create(platform: "Platform") -> "Flask":
    """The WSGI application of `platform`; everything registered by a module is on it."""
    app = create_app(
        authenticator=platform.authz.oidc.callers,
        store=platform.store,
        clock=platform.clock,
        settings=platform.section("web"),
        names=console.DirectoryNames(
            platform.authz.directory,
            platform.authz.oidc.clients,
            platform.exchange.peers.name,
            platform.authz.tenants.mark,
        ),
    )
    for module in MODULES:
        # the kit's own service is this very application: it is asked for only where there are faces to make
        for blueprint in module.blueprints(platform.service(module)) if module.routes else ():
            app.register_blueprint(blueprint)
    app.register_blueprint(metrics(platform))
    for blueprint in console.pages(platform):
        app.register_blueprint(blueprint)
    return app
