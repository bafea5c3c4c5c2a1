"""Applications for certificates."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from yinxin.client._http import Connection, segment
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.requests import CertificationRequest
from yinxin.wire import Reply

_PATH = "/api/ca/v1/registrations"


class Registration(Reply):
    """An application; `serial` is that of its certificate once it is issued, of a pair that of the signing one."""

    id: str
    reference: str
    state: str
    profile: str
    holder_kind: str
    holder: str
    post: str | None
    organ: str
    pair: bool
    applicant: str
    submitted: datetime
    expires: datetime
    vetted_by: str | None
    checks: list[Mapping[str, str]]
    decided_by: str | None
    reason: str | None
    serial: str | None


class Registrations:
    """Calls about applications for certificates."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def submit(
        self,
        reference: str,
        profile: str,
        csr: CertificationRequest,
        holder: Mapping[str, str],
        *,
        days: int | None = None,
        pair: bool = False,
    ) -> Registration:
        """Apply; `holder` has kind, id, and post (of a person) or organ (of a service). A reference gives one application.

        With `pair` it is for a pair of certificates, of which `profile` is the signing half.
        """
        body = {"reference": reference, "profile": profile, "csr_pem": csr.pem, "holder": dict(holder)}
        return self._post("", body | {"pair": pair} | ({"days": days} if days is not None else {}))

    def list(self, **query: str) -> Iterator[Registration]:
        """Those that match: organ, state, applicant, holder."""
        return (Registration.model_validate(item) for item in self._connection.pages(_PATH, query))

    def show(self, id_: str) -> Registration:
        """One application."""
        return Registration.model_validate(self._connection.json("GET", f"{_PATH}/{segment(id_)}"))

    def certificate(self, id_: str) -> tuple[Certificate, ...]:
        """The certificate of an application and those above it; raises WrongState before it is issued."""
        answer = self._connection.json("GET", f"{_PATH}/{segment(id_)}/certificate")
        return tuple(Certificate.load_many((answer["pem"] + answer["chain_pem"]).encode()))

    def vet(self, id_: str, checks: Mapping[str, str]) -> Registration:
        """Record what was checked, and for each what was found."""
        told = [{"subject": subject, "finding": finding} for subject, finding in checks.items()]
        return self._post(f"/{segment(id_)}/vetting", {"checks": told})

    def approve(self, id_: str) -> Registration:
        """Approve; the certificate is issued."""
        return self._post(f"/{segment(id_)}/approval", {})

    def refuse(self, id_: str, reason: str) -> Registration:
        """Refuse, for a reason that the applicant reads."""
        return self._post(f"/{segment(id_)}/refusal", {"reason": reason})

    def withdraw(self, id_: str) -> Registration:
        """Take one's own application back."""
        return self._post(f"/{segment(id_)}/withdrawal", {})

    def _post(self, path: str, body: Mapping[str, Any]) -> Registration:
        return Registration.model_validate(self._connection.json("POST", f"{_PATH}{path}", json=body))
