"""What an evidence record can fail by. Errors of signatures and certificates keep their own names."""

from yinxin.errors import Untrue


class MalformedRecord(Untrue):
    """Not an evidence record as it is written here (RFC 4998 section 3)."""

    code = "evidence.malformed_record"
    zh = "证据记录格式不对或被改动过（{reason}）；请向提供者索取原件。"
    en = "The evidence record is malformed or was changed ({reason}); ask for the original."


class RecordBroken(Untrue):
    """A link of the chain of renewals is not over what it must be over. `link` counts from 1."""

    code = "evidence.record_broken"
    zh = "续期链在第 {link} 环断开：{what}；此件不可采信。"
    en = "The chain of renewals is broken at link {link}: {what}; do not rely on it."


class RenewedTooLate(Untrue):
    """A link was made when the one before it proved nothing any more."""

    code = "evidence.renewed_too_late"
    zh = "续期链第 {link} 环续得太晚：它盖于 {at}，而前一环在 {ended} 已失效（{what}）；此件不可采信。"
    en = "Link {link} of the chain of renewals came too late: it was made at {at}, and the one before it had ended at {ended} ({what}); do not rely on it."


class RecordLapsed(Untrue):
    """Nobody renewed the last link before it ended."""

    code = "evidence.record_lapsed"
    zh = "续期链的最后一环在 {ended} 已失效（{what}），此后没有续期；请向保管方索取续期后的证据记录。"
    en = "The last link of the chain of renewals ended at {ended} ({what}) and was not renewed; ask its keeper for a renewed evidence record."
