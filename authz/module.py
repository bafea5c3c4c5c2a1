"""The registration of this module."""

from datetime import timedelta

from authz.change.proposal import CHANGE
from authz.change.verbs import VERBS
from authz.directory.proposal import LOAD
from authz.grant.proposal import GIVE
from authz.metrics import METRICS
from authz.policy_set import BASE
from authz.review.report import CONFLICTS, HOLDERS
from authz.roster.roster import IMPORT
from authz.service import Authz
from authz.settings import AuthzSettings
from authz.tenant.proposal import ADMIT, END, LIMIT
from authz.version.proposal import CHANGE as CHANGE_POLICIES
from yinxin.module import Job, Module, Verb
from yinxin.text import Text

MODULE: Module[Authz] = Module(
    name="authz",
    title=Text("身份与授权", "Identity and authorization"),
    settings=AuthzSettings,
    verbs=(
        Verb("authz.load", Text("导入机构名录", "load the directory")),
        Verb("authz.adopt-policies", Text("启用授权策略", "put policies in force")),
        Verb("authz.sign-in", Text("登录", "sign in")),
        Verb("authz.authenticate", Text("核验登录", "look at a session")),
        Verb("authz.sign-out", Text("退出登录", "sign out")),
        Verb("authz.end-sessions", Text("终止全部登录", "end all sessions"), fresh=True),
        Verb("authz.read-sessions", Text("查看他人的登录", "see somebody's sessions")),
        Verb("authz.answer", Text("答复权限询问", "answer what is permitted")),
        Verb("authz.prove", Text("再次证明身份", "prove again who one is")),
        Verb("authz.enrol-passkey", Text("添加通行密钥", "add a passkey")),
        Verb("authz.remove-passkey", Text("删除通行密钥", "remove a passkey")),
        Verb("authz.register-client", Text("登记接入系统", "register a client"), fresh=True),
        Verb("authz.end-client", Text("停用接入系统", "end a client"), fresh=True),
        Verb("authz.renew-client-secret", Text("更换接入系统口令", "renew a client's secret"), fresh=True),
        Verb("authz.read-clients", Text("查看接入系统", "see the clients")),
        Verb("authz.register-receiver", Text("登记接收系统", "register a receiver"), fresh=True),
        Verb("authz.end-receiver", Text("停用接收系统", "end a receiver"), fresh=True),
        Verb("authz.scim-push", Text("向其他系统推送名录", "tell a system of the directory")),
        Verb("authz.authenticate-client", Text("核验接入系统", "look at a client")),
        Verb("authz.authorize-client", Text("同意登录其他系统", "let a client in")),
        Verb("authz.issue-token", Text("发放令牌", "issue a token")),
        Verb("authz.authorize-device", Text("登记待登录的设备", "let a device ask for its person")),
        Verb("authz.read-userinfo", Text("凭令牌查询用户信息", "ask by a token who its person is")),
        Verb("authz.introspect-token", Text("查询令牌状态", "ask what a token is worth")),
        Verb("authz.revoke-token", Text("收回令牌", "take back a token")),
        Verb("authz.end-sign-on", Text("终止对接入系统的授权", "end what a client was granted")),
        Verb("authz.forget-sign-ons", Text("清理到期的授权", "delete grants long over")),
        Verb("authz.make-signing-key", Text("更换令牌签名密钥", "make the next key that signs tokens")),
        *VERBS,
        Verb("authz.read-tenants", Text("查看租户", "see the tenants")),
        Verb("authz.read", Text("查询名录", "look up the directory")),
        Verb("authz.grant", Text("授权", "grant"), fresh=True),
        Verb("authz.revoke-grant", Text("撤销授权", "revoke a grant")),
        Verb("authz.read-grants", Text("查看授权", "see grants")),
        Verb("authz.change-policies", Text("变更授权策略", "change the policies")),
        Verb("authz.read-policies", Text("查看授权策略", "read the policies")),
        Verb("authz.propose", Text("提出提案", "propose")),
        Verb("authz.approve", Text("批准提案", "approve a proposal")),
        Verb("authz.submit-approval", Text("代交批准文件", "hand in somebody's approval")),
        Verb("authz.refuse-proposal", Text("否决提案", "refuse a proposal")),
        Verb("authz.withdraw-proposal", Text("撤回提案", "withdraw a proposal")),
        Verb("authz.execute", Text("执行提案", "carry out a proposal")),
        Verb("authz.expire-proposal", Text("提案过期", "a proposal expires")),
        Verb("authz.read-proposal", Text("查看提案", "look at a proposal")),
    ),
    models=(
        "authz.models",
        "authz.directory.models",
        "authz.review.models",
        "authz.state.models",
        "authz.version.models",
        "authz.grant.models",
        "authz.proposal.models",
        "authz.oidc.models",
        "authz.passkey.models",
        "authz.scim.models",
        "authz.scim.push.models",
        "authz.tenant.models",
    ),
    commands="authz.cli:group",
    routes=(
        "authz.api:routes",
        "authz.proposal.api:routes",
        "authz.version.api:routes",
        "authz.grant.api:routes",
        "authz.review.api:routes",
        "authz.roster.api:routes",
        "authz.replay.api:routes",
        "authz.passkey.api:routes",
        "authz.oidc.api:routes",
        "authz.oidc.face:routes",
        "authz.oidc.pages:routes",
        "authz.scim.face:routes",
        "authz.scim.push.api:routes",
        "authz.tenant.api:routes",
    ),
    jobs=(
        Job("authz.forget", timedelta(minutes=10), Authz.forget),
        Job("authz.close-reviews", timedelta(minutes=10), lambda authz: authz.reviews.close_due()),
        Job("authz.expire-proposals", timedelta(minutes=10), lambda authz: authz.proposals.expire()),
        Job("authz.oidc-tend", timedelta(seconds=15), lambda authz: authz.oidc.tend()),
        Job("authz.scim-push", timedelta(seconds=15), Authz.tend_receivers),
        Job("authz.oidc-keys", timedelta(hours=1), lambda authz: authz.oidc.keys.rotate()),
    ),
    health=Authz.health,
    metrics=METRICS,
    policies=BASE,
    proposals=(LOAD, CHANGE, IMPORT, CHANGE_POLICIES, GIVE, ADMIT, LIMIT, END),
    reports=(HOLDERS, CONFLICTS),
)
