"""A certificate for somebody of power in the demo: applied for by herself, vetted and approved by two officers."""

from typing import TYPE_CHECKING

from ca.intent import columns_of
from ca.inventory import find
from ca.issue import Issued
from ca.reconcile import abandon_reference
from ca.registration.models import State
from ca.registration.vet import Check
from ca.request import IssueRequest
from ops.accounts import Account
from ops.acting import OFFICER, acting_person
from yinxin.act import SYSTEM, Actor
from yinxin.crypto.certificates import Certificate

if TYPE_CHECKING:
    from ops.platform import Platform

#: who approves what the officer vetted
DEPUTY = "demo-deputy"
CHECKS = (Check("身份证件", "与本人相符"), Check("任职文件", "与名录一致"))


def applied(platform: "Platform", request: IssueRequest) -> Issued:
    """The certificate that comes of the application; cut off, it goes on where it was.

    Who lost one certificate signs in by the other of her two, in the national suite.
    """
    registrations, applicant = platform.ca.registrations, _acting(platform, request.holder.id, "sm")
    row = registrations.submit(applicant, request)
    if row.state == State.SUBMITTED:
        row = registrations.vet(_acting(platform, OFFICER), row.id, CHECKS)
    if row.state == State.VETTED:
        row = registrations.approve(_acting(platform, DEPUTY), row.id)
    if row.state == State.APPROVED:
        # approved, and cut off before it was issued
        abandon_reference(platform.ca.ctx, SYSTEM, f"registration/{row.id}")
        platform.ca.tend_registrations()
        row = registrations.show(applicant, row.id)
    made = find(platform.ca.ctx, row.serial or "-")
    chain = platform.ca.ctx.issuers.get(made.authority).chain
    return Issued(made.serial, Certificate(made.der or b""), chain, columns_of(made))


def _acting(platform: "Platform", person: str, suite: str = "intl") -> Actor:
    account = Account.of(platform.data, person, suite)
    return acting_person(platform, account.file, account.password_file)
