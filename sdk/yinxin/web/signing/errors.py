"""What signing on a page can refuse, besides what the key centre and the act itself refuse."""

from yinxin.errors import Conflict, Untrue


class NoHolderKey(Conflict):
    """The session's certificate is for no key that its holder keeps in the key centre."""

    code = "signing.no_holder_key"
    zh = "本次登录的证书不对应密钥管理中心里您的可用签名密钥：请用该密钥的证书（或为它添加的通行密钥）登录，或在您自己的计算机上签名。"
    en = "The certificate of this session is for no signing key of yours in the key centre that is in use: sign in with that key's certificate or a passkey added for it, or sign on your own side."


class NotPrepared(Untrue):
    """A passkey's answer to what was not prepared here: in another session or post, used up, over, or for other words."""

    code = "signing.not_prepared"
    zh = "这次签名不是在您本次登录中为这份声明准备的，或者已经用过、已经过期，没有签名：请重新按“用通行密钥签名”。"
    en = "This signature was not prepared for this statement in your present session, or was used, or is over; nothing was signed: press “Sign with a passkey” again."
