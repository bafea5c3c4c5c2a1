"""What the exchange refuses, and what it finds wrong."""

from yinxin.errors import (
    Conflict,
    Invalid,
    Misconfigured,
    NotFound,
    NotPermitted,
    Unavailable,
    Untrue,
    YinxinError,
)


class ExchangeOff(Misconfigured):
    """This site has no identifier for the exchange."""

    code = "exchange.off"
    zh = "本站点尚未参加跨站点交换：请在配置中设置 exchange.site 与 exchange.organs。"
    en = "This site takes no part in the exchange yet: set exchange.site and exchange.organs in the configuration."


class UnknownPeer(NotFound):
    """A site that was never admitted, or with which exchange has stopped."""

    code = "exchange.unknown_peer"
    zh = "站点 {site} 未获准与本站点交换，或已停止；请先由双方办理接纳（提案 exchange.admit-peer）。"
    en = "The site {site} was not admitted to exchange with this one, or has been stopped; have it admitted first (proposal exchange.admit-peer)."


class UnknownRecipient(NotFound):
    """An organ that neither this site's peers nor the signed directory name."""

    code = "exchange.unknown_recipient"
    zh = "没有任何站点登记接收机关 {organ}；请核对机关标识，或等上级下发新的交换名录。"
    en = "No site is on record as receiving for the organ {organ}; check its identifier, or wait for the parent's next directory."


class NotOurOrgan(NotPermitted):
    """A sender that is none of the organs this site exchanges for."""

    code = "exchange.not_our_organ"
    zh = "机关 {organ} 不在本站点的交换范围内；请在 exchange.organs 中登记。"
    en = "The organ {organ} is none that this site exchanges for; enter it in exchange.organs."


class TooSecret(NotPermitted):
    """A message graded above what its recipient's site or organ is cleared for; it never leaves."""

    code = "exchange.too_secret"
    zh = "{object} 的密级是 {grade}，高于接收方 {recipient} 获准的 {clearance}，不予发出；请改用获准的渠道，或由有权机关变更密级。"
    en = "{object} is graded {grade}, above the {clearance} that the recipient {recipient} is cleared for, and does not leave; use a channel that may carry it, or have it regraded."


class ReferenceReused(Conflict):
    """The same reference for something else."""

    code = "exchange.reference_reused"
    zh = "发送编号 {reference} 已用于另一条消息 {id}；请换一个编号。"
    en = "The reference {reference} was used for another message, {id}; use a new one."


class TooLarge(Invalid):
    """A part above the limit."""

    code = "exchange.too_large"
    status = 413
    zh = "消息的一部分有 {size} 字节，超过 {limit} 字节的上限；请拆分后再发。"
    en = "A part of the message has {size} octets, above the limit of {limit}; divide it."


class MalformedEnvelope(Untrue):
    """Octets that are no message of ours, or not in their one spelling."""

    code = "exchange.malformed"
    zh = "收到的内容不符合交换格式（{reason}）；请让发送站点重新发送。"
    en = "What came is not of the exchange's form ({reason}); have the sending site send it again."


class NotOurs(NotPermitted):
    """A message for another site."""

    code = "exchange.not_ours"
    zh = "消息的接收站点是 {site}，不是本站点；请核对对方登记的地址。"
    en = "The message is for the site {site} and not for this one; check the address that is on record."


class NotSignedByPeer(NotPermitted):
    """No good signature by a key that the peer's card names."""

    code = "exchange.not_signed_by_peer"
    zh = "没有站点 {site} 已登记交换密钥的有效签名（{reason}）；请核对对方的站点名片是否已更新。"
    en = "There is no good signature by an exchange key on record of the site {site} ({reason}); check whether its card has been renewed."


class Forked(YinxinError):
    """A peer says two different things under one number: a message or its receipt was changed."""

    code = "exchange.forked"
    status = 409
    exit = 65
    zh = "站点 {peer} 的第 {seq} 号消息与已记录的不同；请保全双方数据库，并按安全事件处理。"
    en = "Message {seq} of the site {peer} differs from the one on record; keep both databases as they are, and treat this as an incident."


class Behind(YinxinError):
    """A peer has messages of this site that are not on record here: this site was restored to before it wrote them."""

    code = "exchange.behind"
    status = 409
    exit = 65
    zh = "站点 {peer} 已有本站点没有的第 {seq} 号消息，本站点的数据可能恢复到了较早的时刻；请恢复到更新的备份，没有的，请保全双方数据库，按安全事件处理。"
    en = "The site {peer} has message {seq} of this site, which is not on record here, as after a restore to an earlier moment: restore a newer backup; where there is none, keep both databases as they are, and treat this as an incident."


class PartAltered(Untrue):
    """A stored or received part is not the one that the signed header names."""

    code = "exchange.part_altered"
    zh = "消息部分 {digest} 缺失或已被改动；请按恢复规程取回，或让发送站点重发。"
    en = "The message part {digest} is missing or was changed; bring it back by the restore procedure, or have it sent again."


class NotAwaited(NotFound):
    """A part that no signed header announced."""

    code = "exchange.not_awaited"
    zh = "没有任何已签名的消息提到部分 {digest}；请先发送消息头。"
    en = "No signed header announced the part {digest}; send the header first."


class WrongPlace(Conflict):
    """A part that does not go on where the last octets ended; `received` says where."""

    code = "exchange.wrong_place"
    retryable = True
    zh = "部分 {digest} 已收到 {received} 字节，请从该位置续传。"
    en = "Of the part {digest} {received} octets have arrived; go on from there."


class NoTimestamp(Unavailable):
    """Nothing is signed or accepted without a timestamp (law 7)."""

    code = "exchange.no_timestamp"
    zh = "套件 {suite} 没有可用的时间戳服务，暂停收发；请检查时间戳机构与时钟。"
    en = "There is no timestamp service of the suite {suite}, so nothing is sent or accepted; check the timestamp authority and the clock."


class BadCard(Invalid):
    """A site's card that cannot be used."""

    code = "exchange.bad_card"
    zh = "站点名片不能采用：{reason}。"
    en = "The site's card cannot be used: {reason}."


class BadDirectory(Untrue):
    """A directory that is not the parent's next one."""

    code = "exchange.bad_directory"
    zh = "交换名录不能采用：{reason}。"
    en = "The directory cannot be used: {reason}."


class NoSuchMessage(NotFound):
    """No such message, or none that the asker may see."""

    code = "exchange.no_such_message"
    zh = "没有消息 {message}；请核对编号。"
    en = "There is no message {message}; check its identifier."


class AmbiguousMessage(Conflict):
    """An identifier by which several messages go."""

    code = "exchange.ambiguous_message"
    zh = "编号 {message} 对应不止一条消息；请同时指明对方站点和收发方向。"
    en = "Several messages go by the identifier {message}; name the other site and the direction too."


class NotReceipted(Conflict):
    """Evidence was asked for before there is a receipt."""

    code = "exchange.not_receipted"
    retryable = True
    zh = "消息 {message} 尚无签名回执，暂不能导出证据；请稍后再试。"
    en = "Message {message} has no signed receipt yet, so there is no evidence to export; try again later."


class PeerUnreachable(Unavailable):
    """The peer gave no usable answer."""

    code = "exchange.peer_unreachable"
    zh = "站点 {site} 未给出可用的答复（{reason}）；消息保留在发件箱，会自动重试。"
    en = "The site {site} gave no usable answer ({reason}); its messages stay in the outbox and are tried again."


class KindReserved(NotPermitted):
    """A kind of message that an application of the platform has, or the sites speak in."""

    code = "exchange.kind_reserved"
    zh = "消息种类 {kind} 由平台自身的应用收发；请为本系统另定一个种类。"
    en = "Messages of the kind {kind} are sent and taken by the platform's own applications; use a kind of the system's own."


class NotItsTurn(Conflict):
    """A message is acknowledged before one that came ahead of it."""

    code = "exchange.not_its_turn"
    zh = "消息 {message} 之前还有未确认的第 {first} 号消息；请按顺序确认。"
    en = "Message number {first} comes before {message} and is not acknowledged yet; acknowledge them in their order."


class NoSuchFile(NotFound):
    """A file that the message does not have."""

    code = "exchange.no_such_file"
    zh = "消息 {message} 没有第 {number} 个文件（从 0 起）；请核对文件清单。"
    en = "The message {message} has no file {number} (from 0 on); look at its list of files."


class CarrierUnreachable(Unavailable):
    """The server between two sites that carries their messages does not answer, or does not take them."""

    code = "exchange.carrier_unreachable"
    zh = "传递消息的服务器 {server} 暂时不可用（{reason}）；消息留在发件箱，恢复后自动续送。"
    en = "The server {server} that carries messages cannot be used now ({reason}); they stay in the outbox and go on by themselves."


class CarrierMisconfigured(Misconfigured):
    """What this site is to prove itself with to the server that carries messages is not there, or not of its form."""

    code = "exchange.carrier_misconfigured"
    zh = "消息传递服务器的配置有误：{file}（{reason}）。请按运维手册改正 exchange.nats 的配置。"
    en = "The configuration of the server that carries messages is wrong: {file} ({reason}). Correct exchange.nats by the operating manual."


class NoApplication(Conflict):
    """A kind of message that nothing at this site takes by this way."""

    code = "exchange.no_application"
    zh = "本站点没有处理 {kind} 类消息的应用；请由接入系统领取，或检查版本。"
    en = "Nothing at this site takes messages of the kind {kind}; have a department's system fetch it, or check the version."
