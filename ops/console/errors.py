"""What the console's pages refuse."""

from yinxin.errors import NotPermitted, Unavailable


class NotYourConsole(NotPermitted):
    """The console is for the three powers."""

    code = "console.not_yours"
    zh = "控制台只供安全管理员、系统管理员和审计员使用；您的工作请从首页进入。"
    en = "The console is for security officers, administrators and auditors; your own work starts at the home page."


class NotYourAuthorization(NotPermitted):
    """The pages about authorization are for the three powers and personnel officers."""

    code = "console.authorization_not_yours"
    zh = "授权管理只供安全管理员、审计员、系统管理员和人事管理员使用；如需权限，请联系本机关安全管理员。"
    en = "These pages are for security officers, auditors, administrators and personnel officers; ask your organ's security officer for permissions."


class VerifyBusy(Unavailable):
    """As many files are being checked as this machine checks at once."""

    code = "console.verify_busy"
    retryable = True
    zh = "正在核验的文件已达 {limit} 个，请稍后再试，或用 yinxin verify 在自己的计算机上核验。"
    en = "{limit} files are being checked already; try again shortly, or check it on your own computer with yinxin verify."
