"""People's own keys and certificates on an embedded installation: PKCS#12 files made on their side of the line.

The key is made and kept by its holder; only a request for a certificate goes to the authority. A key is saved before
its certificate is asked for, so that an interrupted enrolment goes on with the same key.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

from ca.bulk.keys import placeholder
from ca.issue import Issued
from ca.issue import issue as issue_as_authorised
from ca.reconcile import abandon_reference
from ca.request import Holder, IssueRequest
from ops.data import DataDirectory
from yinxin import files
from yinxin.act import SYSTEM, Actor
from yinxin.crypto.keys import Identity, PrivateKey
from yinxin.crypto.requests import CertificationRequest
from yinxin.crypto.suite import suite as suite_of
from yinxin.steps import step

if TYPE_CHECKING:
    from ops.platform import Platform

PROFILE = "person-signing"


@dataclass(frozen=True, slots=True)
class Account:
    """Where one person's certificate of one suite lies; the password is shared by her files."""

    person: str
    suite: str
    file: Path
    pending: Path
    password_file: Path

    @classmethod
    def of(cls, data: DataDirectory, person: str, suite: str) -> Self:
        """The account's places in the data directory."""
        folder = data.path("accounts")
        name = f"{person}.{suite}"
        return cls(
            person,
            suite,
            folder / f"{name}.p12",
            folder / f".{name}.pending.p12",
            folder / f"{person}.password",
        )

    def password(self) -> str:
        """The password of the person's files."""
        return self.password_file.read_text("utf-8").strip()

    def identity(self) -> Identity:
        """The person's key and certificate."""
        return Identity.load_p12(self.file, self.password())


#: another way to a certificate than an officer's act or the founding
Way = Callable[["Platform", IssueRequest], Issued]


def enrol(
    platform: "Platform",
    account: Account,
    post: str,
    *,
    officer: Actor | None,
    renew: bool = False,
    way: Way | None = None,
) -> None:
    """Get the person her certificate; does nothing when she has it, unless it is to be renewed.

    1. The key is made and saved. 2. The request goes to the authority; `officer` None is the founding, which certifies
    people of power before anybody could apply for them; `way` is another one, such as an application. 3. Key and certificate are saved together; the pending file goes.
    """
    _clear(account)
    if account.file.exists() and not renew:
        return
    key = _pending_key(platform, account)
    step("ops.enrol.1-key")
    request = _request(account, post, key)
    issued = way(platform, request) if way is not None else _certificate(platform, request, officer)
    step("ops.enrol.2-issued")
    Identity(key, issued.certificate, issued.chain).save_p12(account.file, account.password())
    step("ops.enrol.3-saved")
    account.pending.unlink(missing_ok=True)


def _clear(account: Account) -> None:
    """Remove the pending file of an enrolment that was cut off when only that was left to do."""
    if account.pending.exists() and account.file.exists():
        pending = Identity.load_p12(account.pending, account.password())
        if pending.certificate.public_key == account.identity().certificate.public_key:
            account.pending.unlink()


def _request(account: Account, post: str, key: PrivateKey) -> IssueRequest:
    return IssueRequest(
        reference=f"account:{account.person}:{account.suite}:{key.public_key.key_id.hex()[:16]}",
        profile=PROFILE,
        csr=CertificationRequest.build(key, {}).der,
        holder=Holder("person", account.person, post=post),
    )


def _certificate(platform: "Platform", request: IssueRequest, officer: Actor | None) -> Issued:
    # of an enrolment that was cut off
    abandon_reference(platform.ca.ctx, officer or SYSTEM, request.reference)
    if officer is None:
        return issue_as_authorised(platform.ca.ctx, SYSTEM, request)
    return platform.ca.issue(officer, request)


def _pending_key(platform: "Platform", account: Account) -> PrivateKey:
    """The key of an enrolment under way: the one that was saved, or a new one, saved first."""
    if not account.password_file.exists():
        password = platform.store.randomness.token(12).hex()
        files.replace(account.password_file, password.encode(), mode=0o600)
    if not account.pending.exists():
        key = PrivateKey.generate(suite_of(account.suite))
        Identity(key, placeholder(key, account.person, platform.clock.now())).save_p12(
            account.pending, account.password()
        )
        return key
    kept = Identity.load_p12(account.pending, account.password()).key
    if not isinstance(kept, PrivateKey):
        raise TypeError("a PKCS#12 file holds a key of this process")
    return kept
