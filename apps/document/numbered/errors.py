"""What is refused of numbered copies."""

from yinxin.errors import Conflict, Invalid, NotFound


class NotNumbered(Invalid):
    """A document whose copies have no numbers: it is not classified."""

    code = "document.not_numbered"
    zh = "公文 {document} 不涉密或已解密，不编份号；请直接下载盖章文件打印。"
    en = "Document {document} is not classified, or not any more, so its copies have no numbers; download the sealed file and print that."


class NoSuchCopy(NotFound):
    """No copy of that number, or not of this organ."""

    code = "document.no_such_copy"
    zh = "公文 {document} 没有份号 {number} 的一份，或不由您所在机关持有、管理；请核对份号。"
    en = "There is no copy {number} of document {document} that your organ holds or keeps account of; check the number."


class CopyOver(Conflict):
    """A copy that is not held any more, or was destroyed already."""

    code = "document.copy_over"
    zh = "份号 {number} 的状态是“{state}”，不能这样处理；请刷新后再看。"
    en = "Copy {number} is “{state}”, so that cannot be done with it; reload it and look again."


class OnScreenOnly(Invalid):
    """A copy in the system is given back by its recipient, not taken back or destroyed by number."""

    code = "document.copy_in_system"
    zh = "份号 {number} 是电子件，请用“清退”由收文机关签名交回；按份号收回和销毁的是纸质件。"
    en = "Copy {number} is in the system: recall it, and its recipient signs that it is given back; by number, paper copies are taken back and destroyed."


class WitnessIsActor(Invalid):
    """Whoever destroyed it confirms it herself (Regulation 2012, art. 38: two people)."""

    code = "document.witness_is_actor"
    zh = "销毁涉密公文须由两人监销：监销人不能是销毁人本人；请由另一人确认。"
    en = "A classified copy is destroyed before two people: whoever destroyed it cannot be the witness; have somebody else confirm."
