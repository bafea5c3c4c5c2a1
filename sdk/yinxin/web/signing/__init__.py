"""Pages on which a person signs: on her own side, or with her key in the key centre, by PIN or by passkey."""

from yinxin.web.signing.errors import NoHolderKey, NotPrepared
from yinxin.web.signing.forms import Act, reason, shown, signed

__all__ = ["Act", "NoHolderKey", "NotPrepared", "reason", "shown", "signed"]
