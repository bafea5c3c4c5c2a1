"""What is refused of joint issue and of countersigning."""

from yinxin.errors import Conflict, Invalid


class NotOfThisSite(Invalid):
    """A joint organ that no organ of this site's directory is."""

    code = "document.joint_elsewhere"
    zh = "联署或会签机关“{organ}”不在本站点的机构目录中；联合行文和会签只能在本站点的机关之间办理，请改选或改为主送、抄送。"
    en = "“{organ}” is not in this site's directory; documents are issued jointly and countersigned by organs of one site: choose another, or make it a recipient."


class JointTwice(Invalid):
    """An organ that stands in two places: issuing, joint, consulted, recipient."""

    code = "document.joint_twice"
    zh = "机关“{organ}”不能既是{one}又是{other}；请只保留一处。"
    en = "“{organ}” cannot be {one} and {other}; keep it in one place."


class NotEquals(Invalid):
    """Organs that are not of one level (Regulation 2012, art. 17)."""

    code = "document.not_equals"
    zh = "联合行文只能在同级机关之间：{organ}（{rank}）与本机关（{own}）不同级。请改用会签（只征求意见，不联署、不盖章），或分别行文。"
    en = "Only organs of one level issue a document jointly: {organ} ({rank}) and yours ({own}) are not. Have it countersign without issuing it, or issue two documents."


class NotJointly(Invalid):
    """A kind that is not issued jointly."""

    code = "document.not_jointly"
    zh = "“{kind}”不联合行文（版式中没有联署机关的位置）；请去掉联署机关，需要时改为会签。"
    en = "A {kind} is not issued jointly, for its form has no place for other organs; take them off, or have them countersign."


class NotAsked(Conflict):
    """An organ that is not, or not any more, asked to countersign."""

    code = "document.not_asked"
    zh = "公文 {document} 没有请 {organ} 会签，或已经会签过现在的文稿；请刷新后再看。"
    en = "{organ} is not asked to countersign document {document}, or has countersigned this text; reload it and look again."


class NotCountersigned(Conflict):
    """A sign-off before everybody has countersigned the text as it stands."""

    code = "document.not_countersigned"
    zh = "公文 {document} 的现稿还没有经 {organs} 会签，不能签发；请等待会签，或退回修改。"
    en = "{organs} have not countersigned the text of document {document} as it stands, so it cannot be signed off; wait for them, or send it back."


class SealsMissing(Conflict):
    """The issuing organ's seal is the last; others have not put theirs on."""

    code = "document.seals_missing"
    zh = "联合发文 {document} 还缺 {organs} 的印章；主办机关最后盖章，请先请这些机关用印。"
    en = "Joint document {document} lacks the seals of {organs}; the issuing organ's is put on last, so have theirs put on first."


class SealedByYou(Conflict):
    """An organ seals once."""

    code = "document.sealed_by_you"
    zh = "{organ} 已在公文 {document} 上盖章，不能再盖；请刷新后再看。"
    en = "{organ} has put its seal on document {document} already; reload it and look again."


class UrgedEnoughToSign(Conflict):
    """Everybody who has not countersigned was urged a short while ago."""

    code = "document.countersign_urged_enough"
    zh = "没有可以催办的会签机关：尚未会签的刚刚催过（两次之间至少 {hours} 小时），或都已会签。"
    en = "There is nobody to urge: those who have not countersigned were urged less than {hours} hours ago, or all have."
