"""What keeps a document from going to another site, or one that came from being taken in."""

from yinxin.errors import Conflict, Invalid, Untrue


class NotCleared(Invalid):
    """A recipient at another site that is cleared below the document's level."""

    code = "document.recipient_not_cleared"
    zh = "{organ}（{site}）获准接收的最高密级是“{clearance}”，本文密级是“{level}”，不能发往该机关；请改选收文机关，或改用获准的渠道。"
    en = "{organ} ({site}) is cleared up to {clearance} and the document is {level}, so it cannot go there; choose another recipient, or a channel that may carry it."


class NotPassedOn(Conflict):
    """A top-secret document of another site, to be passed down to an organ of yet another."""

    code = "document.not_passed_on"
    zh = "公文 {document} 由其他站点发来，是绝密件，不能再转发到外站；请由发文机关直接发送。"
    en = "Document {document} came from another site and is top secret, so it is not passed on to a third one; have its issuer send it there."


class ParcelUnfit(Untrue):
    """A message about a document that does not say what it must."""

    code = "document.parcel_unfit"
    zh = "其他站点发来的公文消息不能采用（{reason}）；请让发文站点核对后重新发送。"
    en = "A message of another site about a document cannot be used ({reason}); let that site check it and send it again."
