"""What a change of the directory can be refused for; each says what to do next."""

from yinxin.errors import Conflict, Invalid, NotFound


class NotThere(NotFound):
    """An organ, post or person that was not there at that time."""

    code = "authz.not_there"
    zh = "{subject} 在 {at} 尚不存在：请核对标识与时间。"
    en = "{subject} was not there at {at}: check the identifier and the time."


class AlreadyThere(Conflict):
    """An identifier or code that is taken."""

    code = "authz.already_there"
    zh = "名录中已有 {subject}：请换一个标识，或更改已有的一项；未作任何更改。"
    en = "The directory has {subject} already: take another identifier, or change the one there; nothing was changed."


class NothingChanges(Conflict):
    """A change after which everything would be as it is."""

    code = "authz.nothing_changes"
    zh = "{subject} 已是所要求的状态，没有可更改的内容。"
    en = "{subject} is so already: there is nothing to change."


class OrganEnded(Conflict):
    """An organ that was merged, split or dissolved."""

    code = "authz.organ_ended"
    zh = "机关 {organ} 已合并、分设或撤销，不能再变更：请用 organ show 查看其继承机关；未作任何更改。"
    en = "Organ {organ} was merged, split or dissolved and changes no more: see its successors with organ show; nothing was changed."


class OrganUnderItself(Conflict):
    """An organ that would come to stand below itself."""

    code = "authz.organ_under_itself"
    zh = "机关 {organ} 不能归入其自身或下级 {parent}：请另选上级；未作任何更改。"
    en = "Organ {organ} cannot go below {parent}, which is itself or below it: choose another; nothing was changed."


class NothingToMerge(Invalid):
    """A merger of nothing."""

    code = "authz.nothing_to_merge"
    zh = "没有可并入 {into} 的机关：请至少给出一个其他机关；未作任何更改。"
    en = "No organ to merge into {into}: give at least one other; nothing was changed."


class NotOfTheOrgan(Invalid):
    """A post or organ below that is not this organ's, or was given away already."""

    code = "authz.not_of_the_organ"
    zh = "{subject} 不是机关 {organ} 现有的岗位或下级，或已划给另一机关：请核对划分；未作任何更改。"
    en = "{subject} is no post of organ {organ} and no organ below it, or was handed over already: check the parts; nothing was changed."


class SplitIncomplete(Invalid):
    """An organ that would end while something of it went nowhere."""

    code = "authz.split_incomplete"
    zh = "机关 {organ} 分设后将不复存在，但 {left} 没有去向：请划入某个新机关；未作任何更改。"
    en = "Organ {organ} would end by the split, and {left} went nowhere: give it to one of the new organs; nothing was changed."


class OrgansBelow(Conflict):
    """An organ that others stand below."""

    code = "authz.organs_below"
    zh = "机关 {organ} 尚有下级 {below}：请先移交或撤销；未作任何更改。"
    en = "Organ {organ} has organs below it ({below}): move or dissolve those first; nothing was changed."


class PostEnded(Conflict):
    """A post that was given up."""

    code = "authz.post_ended"
    zh = "岗位 {post} 已于 {since} 撤销：请另选岗位；未作任何更改。"
    en = "Post {post} was given up on {since}: choose another; nothing was changed."


class AppointmentPast(Invalid):
    """An appointment that would begin in the past."""

    code = "authz.appointment_past"
    zh = "{person} 任 {post} 的开始时间 {valid_from} 已过：任职只能从现在或以后开始；未作任何更改。"
    en = "{person} cannot have been in {post} since {valid_from}: an appointment begins now or later; nothing was changed."


class AppointmentOverlaps(Conflict):
    """A person who holds the post already."""

    code = "authz.appointment_overlaps"
    zh = "{person} 自 {since} 起已任 {post}，时间重叠：请先终止原任职或错开时间；未作任何更改。"
    en = "{person} holds {post} since {since} already: end that first, or separate the periods; nothing was changed."


class NotAppointed(Conflict):
    """A person who does not hold the post."""

    code = "authz.not_appointed"
    zh = "{person} 没有担任、也不将担任 {post}：请核对任职；未作任何更改。"
    en = "{person} neither holds {post} nor will: check the appointments; nothing was changed."


class HasRetired(Conflict):
    """A person who left the service."""

    code = "authz.has_retired"
    zh = "{person} 已于 {since} 离职：如重新任用，请先办理复职；未作任何更改。"
    en = "{person} left the service on {since}: reinstate first to appoint again; nothing was changed."


class NotRetired(Conflict):
    """A person who is in the service."""

    code = "authz.not_retired"
    zh = "{person} 没有离职，无需复职；未作任何更改。"
    en = "{person} did not leave the service; nothing was changed."


class MakeItDirectly(Invalid):
    """A proposal of a change that an officer makes directly."""

    code = "authz.make_it_directly"
    zh = "{verb} 属于日常变更，无须提案：请由有权岗位直接办理。"
    en = "{verb} is an everyday change and takes no proposal: let a post that may make it directly."


class TenantBoundary(Conflict):
    """A change that would carry something over the border of a tenant, or undo a tenant in passing."""

    code = "authz.tenant_boundary"
    zh = "{organ} 与 {other} 分属不同租户，变更不能跨越租户边界：请由租户自行办理，或先结束租户关系；未作任何更改。"
    en = "{organ} and {other} are not of one tenant, and no change crosses that border: let the tenant make it, or end the tenancy first; nothing was changed."


class TenantHasAdministrator(Conflict):
    """A post with the system administrator's role in a tenant: the installation is its host's to look after."""

    code = "authz.tenant_administrator"
    zh = "岗位 {post} 带有系统管理员角色，租户内不得设置：系统由所在站点维护；请先撤销该岗位或更改其角色。"
    en = "The post {post} has the system administrator's role, which no tenant gives: the site that hosts it looks after the system. Give the post up or other roles first."
