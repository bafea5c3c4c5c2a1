"""The verbs by which the directory changes, as the log and the pages know them."""

from yinxin.module import Verb
from yinxin.text import Text

VERBS = (
    Verb("authz.found-organ", Text("新设机关", "found an organ")),
    Verb("authz.rename-organ", Text("机关更名", "rename an organ")),
    Verb("authz.move-organ", Text("调整机关隶属", "move an organ")),
    Verb("authz.merge-organs", Text("合并机关", "merge organs")),
    Verb("authz.split-organ", Text("分设机关", "split an organ")),
    Verb("authz.dissolve-organ", Text("撤销机关", "dissolve an organ")),
    Verb("authz.found-post", Text("新设岗位", "found a post")),
    Verb("authz.name-post", Text("岗位更名", "rename a post")),
    Verb("authz.give-roles", Text("变更岗位角色", "change the roles of a post")),
    Verb("authz.give-up-post", Text("撤销岗位", "give up a post")),
    Verb("authz.register-person", Text("登记人员", "enter a person"), personal=("person_name",)),
    Verb("authz.alter-person", Text("变更人员信息", "change a person's entry"), personal=("person_name",)),
    Verb("authz.retire", Text("办理离职", "let a person leave the service")),
    Verb("authz.reinstate", Text("办理复职", "let a person come back")),
    Verb("authz.appoint", Text("任职", "appoint")),
    Verb("authz.end-appointment", Text("免职", "end an appointment")),
    Verb("authz.import", Text("导入名录表", "import tables into the directory")),
    Verb("authz.rehearse-import", Text("试算导入", "rehearse an import")),
    Verb("authz.begin-review", Text("发起任职复核", "begin a review of appointments")),
    Verb("authz.read-reviews", Text("查看复核与权限矩阵", "see reviews and who may what")),
    Verb("authz.confirm-appointment", Text("确认任职", "confirm an appointment")),
    Verb(
        "authz.close-review",
        Text("结束复核，终止未确认的任职", "close a review and end what nobody confirmed"),
    ),
    Verb("authz.rehearse-change", Text("试算名录变更", "rehearse a change of the directory")),
    Verb("authz.delegate", Text("授权代行", "delegate")),
    Verb("authz.end-delegation", Text("终止授权代行", "end a delegation")),
    Verb("authz.act-for", Text("以代行身份登录", "act by a delegation")),
    Verb("authz.transfer", Text("调任", "transfer")),
    Verb("authz.scim-read", Text("系统读取名录", "a system reads the directory")),
    Verb("authz.scim-read-clearance", Text("系统读取涉密等级", "a system reads a clearance")),
    Verb("authz.scim-write", Text("系统维护名录", "a system feeds the directory")),
)
