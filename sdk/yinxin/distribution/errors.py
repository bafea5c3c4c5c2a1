"""What distribution refuses. `thing` is what the application calls what it sends."""

from yinxin.errors import Conflict, Invalid


class RecipientTwice(Invalid):
    """An organ named twice: it would be sent two copies and could answer for one."""

    code = "distribution.recipient_twice"
    zh = "收文机关“{organ}”重复；请每个机关只选一次（主送或抄送）。"
    en = "Recipient “{organ}” is named twice; choose each organ once, as main or as copy recipient."


class NobodyNew(Conflict):
    """Everybody named has a copy already."""

    code = "distribution.nobody_new"
    zh = "所选机关都已有 {thing} {record} 的一份；请选择尚未收到的机关。"
    en = "Every organ that was chosen has its copy of {thing} {record} already; choose organs that have none."


class NotARecipient(Conflict):
    """An organ that it was not sent to, or from which it was withdrawn."""

    code = "distribution.not_a_recipient"
    zh = "{thing} {record} 没有发给机关 {organ}；请与发文机关核对。"
    en = "{thing} {record} was not sent to organ {organ}; check with whoever sends it."


class AlreadyAnswered(Conflict):
    """Signed for, returned, or withdrawn before."""

    code = "distribution.already_answered"
    zh = "{thing} {record} 已经处理过（{organ}：{state}），不能再次办理；请刷新后再看。"
    en = "{thing} {record} has been dealt with already ({organ}: {state}) and cannot be again; reload it and look."


class NotReceived(Conflict):
    """An act of whoever has signed for a copy, by an organ that has not."""

    code = "distribution.not_received"
    zh = "机关 {organ} 还没有签收 {thing} {record}（{state}）；请先签收。"
    en = "Organ {organ} has not signed for {thing} {record} ({state}); sign for it first."


class ToBeGivenBack(Conflict):
    """Passing on a copy that was recalled."""

    code = "distribution.to_be_given_back"
    zh = "{thing} {record} 正在清退，不能再转发；请交回。"
    en = "{thing} {record} was recalled and is passed to nobody; give it back."


class NothingOpen(Conflict):
    """No copy of one's own sending that the act could be done to."""

    code = "distribution.nothing_open"
    zh = "{thing} {record} 没有可以“{verb}”的收文机关：签收后不能撤回，未签收的才能催收，已签收的涉密件才需清退。"
    en = "There is no recipient of {thing} {record} to “{verb}”: what is signed for is not withdrawn, what is not signed for is urged, and what is signed for is recalled."


class UrgedEnough(Conflict):
    """Urged as often, or as lately, as it may be."""

    code = "distribution.urged_enough"
    zh = "对 {organ} 的催收最多 {most} 次，且间隔不少于 {hours} 小时；请改用电话联系。"
    en = "{organ} is urged {most} times at most, and not within {hours} hours of the last time; call them instead."


class NotBelow(Conflict):
    """Passed on to an organ that is not below the one that passes it on."""

    code = "distribution.not_below"
    zh = "机关 {organ} 不是 {above} 的下级，不能转发给它；请从下级机关中选择。"
    en = "Organ {organ} is not below {above}, so it cannot be passed on to it; choose from the organs below."
