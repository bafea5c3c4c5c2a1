"""ACME as one service: what its routes, its jobs and the officers' commands call."""

import logging
from datetime import timedelta
from functools import partial

from ca.acme import ari, order, validate
from ca.acme.change import made
from ca.acme.limits import Limits
from ca.acme.nonce import Nonces
from ca.acme.parts import Parts
from ca.acme.reach import Reach
from ca.acme.trials import Trials
from ca.acme.validators import Validators
from ca.context import Context
from ca.enrolment.service import Enrolment
from kms.service import KeyCentre
from yinxin.act import Actor
from yinxin.authz import Decision
from yinxin.gather import Window

_log = logging.getLogger("yinxin.ca")

#: results of validation that share a transaction
_RESULTS = 64


class Acme:
    """One per process, shared by its threads."""

    def __init__(self, ctx: Context, keys: KeyCentre, enrolment: Enrolment) -> None:
        settings, store = ctx.settings.acme, ctx.store
        if settings.eab != "required":
            _log.warning(
                "ca.acme.eab is %s: whoever reaches this server may have certificates on credential %s",
                settings.eab,
                settings.open_credential or "-",
            )
        nonces = Nonces(store, keys, timedelta(minutes=settings.nonce_minutes))
        results = Window(_RESULTS, partial(made, store))
        self.parts = Parts(ctx, enrolment, nonces, Limits(store.clock), results, Trials())
        self.reach = Reach(settings)
        self.validators = Validators(self.attempt, settings.validators)

    def attempt(self, authorization: str) -> None:
        """Try the challenge of an authorization once; see `validate.attempt`."""
        try:
            validate.attempt(self.parts, self.reach, authorization)
        finally:
            self.parts.trials.end(authorization)

    def try_now(self, authorization: str, account: str) -> None:
        """Have the challenge of an account's authorization tried soon."""
        self.parts.trials.begin(authorization, account)
        if not self.validators.submit(authorization):
            self.parts.trials.end(authorization)

    # --- jobs --------------------------------------------------------------------------------------------------

    def validate_due(self) -> None:
        """Have the challenges tried that are due: later attempts, and those whose process died."""
        for id_ in validate.take_over(self.parts):
            self.validators.submit(id_)

    def settle(self) -> None:
        """Let orders fail whose processing was cut off."""
        order.settle_all(self.parts)

    def sweep(self) -> None:
        """Forget nonces that have expired."""
        self.parts.nonces.sweep()

    # --- officers ----------------------------------------------------------------------------------------------

    def renew(self, actor: Actor, serial: str, decision: Decision, url: str | None = None) -> None:
        """Have a certificate replaced now by whichever client asks for renewal information (RFC 9773)."""
        store = self.parts.ctx.store
        with store.act(actor, ari.MARK, f"certificate:{serial}") as act:
            act.decision = decision.record()
            ari.mark(act.session, serial, actor.id, store.clock.now(), url)
