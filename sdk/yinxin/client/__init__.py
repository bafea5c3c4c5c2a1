"""The client: what a department's own system needs to use a platform. No server library is needed."""

from yinxin.client._client import Client
from yinxin.client._http import Connection
from yinxin.client.attachments import Attachments
from yinxin.client.audit import Audit
from yinxin.client.authz import Authz, OpenSession, Organ, Passkey, Ruling, Who
from yinxin.client.ca import Ca, CertificateRecord
from yinxin.client.calendar import Calendars
from yinxin.client.documents import Documents
from yinxin.client.errors import (
    IdentityNeeded,
    NotAPlatform,
    NotTheFile,
    RemoteProblem,
    SystemRefused,
    Unreachable,
    UnusableForTls,
)
from yinxin.client.grants import Grants
from yinxin.client.holders import HolderChallenge, HolderKey, HolderKeys, HolderSigner, HolderUse
from yinxin.client.imports import Imports
from yinxin.client.kms import Key, Kms, RemoteSigner
from yinxin.client.policies import Policies
from yinxin.client.proposals import Proposal, ProposalLine, Proposals
from yinxin.client.reviews import Reviews
from yinxin.client.seals import SealRecord, Seals, SealSigner, SealUse
from yinxin.client.system import System
from yinxin.client.tenants import Tenants
from yinxin.client.transports import https, in_process
from yinxin.quota import QuotaExceeded
from yinxin.wire import Words

__all__ = [
    "Attachments",
    "Audit",
    "Authz",
    "Ca",
    "Calendars",
    "CertificateRecord",
    "Client",
    "Connection",
    "Documents",
    "Grants",
    "HolderChallenge",
    "HolderKey",
    "HolderKeys",
    "HolderSigner",
    "HolderUse",
    "IdentityNeeded",
    "Imports",
    "Key",
    "Kms",
    "NotAPlatform",
    "NotTheFile",
    "OpenSession",
    "Organ",
    "Passkey",
    "Policies",
    "Proposal",
    "ProposalLine",
    "Proposals",
    "QuotaExceeded",
    "RemoteProblem",
    "RemoteSigner",
    "Reviews",
    "Ruling",
    "SealRecord",
    "SealSigner",
    "SealUse",
    "Seals",
    "System",
    "SystemRefused",
    "Tenants",
    "Unreachable",
    "UnusableForTls",
    "Who",
    "Words",
    "https",
    "in_process",
]
