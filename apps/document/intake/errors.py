"""What is refused of incoming documents."""

from yinxin.errors import Conflict, Invalid, NotFound


class RegisteredAlready(Conflict):
    """Registered once."""

    code = "document.registered_already"
    zh = "公文 {document} 已由本机关登记为 {number}；请直接办理。"
    en = "Your organ has registered document {document} already, as {number}; go on with that."


class NotCirculated(NotFound):
    """A post that it is not circulated to."""

    code = "document.not_circulated"
    zh = "收文 {intake} 没有传阅给岗位 {post}；请与传阅人核对。"
    en = "Incoming document {intake} is not circulated to the post {post}; check with whoever circulates it."


class UnknownPost(Invalid):
    """A post that is none of the organ's."""

    code = "document.unknown_post"
    zh = "“{post}”不是本机关的岗位；请从本机关岗位中选择。"
    en = "“{post}” is no post of your organ; choose one of its posts."


class HandlerTwice(Invalid):
    """A post named twice among the handlers."""

    code = "document.handler_twice"
    zh = "岗位“{post}”重复；主办与会办各选一次。"
    en = "The post “{post}” is named twice; choose each once, as main or joint handler."


class NotAnAnswer(Conflict):
    """A document that does not answer the sender."""

    code = "document.not_an_answer"
    zh = "公文 {document} 不能作为答复：须为本机关已发出、且主送或抄送 {sender} 的公文。"
    en = "Document {document} is no answer: it must be one of your organ's that was dispatched to {sender}."


class HurriedEnough(Conflict):
    """Hurried a moment ago."""

    code = "document.hurried_enough"
    zh = "刚刚催办过（{at}），每 {hours} 小时至多催办一次；请稍后再催。"
    en = "The handler was hurried a moment ago ({at}), and is once in {hours} hours at most; wait a while."
