"""Where the secrets of this installation stand, as its configuration says."""

import base64
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from kms.custodians.door import visit
from kms.custodians.errors import AlreadyWaiting, NobodyWaits, Sealed
from kms.custodians.gather import Gathering
from kms.custodians.sealed import FILE, SealedSet
from kms.custodians.source import CustodianSecrets
from kms.custodians.wait import gather, opened_elsewhere
from kms.secrets import HSM_PIN, SECOND, SecretFiles, Sources
from ops.data import DataDirectory
from ops.settings import Common
from yinxin.clock import Clock


def secrets_of(data: DataDirectory, settings: Common, clock: Clock) -> Sources:
    """The sources of every secret; what they need is looked for when a secret is first read."""
    chosen, kms = settings.secrets, settings.section("kms")
    named = {HSM_PIN: kms.pin_file}
    for second in kms.mirror:
        named[HSM_PIN + SECOND] = second.pin_file
    plain = SecretFiles(data.path("secrets"), {name: Path(file) for name, file in named.items() if file})
    sealed = CustodianSecrets(data.path("secrets", FILE))
    sealed.ask = lambda: base64.b64decode(visit(data.root, {"do": "key"})["key"])
    if not chosen.uses("openbao"):
        return Sources(chosen, plain, sealed)
    from kms.secrets.openbao import SECRET_ID, OpenBao

    given = chosen.openbao.secret_id_file
    secret_id = Path(given) if given else data.path("secrets", SECRET_ID)
    return Sources(chosen, plain, sealed, OpenBao(chosen.openbao, secret_id, clock))


def open_sealed(data: DataDirectory, secrets: Sources) -> None:
    """Open what custodians have sealed with the key of the server that runs; raises Sealed when none does, or it waits too."""
    if not secrets.settings.uses("custodians") or secrets.sealed.open:
        return
    try:
        answer = visit(data.root, {"do": "key"})
    except NobodyWaits:
        answer = {}
    if not answer:
        raise Sealed(entered=0, threshold=SealedSet.load(secrets.sealed.file).threshold)
    secrets.sealed.unseal(base64.b64decode(answer["key"]))


def wait_for_custodians(
    data: DataDirectory, secrets: Sources, clock: Clock, told: Callable[[Gathering], None]
) -> None:
    """Wait until custodians have opened what they have sealed, once for all processes of the installation.

    Raises as `gather`.
    """
    while secrets.settings.uses("custodians") and not secrets.sealed.open:
        if not opened_elsewhere(secrets.sealed, data.root):
            with suppress(AlreadyWaiting):  # another process came to the door in the same moment
                gather(secrets.sealed, data.root, secrets.settings.custodians, clock, told)
