"""The seventeen kinds of report, as data."""

from collections.abc import Mapping

from audit.entries import Filters
from audit.report.kind import Kind, Source, verbs
from yinxin.act import Outcome
from yinxin.text import Text

_PROFILE = (
    ("profile", Text("模板", "Profile")),
    ("authority", Text("签发机构", "Authority")),
    ("holder", Text("持有者", "Holder")),
    ("reason", Text("原因", "Reason")),
)
_KEY = (
    ("algorithm", Text("算法", "Algorithm")),
    ("suite", Text("套件", "Suite")),
    ("purpose", Text("用途", "Purpose")),
    ("place", Text("存放", "Place")),
    ("owner", Text("归属", "Owner")),
)
_APPROVAL = (
    ("kind", Text("提案种类", "Kind of proposal")),
    ("approver.person", Text("批准人", "Approved by")),
    ("approver.post", Text("批准岗位", "In post")),
    ("approvals", Text("全部批准人", "All approvers")),
    ("digest", Text("摘要", "Digest")),
)
#: who holds what opens the keys, and where they are kept besides
_CUSTODY = (
    *("kms.ceremony", "kms.make-custodians", "kms.renew-custodians", "kms.enter-share", "kms.unseal"),
    *("kms.register-vault", "kms.keep-copy", "kms.drop-copy"),
    *("kms.rotate", "kms.retire-generation", "kms.destroy-generation"),
)
_SERVICE_KEYS = (
    *("kms.create-service-key", "kms.rotate-service-key", "kms.limit-service-key"),
    *("kms.import-service-key", "kms.destroy-service-key"),
)

_ALL = (
    Kind(
        "certificates",
        Text("证书生命周期台账", "Certificate lifecycle ledger"),
        Text(
            "证书与属性证书的签发、换发、暂停、恢复、撤销，按模板与签发机构统计。依据：GM/T 0034 审计要求；ETSI EN 319 411-1。",
            "Certificates, of attributes too, issued, suspended, resumed, revoked; by profile and authority. GM/T 0034; ETSI EN 319 411-1.",
        ),
        verbs(
            *(
                "ca.issue",
                "ca.suspend",
                "ca.resume",
                "ca.revoke",
                "ca.adopt",
                "ca.abandon",
                "ca.deliver-pair",
            ),
            *("ca.issue-attribute-certificate", "ca.abandon-attribute-certificate"),
            "ca.revoke-attribute-certificate",
        ),
        facts=_PROFILE,
        counted=("verb", "outcome", "profile", "authority"),
    ),
    Kind(
        "key-recovery",
        Text("密钥恢复与司法恢复登记簿", "Register of key recoveries, judicial ones among them"),
        Text(
            "用户加密密钥的恢复：提案、批准、执行、交付；法律依据写在提案中，其摘要在日志中。依据：GM/T 0034 12.4、12.5。",
            "Recoveries of users' encryption keys: proposed, approved, carried out, delivered; the legal basis stands in the proposal, whose digest is in the log. GM/T 0034 12.4, 12.5.",
        ),
        verbs("kms.deliver-recovery", "kms.read-recovery", "kms.recover-kmip-object"),
        proposals=frozenset(
            {
                "kms.recover",
                "kms.recover-holder",
                "kms.recover-organ",
                "kms.recover-judicial",
                "kms.recover-kmip-object",
            }
        ),
        facts=(("key", Text("密钥", "Key")), *_APPROVAL),
    ),
    Kind(
        "ceremonies",
        Text("密钥仪式与密钥保管", "Key ceremonies and custody of keys"),
        Text(
            "密钥仪式、签发机构的设立与停用、令牌初始化与启封、保管人及其份额、异地副本、包装密钥的更换与销毁、密钥的创建与存放。依据：WebTrust 4.6、4.10；GM/T 0034 10.3、11.3。",
            "Ceremonies, authorities founded and retired, tokens initialised and unsealed, custodians and their shares, copies elsewhere, wrapping keys replaced and destroyed, keys made and where they are. WebTrust 4.6, 4.10; GM/T 0034 10.3, 11.3.",
        ),
        verbs(
            *(
                "ca.ceremony",
                "ca.authority",
                "ca.retire",
                "kms.initialise",
                "kms.create",
                "kms.make-user-keys",
            ),
            *_CUSTODY,
            *_SERVICE_KEYS,
        ),
        proposals=frozenset(
            {"ca.ceremony", "kms.ceremony", "kms.destroy-generation", "kms.destroy-service-key"}
        ),
        facts=(*_KEY, *_APPROVAL),
        counted=("verb", "algorithm", "purpose"),
    ),
    Kind(
        "privileged",
        Text("特权操作", "Privileged operations"),
        Text(
            "由人办理的密钥、签发机构、印章、名录、角色、策略与审计方面的操作，按人统计。依据：GB/T 22239 8.1.5；NIST AU-2。",
            "What people did with keys, authorities, seals, the directory, roles, policies and the log; by person. GB/T 22239 8.1.5; NIST AU-2.",
        ),
        verbs(
            *(
                "kms.create",
                "kms.initialise",
                "kms.deliver-recovery",
                "ca.ceremony",
                "ca.authority",
                "ca.retire",
            ),
            *("ca.issue", "ca.revoke", "ca.suspend", "ca.resume", "ca.block", "ca.unblock", "ca.approve"),
            *("ca.refuse", "ca.grant-credential", "ca.withdraw-credential", "authz.load", "authz.import"),
            *("authz.appoint", "authz.end-appointment", "authz.transfer", "authz.retire", "authz.give-roles"),
            *("authz.grant", "authz.revoke-grant", "authz.change-policies", "authz.execute", "authz.approve"),
            *(
                "authz.register-client",
                "authz.end-client",
                "authz.end-sessions",
                "audit.check",
                "audit.reindex",
            ),
            *_CUSTODY,
            *_SERVICE_KEYS,
            *("kms.register-kmip-client", "kms.certify-kmip-client", "kms.end-kmip-client"),
            *("kms.recover-kmip-object", "kms.wipe-kmip-object"),
            *("ca.issue-attribute-certificate", "ca.revoke-attribute-certificate"),
            *("seal.make", "seal.suspend", "seal.resume", "seal.destroy", "seal.hand-over"),
            *("authz.found-organ", "authz.rename-organ", "authz.move-organ", "authz.merge-organs"),
            *("authz.split-organ", "authz.dissolve-organ", "authz.found-post", "authz.name-post"),
            *("authz.give-up-post", "authz.register-person", "authz.alter-person", "authz.reinstate"),
            *("authz.renew-client-secret", "authz.register-receiver", "authz.end-receiver"),
            *("audit.archive", "audit.cosign", "audit.import-cosignatures", "calendar.publish"),
        ),
        counted=("actor", "verb", "outcome"),
        people=True,
    ),
    Kind(
        "grants",
        Text("岗位角色与授权一览（三员检查）", "Posts, roles and grants, with conflicts (three powers)"),
        Text(
            "现任岗位与角色、三员冲突、长期未登录的账号，以及期内的任免与授权变更。依据：GB/T 22239 8.1.4.1、8.1.5。",
            "Who holds which post and roles now, conflicts of the three powers, dormant accounts; and what changed in the period. GB/T 22239 8.1.4.1, 8.1.5.",
        ),
        verbs(
            *("authz.appoint", "authz.end-appointment", "authz.transfer", "authz.retire", "authz.reinstate"),
            *(
                "authz.give-roles",
                "authz.grant",
                "authz.revoke-grant",
                "authz.delegate",
                "authz.end-delegation",
            ),
        ),
        added=True,
    ),
    Kind(
        "access-reviews",
        Text("任职复核", "Reviews of appointments"),
        Text(
            "任职复核的发起与每一任职的结论：确认或终止。依据：GB/T 22239 8.1.4.1；ETSI EN 319 401 7.4。",
            "Reviews begun, and what became of each appointment: confirmed or ended. GB/T 22239 8.1.4.1; ETSI EN 319 401 7.4.",
        ),
        verbs("authz.begin-review", "authz.confirm-appointment", "authz.end-appointment"),
        facts=(
            ("organ", Text("机关", "Organ")),
            ("post", Text("岗位", "Post")),
            ("review", Text("复核", "Review")),
        ),
    ),
    Kind(
        "refusals",
        Text("被拒绝的和异常的访问", "Refused and abnormal access"),
        Text(
            "全部被拒绝和失败的操作，按原因、操作者、机关统计。依据：GB/T 22239 8.1.4.3；NIST AU-2。",
            "Everything that was refused or failed; by reason, by who tried, by organ. GB/T 22239 8.1.4.3; NIST AU-2.",
        ),
        (Filters(outcome=Outcome.REFUSED), Filters(outcome=Outcome.FAILED)),
        counted=("error", "verb", "actor", "organ"),
    ),
    Kind(
        "rule-changes",
        Text("策略、模板与规则变更及批准人", "Changes of policies and rules, with who approved them"),
        Text(
            "授权策略、角色、授权、名录、租户、保存期与保全、见证、工作日历、交换对方的变更，及其提案人和批准人。依据：GB/T 22239 8.1.10.10；三员分立。",
            "Changes of policies, roles, grants, the directory, tenants, retention, witnesses, the calendar of working days and peers of the exchange, with who proposed and who approved. GB/T 22239 8.1.10.10; separation of powers.",
        ),
        verbs(
            "authz.change-policies",
            "authz.adopt-policies",
            "authz.grant",
            "authz.revoke-grant",
            "authz.give-roles",
            "calendar.publish",
        ),
        proposals=frozenset(
            {
                "authz.grant",
                "authz.import-directory",
                "authz.change-policies",
                "authz.load-directory",
                "authz.change-directory",
                *("authz.admit-tenant", "authz.limit-tenant", "authz.end-tenant"),
                *("audit.retain", "audit.hold", "audit.erase"),
                *("audit.set-quorum", "audit.witness-log", "audit.stop-witnessing"),
                *("calendar.publish", "exchange.admit-peer", "exchange.stop-peer"),
            }
        ),
        facts=_APPROVAL,
    ),
    Kind(
        "completeness",
        Text("日志完整性", "Completeness of the log"),
        Text(
            "全部记录重新计算、检查点、见证方联署、缺号与待记录数，以及期内的核验、矛盾与副本告警。依据：GB/T 22239 8.1.4.3；NIST AU-9、AU-10。",
            "The whole log recomputed, its checkpoints and their witnesses, gaps and what waits; checks, contradictions and alarms of the period. GB/T 22239 8.1.4.3; NIST AU-9, AU-10.",
        ),
        verbs(
            *("audit.check", "audit.reindex", "audit.import-cosignatures", "audit.ask-witnesses"),
            *("audit.find-contradiction", "audit.suspect-log", "audit.reconcile", "audit.copies-alarm"),
            "audit.take-stock",
        ),
        whole=True,
    ),
    Kind(
        "backups",
        Text("备份与恢复演练", "Backups and restore drills"),
        Text(
            "备份、恢复与演练的时间和结果。依据：GB/T 22239 8.1.10.11；ETSI EN 319 401 7.11。",
            "Backups, restores and drills, when and with what result. GB/T 22239 8.1.10.11; ETSI EN 319 401 7.11.",
        ),
        verbs("backup."),
        sources=(Source("backup.", Text("备份与恢复演练", "backups and restore drills")),),
        counted=("verb", "outcome"),
    ),
    Kind(
        "incidents",
        Text("安全事件及时限", "Incidents and their deadlines"),
        Text(
            "安全事件的类别、级别、处置过程与报告时限。依据：GB/T 20986-2023；国家网络安全事件报告管理办法第四条。",
            "Incidents by class and grade, how they were handled, and deadlines of reports. GB/T 20986-2023; Measures on reporting of incidents, article 4.",
        ),
        verbs("monitor."),
        sources=(Source("monitor.", Text("安全事件", "incidents")),),
        facts=(
            ("class", Text("类别", "Class")),
            ("grade", Text("级别", "Grade")),
            ("deadline", Text("时限", "Deadline")),
        ),
        counted=("verb", "outcome"),
    ),
    Kind(
        "time-source",
        Text("时间源偏差", "Drift of the time source"),
        Text(
            "时间源的偏差，以及因时钟不可信而拒绝签发的时间戳。依据：ETSI EN 319 421 7.6.2；GB/T 20520。",
            "How far the clock was off, and timestamps refused because nothing vouched for it. ETSI EN 319 421 7.6.2; GB/T 20520.",
        ),
        (
            Filters(verb="monitor.measure-clock"),
            Filters(error="ca.clock_uncertain"),
            Filters(error="ca.clock_went_back"),
        ),
        sources=(
            Source(
                "monitor.measure-clock",
                Text(
                    "时间源偏差的测量值（下表只有因时钟不可信而被拒绝的操作）",
                    "measurements of the clock's drift (below are only acts refused because of the clock)",
                ),
            ),
        ),
        counted=("error",),
    ),
    Kind(
        "cryptography",
        Text("密码应用清单（密评证据）", "Cryptographic inventory"),
        Text(
            "现有密钥的算法、套件、用途与存放，以及期内新建的密钥。依据：GB/T 39786-2021；GM/T 0115。",
            "Keys that exist, their algorithms, suites, purposes and places; and those made in the period. GB/T 39786-2021; GM/T 0115.",
        ),
        verbs(
            "kms.create",
            "kms.create-service-key",
            "kms.rotate-service-key",
            "kms.import-service-key",
            "ca.authority",
        ),
        facts=_KEY,
        counted=("algorithm", "purpose"),
        added=True,
    ),
    Kind(
        "controls",
        Text("控制点与证据对照表", "Map of controls and their evidence"),
        Text(
            "GB/T 22239 三级的控制点，各有多少条日志记录为证；没有来源的控制点单独列明。",
            "Controls of GB/T 22239 level three, and how many entries of the log are evidence of each; those without a source are named.",
        ),
        controls=True,
    ),
    Kind(
        "person",
        Text("个人操作卷宗", "Dossier of a person"),
        Text("某人办理的和涉及其本人的全部操作。", "Everything a person did and that concerns her."),
        about="person",
        counted=("verb", "outcome"),
    ),
    Kind(
        "object",
        Text("对象卷宗", "Dossier of an object"),
        Text(
            "对某一证书、公文、密钥或其他对象办理的和涉及它的全部操作。",
            "Everything done to one certificate, document, key or other thing, and that names it.",
        ),
        about="object",
        counted=("verb", "actor"),
    ),
    Kind(
        "auditors",
        Text("审计员自身的操作", "What the auditors did themselves"),
        Text(
            "查阅、导出、核验、查询与报告：审计员的每次查阅都在日志中。依据：NIST AU-9(4)；三员分立。",
            "Reading, exporting, checking, questions and reports: whatever an auditor reads is in the log. NIST AU-9(4); separation of powers.",
        ),
        verbs("audit."),
        counted=("actor", "verb", "outcome"),
    ),
)

#: every kind, by name, in the order of the manual
KINDS: Mapping[str, Kind] = {kind.name: kind for kind in _ALL}

#: controls of GB/T 22239-2019 level three: clause, what it wants, and the acts that are evidence of it
CONTROLS: tuple[tuple[str, Text, tuple[str, ...]], ...] = (
    (
        "8.1.4.1",
        Text("身份鉴别", "identification and authentication"),
        ("authz.sign-in", "authz.prove", "authz.enrol-passkey"),
    ),
    (
        "8.1.4.2",
        Text("访问控制", "access control"),
        ("authz.appoint", "authz.give-roles", "authz.grant", "authz.revoke-grant"),
    ),
    ("8.1.4.3", Text("安全审计", "security audit"), ("audit.read", "audit.check", "audit.make-report")),
    ("8.1.4.4", Text("入侵防范", "intrusion prevention"), ("monitor.",)),
    (
        "8.1.4.7",
        Text("数据完整性", "integrity of data"),
        ("kms.sign", "seal.sign", "ca.timestamp", "document.seal"),
    ),
    ("8.1.4.8", Text("数据保密性", "confidentiality of data"), ("kms.create", "kms.give-user-key")),
    ("8.1.4.9", Text("数据备份恢复", "backup and restore"), ("backup.",)),
    ("8.1.5.1", Text("系统管理", "system management"), ("authz.register-client", "kms.initialise")),
    ("8.1.5.2", Text("审计管理", "audit management"), ("audit.",)),
    (
        "8.1.5.3",
        Text("安全管理", "security management"),
        ("authz.change-policies", "authz.adopt-policies", "ca.ceremony"),
    ),
    (
        "8.1.7.3",
        Text("授权和审批", "authorization and approval"),
        ("authz.propose", "authz.approve", "authz.execute"),
    ),
    ("8.1.8.2", Text("人员离岗", "leaving a post"), ("authz.end-appointment", "authz.retire")),
    ("8.1.10.9", Text("密码管理", "management of cryptography"), ("kms.create", "ca.authority", "ca.crl")),
    ("8.1.10.12", Text("安全事件处置", "handling of incidents"), ("monitor.",)),
)
