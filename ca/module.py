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
        Verb("ca.approve-ceremony", Text("批准密钥仪式", "approve a ceremony")),
        Verb("ca.authority", Text("设立签发机构", "set up an authority")),
        Verb("ca.adopt", Text("接收外部机构签发的证书", "take in an outside authority's certificate")),
        Verb("ca.retire", Text("停用签发机构", "retire an authority")),
        Verb("ca.issue", Text("签发证书", "issue a certificate")),
        Verb("ca.abandon", Text("放弃未完成的签发", "abandon an issuance that was cut off")),
        Verb("ca.revoke", Text("撤销证书", "revoke a certificate")),
        Verb("ca.suspend", Text("暂停证书", "suspend a certificate")),
        Verb("ca.resume", Text("恢复证书", "lift a certificate's suspension")),
        Verb("ca.crl", Text("签发撤销列表", "issue a revocation list")),
        Verb("ca.timestamp", Text("签发时间戳", "issue a timestamp")),
        Verb("ca.block", Text("禁用密钥", "block a key")),
        Verb("ca.unblock", Text("取消禁用密钥", "take a key off the blocklist")),
        Verb("ca.grant-credential", Text("发放注册凭据", "grant an enrolment credential")),
        Verb("ca.withdraw-credential", Text("撤回注册凭据", "withdraw an enrolment credential")),
        Verb("ca.apply", Text("申请证书", "apply for a certificate")),
        Verb("ca.vet", Text("核验证书申请", "vet an application for a certificate")),
        Verb("ca.approve", Text("批准证书申请", "approve an application for a certificate")),
        Verb("ca.refuse", Text("驳回证书申请", "refuse an application for a certificate")),
        Verb("ca.withdraw", Text("撤回证书申请", "withdraw an application for a certificate")),
        Verb("ca.expire", Text("证书申请逾期", "let an application for a certificate expire")),
        Verb("ca.acme-request", Text("提交 ACME 请求", "ask something by ACME")),
        Verb("ca.acme-register", Text("注册 ACME 账户", "register an ACME account")),
        Verb("ca.acme-update-account", Text("变更 ACME 账户", "update an ACME account")),
        Verb("ca.acme-deactivate-account", Text("停用 ACME 账户", "deactivate an ACME account")),
        Verb("ca.acme-change-key", Text("更换 ACME 账户密钥", "change the key of an ACME account")),
        Verb("ca.acme-order", Text("ACME 下单", "order a certificate by ACME")),
        Verb("ca.acme-fail-order", Text("终止 ACME 订单", "let an ACME order fail")),
        Verb("ca.acme-respond", Text("应答 ACME 质询", "answer an ACME challenge")),
        Verb("ca.acme-validate", Text("验证 ACME 质询", "validate an ACME challenge")),
        Verb("ca.acme-deactivate-authorization", Text("停用 ACME 授权", "deactivate an ACME authorization")),
        Verb("ca.acme-finalize", Text("完成 ACME 订单", "finalize an ACME order")),
        Verb("ca.acme-renew", Text("要求立即续期", "have a certificate renewed now")),
        Verb("ca.deliver-pair", Text("交付双证书的加密密钥", "deliver the encryption key of a pair")),
        Verb("ca.read", Text("查询证书", "look at certificates")),
    ),
    models=(
        "ca.models",
        "ca.hierarchy.models",
        "ca.enrolment.models",
        "ca.registration.models",
        "ca.status.models",
        "ca.acme.models",
        "ca.pair.models",
        "ca.keycheck.models",
    ),
    commands="ca.cli:group",
    routes=(
        "ca.api:routes",
        "ca.registration.api:routes",
        "ca.public:routes",
        "ca.acme.routes:routes",
        "ca.est.public:routes",
        "ca.pair.api:routes",
    ),
    jobs=(
        Job("ca.reconcile", timedelta(minutes=1), Authority.reconcile),
        Job("ca.registrations", timedelta(minutes=1), Authority.tend_registrations),
        Job("ca.presign", timedelta(minutes=1), Authority.presign),
        Job("ca.renew-lists", timedelta(minutes=1), Authority.renew_lists),
        Job("ca.acme-validate", timedelta(seconds=5), lambda authority: authority.acme.validate_due()),
        Job("ca.acme-settle", timedelta(minutes=1), lambda authority: authority.acme.settle()),
        Job("ca.acme-sweep", timedelta(minutes=10), lambda authority: authority.acme.sweep()),
    ),
    health=Authority.health,
    policies=Path(__file__).parent / "policies",
)
