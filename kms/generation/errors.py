"""What the generations of the wrapping key refuse."""

from yinxin.errors import Conflict, NotFound


class GenerationUnknown(NotFound):
    """No generation has this number."""

    code = "kms.generation_unknown"
    zh = "没有第 {number} 代密钥加密密钥：可用 yinxin kms generations 查看各代。"
    en = "There is no generation {number} of the wrapping key: yinxin kms generations lists them."


class RotatedMeanwhile(Conflict):
    """Somebody else began the next generation at the same time."""

    code = "kms.rotated_meanwhile"
    zh = "第 {number} 代密钥加密密钥刚由他人启用，本次未做更改：无需重复更换。"
    en = "Generation {number} of the wrapping key was begun by somebody else just now; nothing was done, and nothing is needed."


class GenerationInUse(Conflict):
    """Its key may still be needed: it is the current one, or ciphertexts lie under it."""

    code = "kms.generation_in_use"
    zh = "第 {number} 代密钥加密密钥尚未停用（其下还有 {left} 项密文），不能销毁：密文全部移出后（最早在换代十分钟后）自动停用，请停用后再提出。"
    en = "Generation {number} of the wrapping key is not retired yet ({left} ciphertexts lie under it) and cannot be destroyed: it retires once nothing lies under it, ten minutes after it was replaced at the earliest; propose it then."
