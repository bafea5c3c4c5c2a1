"""Sites that witness each other: who is asked reaches the other's real application, and what several people decided is done."""

import httpx

from audit.api import routes
from audit.module import MODULE
from audit.witness.api import routes as status_routes
from audit.witness.face import routes as witness_routes
from yinxin import canonical
from yinxin.crypto.suite import INTL, SM
from yinxin.tlog import Checkpoint
from yinxin.web import WebSettings, create_app

from .deciding import carried_out
from .people import People

KINDS = {each.name: each for each in MODULE.proposals}


def decide(site, kind, content):
    """What the approvers see, and the proposal carried out."""
    return carried_out(site, KINDS[kind], content)


def app_of(site):
    app = create_app(authenticator=People(), store=site.store, clock=site.store.clock, settings=WebSettings())
    for blueprint in (*routes(site.log), *status_routes(site.log), *witness_routes(site.log)):
        app.register_blueprint(blueprint)
    return app


class Net:
    """Requests reach the application of the site that is called by the host's name; what is down does not answer."""

    def __init__(self):
        self.apps, self.others, self.down, self.calls, self.answer = {}, {}, set(), [], None

    def client(self):
        return httpx.Client(transport=httpx.MockTransport(self._handle))

    def _handle(self, request):
        self.calls.append((request.method, request.url.host, request.url.path))
        if request.url.host in self.down:
            raise httpx.ConnectError("down")
        if self.answer is not None:
            return self.answer(request)
        if request.url.host in self.others:
            return self.others[request.url.host](request)
        got = (
            self.apps[request.url.host]
            .test_client()
            .open(request.url.path, method=request.method, data=request.content)
        )
        return httpx.Response(got.status_code, headers=dict(got.headers), content=got.data)


def policy(
    ours,
    neighbours,
    suite=INTL,
    quorum="group both all jia yi\nquorum both\n",
    url="https://{}.example/witness",
):
    lines = [f"log {ours.log.verifiers[suite.hash.name].encode()}\n"]
    for name, site in zip(("jia", "yi"), neighbours, strict=True):
        (key,) = [each for each in site.log.cosigner.keys if (each.public_key.suite is SM) is (suite is SM)]
        lines.append(f"witness {name} {key.encode()} {url.format(name)}".rstrip() + "\n")
    return "".join(lines) + quorum


def grow(site, count, verb="test.act"):
    for _ in range(count):
        site.act(verb=verb)
    site.log.sequence()
    site.log.checkpoint()


def size(note):
    return Checkpoint.parse(note.text).size


def roll_back(site, to):
    """The whole machine as it was: database and checkpoint file. Gives what had to be undone."""
    site.drop_triggers()
    for table, column in (
        ("audit_entry", '"index"'),
        ("audit_checkpoint", "size"),
        ("audit_cosignature", "size"),
    ):
        at = to if table == "audit_entry" else to + 1
        site.execute(f"DELETE FROM {table} WHERE {column} >= :at", at=at)  # noqa: S608 - names of this test
    with site.engine.begin() as connection:
        (data,) = connection.exec_driver_sql(
            'SELECT data FROM audit_entry ORDER BY "index" DESC LIMIT 1'
        ).one()
    last = canonical.decode(bytes(data))["number"]
    site.execute("UPDATE outbox_source SET last = :last", last=last)
    site.execute("UPDATE audit_asked SET size = 0")
    site.execute("DELETE FROM outbox")
    site.log.checkpoint_file.unlink()
