"""The core asked through the SDK's client: what this application does here, a department's own system can do.

Names of keys: an organ's seal is `seal-<organ>-<suite>`, the evidence seal `<suite>-evidence`, the timestamp
authority `<suite>-tsa`.
"""

from collections.abc import Mapping, Sequence

from apps.document.core import Organ, Post, Seal
from apps.document.errors import NoHolderKey, NoSeal
from apps.document.intake.states import LIFE as INTAKE_LIFE
from yinxin import flow
from yinxin.client import Client
from yinxin.client import Organ as Named
from yinxin.condition import Condition
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.keys import Identity
from yinxin.crypto.suite import INTL
from yinxin.errors import NotFound
from yinxin.text import Text

_PURPOSE = "document.seal"


class RemoteCore(flow.RemoteCore):
    """The core in the name of one signed-in person (`apps.document.core.Core`)."""

    def __init__(self, client: Client) -> None:
        super().__init__(client, "Document")

    def visible(self, action: str) -> Condition:
        """The records of either life that it is permitted for, now."""
        return self._client.authz.visible(action, "Intake" if action == INTAKE_LIFE.read else "Document")

    def organ(self, organ: str) -> Organ:
        return _organ(self._client.authz.organ(organ))

    def organs(self) -> Mapping[str, Organ]:
        return {each.id: _organ(each) for each in self._client.authz.organs()}

    def posts(self, organ: str) -> Sequence[Post]:
        found = self._client.authz.posts(organ)
        return [Post(each.id, Text(each.name.zh, each.name.en)) for each in found]

    def seal(self, organ: str, suite: str, subject: str) -> Seal:
        return self._seal(f"seal-{organ}-{suite}", organ, suite, subject)

    def seal_chain(self, organ: str, suite: str) -> tuple[Certificate, ...]:
        return self._client.ca.chain_of(self._client.kms.key(f"seal-{organ}-{suite}").verifier())

    def evidence_seal(self, subject: str) -> Seal:
        return self._seal(f"{INTL.name}-evidence", "platform", INTL.name, subject)

    def holder_key(self) -> str | None:
        own = self._client.ca.own()[0].public_key
        keys = self._client.kms.holders.list()
        return next((each.id for each in keys if each.state == "active" and each.verifier() == own), None)

    def as_holder(self, pin: str) -> Identity:
        key = self.holder_key()
        if key is None:
            raise NoHolderKey
        own, *above = self._client.ca.own()
        return self._client.kms.holders.identity(key, pin, own, tuple(above))

    def timestamp_chain(self, suite: str) -> tuple[Certificate, ...]:
        return self._client.ca.chain_of(self._client.kms.key(f"{suite}-tsa").verifier())

    def chain(self, certificate: Certificate) -> tuple[Certificate, ...]:
        issuers: list[Certificate] = []
        below = certificate
        while not below.is_self_issued:
            below = self.issuer(below)
            issuers.append(below)
        return tuple(issuers)

    def crl(self, issuer: Certificate) -> bytes:
        return self._client.ca.crl(self._client.ca.authority_of(issuer.public_key))

    def proof(self, entry: str) -> bytes:
        return self._client.audit.proof(entry)

    def checkpoint_record(self, size: int) -> bytes | None:
        return self._client.audit.record(size)

    def witness_policy(self) -> bytes | None:
        return self._client.audit.policy()

    def _seal(self, label: str, organ: str, suite: str, subject: str) -> Seal:
        try:
            signer = self._client.kms.signer(label, purpose=_PURPOSE, subject=subject)
            certificate, *chain = self._client.ca.chain_of(signer.public_key)
        except NotFound as error:
            raise NoSeal(organ=organ, suite=suite) from error
        return Seal(signer, certificate, tuple(chain))


def _organ(found: Named) -> Organ:
    return Organ(found.id, found.name.zh, found.short_name, found.parent, found.level)
