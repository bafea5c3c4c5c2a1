"""What can be wrong with a note, a key, a checkpoint or a proof. Reasons are short English facts for operators."""

from yinxin.errors import Invalid, Untrue


class BadNoteKey(Invalid):
    """A verifier key text that is none."""

    code = "tlog.bad_key"
    zh = "日志公钥“{key}”无法使用（{reason}）；请向日志的运营单位索取正确的公钥。"
    en = "The log key “{key}” cannot be used ({reason}); ask the log's operator for the right one."


class MalformedNote(Untrue):
    """Bytes that are no signed note, or no checkpoint, in the one spelling allowed."""

    code = "tlog.malformed_note"
    zh = "检查点格式不对（{reason}）；请重新取得原始文件。"
    en = "The checkpoint is malformed ({reason}); fetch the original file again."


class UntrustedNote(Untrue):
    """No signature by a trusted key, or, where strictness is asked for, one by a key that is not trusted."""

    code = "tlog.untrusted_note"
    zh = "检查点没有可信日志密钥的签名，或含有不可信的签名（{reason}）；请核对所用的日志公钥。"
    en = "The checkpoint lacks a trusted log key's signature or carries a foreign one ({reason}); check the log key used."


class BadNoteSignature(Untrue):
    """A signature that names a trusted key and was not made by it."""

    code = "tlog.bad_signature"
    zh = "检查点上 {name} 的签名无效：内容被改动，或不是该日志签发的。"
    en = "The signature of {name} on the checkpoint does not hold: it was altered, or is not that log's."


class MalformedProof(Untrue):
    """Bytes that are no log proof in the one spelling allowed."""

    code = "tlog.malformed_proof"
    zh = "日志证明格式不对（{reason}）；请重新导出证据。"
    en = "The log proof is malformed ({reason}); export the evidence again."


class NotIncluded(Untrue):
    """An inclusion proof that does not lead from the entry to the root."""

    code = "tlog.not_included"
    zh = "该记录不在日志第 {index} 位（共 {size} 条）：记录或证明被改动。"
    en = "The entry is not at index {index} of the log of {size}: it or its proof was altered."


class NotConsistent(Untrue):
    """A consistency proof that does not lead from the older root to the newer: history was rewritten."""

    code = "tlog.not_consistent"
    zh = "{new} 条的日志不是 {old} 条的日志的延续：历史被改写，或证明被改动。"
    en = "The log of {new} entries does not continue the log of {old}: history was rewritten or the proof altered."


class MalformedSubmission(Untrue):
    """Bytes that are no submission to a witness in the one spelling allowed."""

    code = "tlog.malformed_submission"
    status = 400
    zh = "提交见证的内容格式不对（{reason}）；请由日志一方重新导出。"
    en = "The submission to the witness is malformed ({reason}); have the log's side export it again."


class MalformedPolicy(Invalid):
    """A file that is no policy of logs and witnesses."""

    code = "tlog.malformed_policy"
    zh = "见证规则第 {line} 行有误（{reason}）；请按 tlog-policy 格式改正。"
    en = "Line {line} of the witness policy is wrong ({reason}); correct it by the tlog-policy format."


class QuorumMissed(Untrue):
    """Fewer witnesses have cosigned than the policy asks for."""

    code = "tlog.quorum_missed"
    zh = "检查点的见证不足：规则要求 {needed}，实有 {found}。"
    en = "Too few witnesses cosigned the checkpoint: the policy asks for {needed}, there is {found}."
