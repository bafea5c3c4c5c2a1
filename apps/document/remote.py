"""The core asked through the SDK's client: what this application does here, a department's own system can do.

Names of keys: an organ's seal is `seal-<organ>-<suite>`, the evidence seal `<suite>-evidence`, the timestamp
authority `<suite>-tsa`.
"""

from collections.abc import Mapping, Sequence

from apps.document.core import NameSeal, Organ, Post, Seal, SealUse
from apps.document.errors import NoSeal
from apps.document.intake.states import LIFE as INTAKE_LIFE
from apps.document.template.records import LIFE as TEMPLATE_LIFE
from yinxin import flow
from yinxin.client import Client
from yinxin.client import Organ as Named
from yinxin.condition import Condition
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.suite import INTL, SM
from yinxin.errors import YinxinError
from yinxin.text import Text

_PURPOSE = "document.export"
#: what reading is asked about, where it is no document
_KINDS = {INTAKE_LIFE.read: "Intake", TEMPLATE_LIFE.read: "Template"}
_NO_SEAL = "seal.none_of_organ"


class RemoteCore(flow.RemoteCore):
    """The core in the name of one signed-in person (`apps.document.core.Core`)."""

    def __init__(self, client: Client) -> None:
        super().__init__(client, "Document")
        self._seen: dict[str, Condition] = {}

    def visible(self, action: str) -> Condition:
        """The records of either life that it is permitted for, as it is when an answer asks first: a page counts every box by it."""
        if action not in self._seen:
            kind = _KINDS.get(action, "Document")
            self._seen[action] = self._client.authz.visible(action, kind)
        return self._seen[action]

    def organ(self, organ: str) -> Organ:
        return _organ(self._client.authz.organ(organ))

    def organs(self) -> Mapping[str, Organ]:
        return {each.id: _organ(each) for each in self._client.authz.organs()}

    def posts(self, organ: str) -> Sequence[Post]:
        found = self._client.authz.posts(organ)
        return [Post(each.id, Text(each.name.zh, each.name.en)) for each in found]

    def seal_size(self, organ: str) -> int | None:
        try:
            return self._client.seals.of_organ(organ).width
        except YinxinError as error:
            if _code(error) != _NO_SEAL:
                raise
            return None

    def begin_seal_use(self, organ: str, *, subject: str, title: str, approval: str) -> SealUse:
        try:
            found = self._client.seals.of_organ(organ)
        except YinxinError as error:
            if _code(error) == _NO_SEAL:
                raise NoSeal(organ=organ) from error
            raise
        use = self._client.seals.begin(found.id, subject=subject, title=title, approval=approval)
        suites = {}
        for suite in (INTL.name, SM.name):
            certificate = found.certificate(suite)
            signer = self._client.seals.signer(use.id, certificate.public_key)
            suites[suite] = Seal(signer, certificate, self.chain(certificate))
        return SealUse(use.id, found.load(), suites)

    def name_seal(self, organ: str, person: str) -> NameSeal | None:
        listed = self._client.seals.list(organ=organ, sort="personal", state="active")
        found = next((each.id for each in listed if (each.organ, each.holder) == (organ, person)), None)
        return None if found is None else NameSeal(found, self._client.seals.show(found).load())

    def use_name_seal(self, seal: NameSeal, *, subject: str, title: str, approval: str) -> str:
        return self._client.seals.begin(seal.id, subject=subject, title=title, approval=approval).id

    def finish_seal_use(self, use: str, *, sha256: str, sm3: str) -> None:
        self._client.seals.finish(use, sha256=sha256, sm3=sm3)

    def seal_chain(self, organ: str, suite: str) -> tuple[Certificate, ...]:
        return self._client.ca.chain_of(self._client.kms.key(f"seal-{organ}-{suite}").verifier())

    def evidence_seal(self, subject: str) -> Seal:
        signer = self._client.kms.signer(f"{INTL.name}-evidence", purpose=_PURPOSE, subject=subject)
        certificate, *chain = self._client.ca.chain_of(signer.public_key)
        return Seal(signer, certificate, tuple(chain))

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


def _organ(found: Named) -> Organ:
    return Organ(found.id, found.name.zh, found.short_name, found.parent, found.level)


def _code(error: YinxinError) -> str:
    """The platform's code, whether the class of its refusal is installed here or not."""
    return str(error.facts.get("remote_code", error.code))
