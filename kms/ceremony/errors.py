"""What a ceremony of the key centre refuses, and why."""

from yinxin.errors import Conflict, Invalid, Misconfigured, NotPermitted, Untrue


class KeyPlanRefused(Invalid):
    """A plan that cannot be read, or does not fit what is there."""

    code = "kms.plan_refused"
    zh = "计划的 {field} 不合规定或与现状不符（{reason}）：未做任何更改，请改正计划并重新审阅。"
    en = "The plan's {field} is wrong or does not fit what is there ({reason}): nothing was changed; correct the plan and have it reviewed again."


class KeysExist(Conflict):
    """A first ceremony where keys are registered that it did not make."""

    code = "kms.keys_exist"
    zh = "已有登记的密钥（{labels}）：准备令牌的仪式只能在第一把密钥之前举行，未做任何更改。"
    en = "Keys are registered already ({labels}): tokens are prepared before the first key; nothing was changed."


class KeyCeremonyUnfinished(Conflict):
    """Another ceremony was begun and not ended."""

    code = "kms.ceremony_unfinished"
    zh = "计划摘要为 {digest} 的仪式（{kind}）已开始而未完成：请先用原计划把它做完，或在新计划中以 instead_of 写明放弃它。"
    en = "The ceremony ({kind}) of the plan {digest} was begun and not ended: end it with its own plan first, or give it up by instead_of in the new plan."


class TokenNotEmpty(Conflict):
    """A token that is to be prepared or to take a lost one's place holds keys that are not ours."""

    code = "kms.token_not_empty"
    zh = "令牌 {token} 中已有 {keys} 把不属于本平台的密钥，未写入：请用密码机工具重新初始化它，或换一个空令牌。"
    en = "Token {token} holds {keys} keys that are not ours and was not written to: initialise it anew with its vendor's tools, or take an empty one."


class TokenDiffers(Untrue):
    """The token that answers is not the one that the plan, or the register, names."""

    code = "kms.token_differs"
    zh = "令牌 {token} 的序列号是 {found}，应为 {wanted}：请接入计划所写的令牌。"
    en = "The serial number of token {token} is {found}, and {wanted} is expected: connect the token that the plan names."


class CopyMissing(Conflict):
    """Keys of which no copy was kept for the vault token."""

    code = "kms.copy_missing"
    zh = "以下密钥没有为保险令牌保存副本，无法写入新令牌：{labels}。请先轮换或换代这些密钥，或从厂商备份恢复令牌。"
    en = "No copy was kept for the vault token of these keys, so they cannot be given to the new token: {labels}. Replace those keys first, or restore the token from its vendor's backup."


class CopyDiffers(Untrue):
    """What a token took from a copy is not the key that the other token holds."""

    code = "kms.copy_differs"
    zh = "从副本写入的密钥 {label} 与另一令牌中的不一致，已从新令牌中删除：副本可能被改动，请追查。"
    en = "The key {label} taken from its copy is not the one in the other token, and was removed again: the copy may have been altered; inquire."


class VaultAltered(Untrue):
    """The vault that the database names is not the one whose receiving key its ceremony put into the key centre's folder."""

    code = "kms.vault_altered"
    zh = "数据库登记的保险令牌（{serial}）与 {file} 中其仪式留下的公钥不一致，未生成密钥：数据库可能被改动，或该文件未随密钥管理中心一同恢复；请追查后恢复原样。"
    en = "The vault token that the database names ({serial}) is not the one whose public key its ceremony left in {file}, and no key was made: the database may have been altered, or the file was not restored with the key centre; inquire, and put back what was there."


class NoVault(Conflict):
    """A token of a mirror is to be replaced, and its keys have no copies: there was no vault token when they were made."""

    code = "kms.no_vault"
    zh = "没有登记保险令牌，镜像中的密钥没有可转交的副本，不能写入新令牌；未做任何更改。请用密码机厂商的备份（软件令牌用平台的备份）恢复该令牌，见手册《令牌》。"
    en = "No vault token is registered, so there are no copies of the mirror's keys to give to a fresh token; nothing was changed. Restore the token from its vendor's backup, a software token from the platform's (manual: Tokens)."


class VaultNeeded(Misconfigured):
    """A ceremony that only those can hold who have brought the vault token."""

    code = "kms.vault_needed"
    zh = "该仪式需要保险令牌及其口令：请在密码机所在的机器上执行 yinxin kms ceremony hold。"
    en = "This ceremony needs the vault token and its PIN: hold it with yinxin kms ceremony hold on the machine that has the tokens."


class KeyProposalNeeded(NotPermitted):
    """A ceremony that nobody holds without several people's approval."""

    code = "kms.proposal_needed"
    zh = "该仪式须经多人批准：请用 yinxin kms ceremony propose 提出，批准后用 yinxin kms ceremony hold 执行。"
    en = "This ceremony needs several people's approval: propose it with yinxin kms ceremony propose, then hold it with yinxin kms ceremony hold."
