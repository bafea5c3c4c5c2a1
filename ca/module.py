"""The certificate authority's registration."""

from datetime import timedelta
from pathlib import Path

from ca.service import Authority
from ca.settings import CaSettings
from yinxin.module import Job, Module, Verb
from yinxin.text import Text

MODULE: Module[Authority] = Module(
    name="ca",
    title=Text("数字认证中心", "certificate authority"),
    settings=CaSettings,
    verbs=(
        Verb("ca.ceremony", Text("举行密钥仪式", "hold a ceremony")),
        Verb("ca.authority", Text("设立签发机构", "set up an authority")),
        Verb("ca.issue", Text("签发证书", "issue a certificate")),
        Verb("ca.abandon", Text("放弃未完成的签发", "abandon an issuance that was cut off")),
        Verb("ca.revoke", Text("撤销证书", "revoke a certificate")),
        Verb("ca.suspend", Text("暂停证书", "suspend a certificate")),
        Verb("ca.resume", Text("恢复证书", "lift a certificate's suspension")),
        Verb("ca.crl", Text("签发撤销列表", "issue a revocation list")),
        Verb("ca.timestamp", Text("签发时间戳", "issue a timestamp")),
        Verb("ca.grant-credential", Text("发放注册凭据", "grant an enrolment credential")),
        Verb("ca.withdraw-credential", Text("撤回注册凭据", "withdraw an enrolment credential")),
        Verb("ca.apply", Text("申请证书", "apply for a certificate")),
        Verb("ca.vet", Text("核验证书申请", "vet an application for a certificate")),
        Verb("ca.approve", Text("批准证书申请", "approve an application for a certificate")),
        Verb("ca.refuse", Text("驳回证书申请", "refuse an application for a certificate")),
        Verb("ca.withdraw", Text("撤回证书申请", "withdraw an application for a certificate")),
        Verb("ca.expire", Text("证书申请逾期", "let an application for a certificate expire")),
        Verb("ca.read", Text("查询证书", "look at certificates")),
    ),
    models=(
        "ca.models",
        "ca.hierarchy.models",
        "ca.enrolment.models",
        "ca.registration.models",
        "ca.status.models",
    ),
    commands="ca.cli:group",
    routes=("ca.api:routes", "ca.registration.api:routes", "ca.public:routes", "ca.est.public:routes"),
    jobs=(
        Job("ca.reconcile", timedelta(minutes=1), Authority.reconcile),
        Job("ca.registrations", timedelta(minutes=1), Authority.tend_registrations),
        Job("ca.renew-lists", timedelta(minutes=1), Authority.renew_lists),
    ),
    health=Authority.health,
    policies=Path(__file__).parent / "policies",
)
