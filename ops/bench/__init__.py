"""Benchmarks: our figure beside its peer or physical limit, measured in the same run, interleaved.

A figure is work per second of CPU of this process, the median over rounds: it holds on a busy machine, where a wall
clock does not. Where durability is the work, the wall clock counts and says so in its unit.
"""

from ops.bench.acme import acme
from ops.bench.audit import audit_append
from ops.bench.crl import crl
from ops.bench.decisions import decisions
from ops.bench.directory import directory_growth
from ops.bench.growth import issue_growth
from ops.bench.hsm import hsm_sign
from ops.bench.inventory import inventory_growth
from ops.bench.issue import issue, issue_bulk
from ops.bench.issue_http import issue_http
from ops.bench.lint import lint
from ops.bench.measure import Result
from ops.bench.ocsp import ocsp
from ops.bench.sign_in import sign_in

BENCHMARKS = {
    "issue": issue,
    "issue-bulk": issue_bulk,
    "issue-growth": issue_growth,
    "issue-http": issue_http,
    "acme": acme,
    "lint": lint,
    "hsm-sign": hsm_sign,
    "audit-append": audit_append,
    "sign-in": sign_in,
    "inventory": inventory_growth,
    "directory": directory_growth,
    "ocsp": ocsp,
    "crl": crl,
    "decisions": decisions,
}

__all__ = ["BENCHMARKS", "Result"]
