"""Signing in, and knowing a session again, beside the signature that cannot be avoided."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

from authz.refusals import Refusals
from authz.sign_in import SignIn
from ops.accounts import Account, enrol
from ops.acting import OFFICER
from ops.bench.house import house
from ops.bench.measure import ROUNDS, Result, rates
from ops.bench.served import cpu_seconds, ours
from ops.demo.found import directory_file
from ops.platform import INSIDE, Platform
from yinxin.authz import sign_in_statement
from yinxin.crypto import cms
from yinxin.crypto.keys import Identity

_COUNT = 40
#: of a session's use, which is quicker
_USES = 200


def sign_in() -> Iterator[Result]:
    """Sign-ins by a signed challenge, from the answer to the session's token; then uses of that session."""
    with house() as platform:
        identity = _officer(platform)
        way = _unlimited(platform)
        statement = sign_in_statement("x", INSIDE)
        signature = cms.sign_detached(identity, statement, signed_at=None)
        prepared = iter([_answers(way, identity) for _ in range(ROUNDS + 1)])

        def whole() -> int:
            for answer, nonce in next(prepared):
                way.by_signature(answer, nonce)
            return _COUNT

        def verified() -> int:
            for _ in range(_COUNT):
                cms.verify_detached(signature, statement)
            return _COUNT

        found = rates({"whole": whole, "verified": verified})
        yield Result(
            "sign-in",
            found["whole"],
            "sign-ins per CPU-second",
            {"verifying the signature (CMS) alone": found["verified"]},
            "challenge used up, signature, path, revocation, appointment, attempt counted, session and record committed",
        )
        shown = identity.certificate.der

        def by_tls() -> int:
            for _ in range(_COUNT):
                way.by_tls(shown)
            return _COUNT

        found = rates({"tls": by_tls, "verified": verified})
        yield Result(
            "sign-in-by-connection",
            found["tls"],
            "sign-ins per CPU-second",
            {"verifying a signature (CMS) alone": found["verified"]},
            "certificate of a connection: path, revocation, appointment, attempt counted, session and record committed",
        )
        token, _ = way.by_signature(*_answers(way, identity)[0])

        def known() -> int:
            for _ in range(_USES):
                platform.authz.sessions.authenticate(token)
            return _USES

        found = rates({"known": known, "verified": verified})
        yield Result(
            "session-use",
            found["known"],
            "uses of a session per CPU-second",
            {"verifying a signature (CMS) instead": found["verified"]},
            "session, binding, revocation, appointment, powers and roles read from the database each time",
        )


def sign_in_tls() -> Iterator[Result]:
    """Sign-ins by the certificate of a new connection each time, mutual TLS and all, beside challenges over a kept one."""
    with (
        tempfile.TemporaryDirectory(prefix="yinxin-bench-") as folder,
        ours(Path(folder), "authz.attempts_per_minute=1000") as server,
    ):
        client, anew = server.client, server.sign_in_by_tls
        if client is None or anew is None:
            raise AssertionError

        def by_tls() -> int:
            for _ in range(_COUNT):
                anew()
            return _COUNT

        def by_challenge() -> int:
            for _ in range(_COUNT):
                client.sign_in()
            return _COUNT

        found = rates({"tls": by_tls, "challenge": by_challenge}, clock=lambda: cpu_seconds(server.process))
    yield Result(
        "sign-in-tls",
        found["tls"],
        "sign-ins per CPU-second of the server, mutual TLS, a new connection each",
        {"by challenge, over a connection that is kept": found["challenge"]},
        "handshake with the client's certificate, path, revocation, appointment, session and record committed",
    )


def _officer(platform: Platform) -> Identity:
    account = Account.of(platform.data, OFFICER, "intl")
    posts = {each.person: each.post for each in directory_file().appointments}
    enrol(platform, account, posts[OFFICER], officer=None)
    return account.identity()


def _unlimited(platform: Platform) -> SignIn:
    """The platform's own way in, without the limit on one certificate's sign-ins in a minute."""
    settings = platform.section("authz")
    return SignIn(
        platform.store,
        origins=(INSIDE,),
        challenges=platform.authz.challenges,
        sessions=platform.authz.sessions,
        checker=platform.ca.checker,
        refusals=Refusals(platform.store, settings.refusals_per_minute),
        attempts_per_minute=1_000_000,
    )


def _answers(way: SignIn, identity: Identity) -> list[tuple[bytes, str]]:
    """Challenges, answered on the client's side."""
    nonces = [way.challenge().nonce for _ in range(_COUNT)]
    return [
        (cms.sign_detached(identity, sign_in_statement(each, INSIDE), signed_at=None), each)
        for each in nonces
    ]
