"""What can be refused about passkeys."""

from yinxin.errors import Conflict, Invalid, NotAuthenticated, NotFound, NotPermitted


class NoPasskeysHere(Invalid):
    """An address that browsers give no passkeys for: a bare IP address, or none of the site's."""

    code = "authz.no_passkeys_here"
    zh = "在 {origin} 不能使用通行密钥：浏览器只为域名保存通行密钥，请用域名访问本平台，或改用证书登录。"
    en = "Passkeys cannot be used at {origin}: browsers keep them for names alone; reach the platform by its name, or sign in with the certificate."


class CertificateLoginNeeded(NotPermitted):
    """Enrolling in a session that no certificate opened, or not lately."""

    code = "authz.certificate_login_needed"
    zh = "添加通行密钥须在最近 {minutes} 分钟内用证书证明过身份：请用证书再证明一次。"
    en = "A passkey is added by somebody who proved her certificate within the last {minutes} minutes: prove it again."


class WrongPasskey(NotAuthenticated):
    """What the authenticator said does not hold: another challenge or site, no verification of its user, a bad signature."""

    code = "authz.wrong_passkey"
    zh = "通行密钥的应答无效：请在本网站重新操作，并按提示解锁通行密钥（PIN、指纹或面容）。"
    en = "The passkey's answer does not hold: try again on this site, and unlock the passkey when asked (PIN, finger or face)."


class UnknownPasskey(NotAuthenticated):
    """A passkey that nobody enrolled here, or that was removed."""

    code = "authz.unknown_passkey"
    zh = "本平台没有这个通行密钥，或已删除：请用证书登录后重新添加。"
    en = "This passkey is not enrolled here, or was removed: sign in with the certificate and add it again."


class PasskeyCopied(NotAuthenticated):
    """A signature counter that does not go up: two authenticators hold one key. The passkey is ended."""

    code = "authz.passkey_copied"
    zh = "通行密钥的计数器没有增加，可能已被复制，现已停用：请用证书登录，并告诉安全管理员。"
    en = "The passkey's counter did not go up, so it may have been copied, and it is out of use now: sign in with the certificate and tell the security officer."


class PasskeyKnown(Conflict):
    """A passkey that is enrolled already."""

    code = "authz.passkey_known"
    zh = "这个通行密钥已经添加过：无需重复添加。"
    en = "This passkey is enrolled already: nothing more is to be done."


class NoSuchPasskey(NotFound):
    """Not one of the caller's."""

    code = "authz.no_such_passkey"
    zh = "您没有通行密钥 {passkey}：请刷新列表后再试。"
    en = "You have no passkey {passkey}: look at the list again."
