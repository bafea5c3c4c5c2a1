"""A good request under every profile, and the certificate that comes of it."""

from typing import Any

from ca import Holder, IssueRequest
from ca.issue import Issued, carry_out, issue
from ca.request import examine
from yinxin.crypto.keys import PrivateKey
from yinxin.crypto.suite import suite

from .conftest import REGISTRAR, Site

_ZHANG = Holder("person", "zhang", "clerk-a")
_PROVINCE = Holder("organ", "province")
_SERVICE = Holder("service", "a", None, "county-a")
#: what an applicant writes under each profile that can be asked for
WANTED: dict[str, dict[str, Any]] = {
    "person-signing": {"holder": _ZHANG, "subject": {}, "san": []},
    "person-encryption": {"holder": _ZHANG, "subject": {}, "san": []},
    "organ-seal": {"holder": _PROVINCE, "subject": {"commonName": "示范省人民政府(电子印章)"}, "san": []},
    "organ-encryption": {"holder": _PROVINCE, "subject": {}, "san": []},
    "tls-server": {"holder": _SERVICE},
    "tls-wildcard": {
        "holder": _SERVICE,
        "subject": {},
        "san": [("dns", "*.example.gov.cn"), ("dns", "example.gov.cn")],
    },
    "tls-client": {"holder": _SERVICE, "subject": {"commonName": "统计直报系统"}, "san": []},
    "vpn-gateway": {"holder": _SERVICE, "subject": {"commonName": "10.9.0.1"}, "san": [("ip", "10.9.0.1")]},
    "device-8021x": {
        "holder": _SERVICE,
        "subject": {"commonName": "三楼东侧交换机", "serialNumber": "SN-7A01993"},
        "san": [],
    },
    "smime": {"holder": _ZHANG, "subject": {}, "san": [("email", "zhang@example.gov.cn")]},
    "code-signing": {"holder": _PROVINCE, "subject": {"commonName": "示范省政务客户端"}, "san": []},
}


def asked(site: Site, profile: str, **parts: Any) -> IssueRequest:
    """A good request under `profile`, but for `parts`."""
    return site.request(**{"reference": f"of/{profile}", "profile": profile, **WANTED[profile], **parts})


def made(site: Site, profile: str, suite_name: str = "intl", **parts: Any) -> Issued:
    """The certificate; a key in escrow is certified as the key centre's caller would, past the applicants' door."""
    key = parts.pop("key", None) or PrivateKey.generate(suite(suite_name))
    request = asked(site, profile, **{"reference": f"{suite_name}/{profile}", "key": key, **parts})
    ctx = site.ctx
    if not ctx.profiles[profile].escrow:
        return issue(ctx, REGISTRAR, request)
    order = examine(request, ctx.profiles[profile], ctx.register, ctx.settings)
    return carry_out(ctx, REGISTRAR, order, ctx.issuers.get(order.authority))
