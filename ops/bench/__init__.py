"""Benchmarks: our figure beside its peer or physical limit, measured in the same run, interleaved.

A figure is work per second of CPU of this process, the median over rounds: it holds on a busy machine, where a wall
clock does not. Where durability is the work, the wall clock counts and says so in its unit.
"""

from ops.bench.acme import acme
from ops.bench.attachment import attachment
from ops.bench.audit import audit_append
from ops.bench.audit_enter import audit_enter
from ops.bench.audit_proof import audit_proof, audit_tree
from ops.bench.audit_query import audit_query
from ops.bench.crl import crl
from ops.bench.decisions import decisions, decisions_growth, decisions_sdk
from ops.bench.directory import directory_growth
from ops.bench.evidence import evidence_verify
from ops.bench.exchange import exchange_messages, exchange_reconnect
from ops.bench.exchange_documents import exchange_documents
from ops.bench.growth import issue_growth
from ops.bench.hsm import hsm_sign
from ops.bench.inventory import inventory_growth
from ops.bench.issue import issue, issue_bulk
from ops.bench.issue_http import issue_http
from ops.bench.kms_growth import kms_growth
from ops.bench.kms_rewrap import kms_rewrap
from ops.bench.kms_served import kms_encrypt, kms_sign
from ops.bench.kms_work import kms_bulk, kms_pool, kms_wrap
from ops.bench.lint import lint
from ops.bench.measure import Result
from ops.bench.ocsp import ocsp
from ops.bench.sign_in import sign_in, sign_in_tls
from ops.bench.visible import visible
from ops.bench.worklist import work_list

BENCHMARKS = {
    "issue": issue,
    "issue-bulk": issue_bulk,
    "issue-growth": issue_growth,
    "issue-http": issue_http,
    "acme": acme,
    "lint": lint,
    "hsm-sign": hsm_sign,
    "kms-sign": kms_sign,
    "kms-bulk": kms_bulk,
    "kms-encrypt": kms_encrypt,
    "kms-wrap": kms_wrap,
    "kms-pool": kms_pool,
    "kms-rewrap": kms_rewrap,
    "kms-growth": kms_growth,
    "audit-append": audit_append,
    "audit-enter": audit_enter,
    "audit-proof": audit_proof,
    "audit-tree": audit_tree,
    "audit-query": audit_query,
    "evidence-verify": evidence_verify,
    "sign-in": sign_in,
    "sign-in-tls": sign_in_tls,
    "inventory": inventory_growth,
    "directory": directory_growth,
    "ocsp": ocsp,
    "crl": crl,
    "decisions": decisions,
    "decisions-growth": decisions_growth,
    "decisions-sdk": decisions_sdk,
    "visible": visible,
    "work-list": work_list,
    "attachment": attachment,
    "exchange-documents": exchange_documents,
    "exchange-messages": exchange_messages,
    "exchange-reconnect": exchange_reconnect,
}

__all__ = ["BENCHMARKS", "Result"]
