"""数字认证中心 The certificate authority: see README.md for what it promises."""

from ca.ceremony import CeremonyPlan, conduct, rehearse
from ca.check import Checker, Evidence
from ca.inventory import Filter
from ca.issue import Issued
from ca.request import Holder, IssueRequest
from ca.revoke import Revocation
from ca.service import Authority
from ca.settings import CaSettings

__all__ = [
    "Authority",
    "CaSettings",
    "CeremonyPlan",
    "Checker",
    "Evidence",
    "Filter",
    "Holder",
    "IssueRequest",
    "Issued",
    "Revocation",
    "conduct",
    "rehearse",
]
