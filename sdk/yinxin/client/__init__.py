"""The client: what a department's own system needs to use a platform. No server library is needed."""

from yinxin.client._client import Client
from yinxin.client._http import Connection
from yinxin.client.audit import Audit
from yinxin.client.authz import Authz, OpenSession, Organ, Passkey, Ruling, Who
from yinxin.client.ca import Ca, CertificateRecord
from yinxin.client.documents import Documents
from yinxin.client.errors import IdentityNeeded, NotAPlatform, RemoteProblem, Unreachable, UnusableForTls
from yinxin.client.kms import Key, Kms, RemoteSigner
from yinxin.client.proposals import Proposal, ProposalLine, Proposals
from yinxin.client.transports import https, in_process
from yinxin.wire import Words

__all__ = [
    "Audit",
    "Authz",
    "Ca",
    "CertificateRecord",
    "Client",
    "Connection",
    "Documents",
    "IdentityNeeded",
    "Key",
    "Kms",
    "NotAPlatform",
    "OpenSession",
    "Organ",
    "Passkey",
    "Proposal",
    "ProposalLine",
    "Proposals",
    "RemoteProblem",
    "RemoteSigner",
    "Ruling",
    "Unreachable",
    "UnusableForTls",
    "Who",
    "Words",
    "https",
    "in_process",
]
