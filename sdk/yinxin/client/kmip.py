"""Systems that keep their keys here by KMIP: registering them and looking at what they keep. The keys travel by KMIP alone."""

from collections.abc import Iterator

from yinxin.client._http import Connection, segment
from yinxin.wire import Reply

_PATH = "/api/kms/v1/kmip-clients"


class KmipCertificate(Reply):
    """A certificate by which a client is known; `fingerprint` is the SHA-256 of its DER."""

    fingerprint: str
    subject: str
    not_after: str
    admitted: str


class KmipClient(Reply):
    """A registered system; one that is ended has no certificates."""

    id: str
    organ: str
    created: str
    ended: str | None
    certificates: tuple[KmipCertificate, ...]


class KmipObject(Reply):
    """An object, without its key. `recoverable`: until when a destroyed one can be brought back."""

    id: str
    client: str
    kind: str
    algorithm: str | None
    length: int
    state: str
    names: tuple[str, ...]
    imported: bool
    created: str
    destroyed: str | None
    recoverable: str | None


class Kmip:
    """Calls of officers and auditors about KMIP's clients."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def register(self, id_: str, *, organ: str, certificate: str) -> KmipClient:
        """Let a system come, by its client certificate in PEM; raises BadKmipClient, KmipClientTaken, Denied.

        Another certificate, for a renewal or a cluster, is a proposal: `kms.certify-kmip-client`.
        """
        body = {"id": id_, "organ": organ, "certificate": certificate}
        return KmipClient.model_validate(self._connection.json("POST", _PATH, json=body))

    def end(self, id_: str) -> KmipClient:
        """Let it come no more; what it keeps stays. Raises KmipClientUnknown, KmipClientEnded, Denied."""
        return KmipClient.model_validate(self._connection.json("DELETE", f"{_PATH}/{segment(id_)}"))

    def clients(self, *, organ: str = "") -> Iterator[KmipClient]:
        """An organ's clients, the own organ's without one; raises Denied."""
        pages = self._connection.pages(_PATH, {"organ": organ})
        return (KmipClient.model_validate(each) for each in pages)

    def show(self, id_: str) -> KmipClient:
        """One client; raises KmipClientUnknown, Denied."""
        return KmipClient.model_validate(self._connection.json("GET", f"{_PATH}/{segment(id_)}"))

    def objects(self, id_: str) -> Iterator[KmipObject]:
        """What a client keeps here. Bringing a destroyed key back is a proposal, `kms.recover-kmip-object`."""
        pages = self._connection.pages(f"{_PATH}/{segment(id_)}/objects", {})
        return (KmipObject.model_validate(each) for each in pages)
