"""What custodians are told, and what a sealed installation says."""

from yinxin.errors import Conflict, Invalid, Misconfigured, NotPermitted, Unavailable, Untrue


class Sealed(Unavailable):
    """The secrets are under the custodians' shares, and too few have been entered."""

    code = "kms.sealed"
    zh = "本平台处于封存状态（{entered} / {threshold} 份额已输入，状态见 yinxin kms custodians status）：请运行 yinxin up，由各保管人执行 yinxin kms custodians enter。"
    en = "The installation is sealed ({entered} of {threshold} shares entered; see yinxin kms custodians status): run yinxin up and have custodians run yinxin kms custodians enter."


class NoCustodians(Misconfigured):
    """There is no sealed file."""

    code = "kms.no_custodians"
    status = 503
    zh = "没有封存文件 {file}：请先执行 yinxin kms custodians init，或从备份恢复该文件，或更改 secrets.source。"
    en = "There is no sealed file {file}: run yinxin kms custodians init first, restore it from its backup, or change secrets.source."


class CustodiansExist(Conflict):
    """A set of shares is in force already."""

    code = "kms.custodians_exist"
    zh = "已有保管人份额（{file}）：更换份额请用 yinxin kms custodians renew，需要 {threshold} 位保管人到场。"
    en = "Custodians hold shares already ({file}): new ones are made by yinxin kms custodians renew with {threshold} of them present."


class CustodiansBeingMade(Conflict):
    """Another command makes shares at this moment."""

    code = "kms.custodians_being_made"
    zh = "另一个命令正在为 {folder} 建立或更换份额：请等它结束后再试。"
    en = "Another command is making shares for {folder} right now: try again when it has ended."


class SealedFileAltered(Untrue):
    """The sealed file is not what was written."""

    code = "kms.sealed_file_altered"
    status = 503
    exit = 78
    zh = "封存文件 {file} 已损坏或被改动（{reason}），未使用：请从备份恢复该文件并追查。"
    en = "The sealed file {file} is damaged or was changed ({reason}) and was not used: restore it from its backup, and inquire."


class BadCustodians(Invalid):
    """A set that cannot be made."""

    code = "kms.bad_custodians"
    zh = "保管人设置 {field} 有误（{reason}）：请更正后重试，未做任何更改。"
    en = "The custodians' {field} is wrong ({reason}): correct it and try again; nothing was changed."


class NothingToSeal(Misconfigured):
    """No file with a secret is there."""

    code = "kms.nothing_to_seal"
    zh = "{folder} 中没有可封存的秘密（例如 hsm-pin）：请先把它们写成权限 0600 的文件。"
    en = "There is no secret to seal in {folder}, such as hsm-pin: write them to files of mode 0600 first."


class SecretNotSealed(Misconfigured):
    """The sealed file holds other secrets, and not this one."""

    code = "kms.secret_not_sealed"
    status = 503
    zh = "封存文件中没有 {name}：请把它写成 {folder} 中权限 0600 的文件并执行 yinxin kms custodians renew，或在 secrets.sources 中另定来源。"
    en = "The sealed file holds no {name}: write it to a file of mode 0600 in {folder} and run yinxin kms custodians renew, or name another source in secrets.sources."


# --- shares ------------------------------------------------------------------------------------------------------


class ShareInvalid(Invalid):
    """Words that are no share."""

    code = "kms.share_invalid"
    zh = "输入的不是一份有效的份额（{reason}）：请对照纸面逐字核对后重新输入；已输入的其他份额不受影响。"
    en = "These words are no share ({reason}): compare them with the paper word by word and enter them again; the shares of others stay."


class ShareForeign(Invalid):
    """A share of another set: another installation's, or one that was renewed."""

    code = "kms.share_foreign"
    zh = "该份额不属于现行的一组（{set}）：它属于别处，或已被更换而作废；请输入现行份额。"
    en = "This share is not of the set in force ({set}): it is another installation's, or was renewed and is void; enter the current one."


class ShareTwice(Conflict):
    """The share was entered already."""

    code = "kms.share_twice"
    zh = "第 {number} 份份额已经输入过，还差 {missing} 份：请由另一位保管人输入。"
    en = "Share {number} was entered already, {missing} more are needed: another custodian has to enter hers."


class TooManyShares(Unavailable):
    """Too many wrong shares in a short time; right ones are taken meanwhile."""

    code = "kms.too_many_shares"
    status = 429
    zh = "错误份额过多：{seconds} 秒内不再核对错误的输入，正确的份额仍会接受；请核对纸面后再试。"
    en = "Too many wrong shares: for {seconds} seconds no more are looked into; a right one is still taken. Check the paper, then try again."


class NobodyWaits(Unavailable):
    """No start is waiting for shares."""

    code = "kms.nobody_waits"
    zh = "没有等待份额的启动过程（{folder}）：请先在同一数据目录运行 yinxin up；若平台已经运行，则无需输入。"
    en = "No start waits for shares at {folder}: run yinxin up on that data directory first; if it is serving already, none are needed."


class AlreadyWaiting(Conflict):
    """Another process waits at this data directory."""

    code = "kms.already_waiting"
    zh = "另一进程已在 {folder} 等待份额或正在运行：请不要重复启动。"
    en = "Another process waits for shares or serves at {folder}: do not start it twice."


class StrangerAtTheDoor(NotPermitted):
    """Another user of the machine."""

    code = "kms.stranger_at_the_door"
    zh = "只有运行本平台的用户可以输入份额：请用 sudo -u 以该用户身份执行。"
    en = "Only the user that runs the platform may enter shares: run the command as that user with sudo -u."
