"""Recovered encryption keys over HTTP. A recovery itself is a proposal (`/api/authz/v1/proposals`, kind `kms.recover`)."""

from flask import Blueprint

from kms.escrow.errors import RecoveryUnknown
from kms.service import KeyCentre
from yinxin.authz import Denied
from yinxin.text import Text
from yinxin.web import Api, Caller
from yinxin.wire import Model, base64_text


class EnvelopeOut(Model):
    """The encryption key, encrypted to the certificate that the proposal named."""

    envelope_base64: str


def routes(centre: KeyCentre) -> tuple[Blueprint, ...]:
    """The operations on recoveries."""
    api = Api("kms_recoveries", "/api/kms/v1", Text("密钥恢复", "Recovery of encryption keys"))

    @api.get(
        "/recovered-keys/<proposal>",
        summary=Text("取用恢复的加密密钥", "The envelope of a recovery that was carried out"),
        problems=(RecoveryUnknown, Denied),
    )
    def recovered(proposal: str, caller: Caller) -> EnvelopeOut:
        return EnvelopeOut(envelope_base64=base64_text(centre.escrow.recovered(caller.actor, proposal)))

    return (api.blueprint,)
