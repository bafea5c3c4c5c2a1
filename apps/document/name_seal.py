"""Putting the signer's name seal on an order (加盖签名章): in the place of her name, by herself, on her own sign-off.

The page is set with it when it is numbered; without it, it shows her name in red.
"""

from sqlalchemy.orm import Session

from apps.document.core import NameSeal
from apps.document.desk import Desk, content
from apps.document.errors import NoNameSeal, NotAnOrder
from apps.document.layout.kinds import Kind
from apps.document.layout.model import NameSeal as Shown
from apps.document.models import Document, File
from apps.document.records import DOCUMENTS
from apps.document.sign_off import SIGN_OFF
from yinxin.crypto import seal as seals
from yinxin.crypto.suite import INTL, SM
from yinxin.steps import step

VERB = "document.put-name-seal"
#: the structure of the seal, as its maker signed it
FILE = "name-seal.esl"


def put(desk: Desk, document: str) -> None:
    """1. A use of her name seal begins, on her sign-off. 2. The document has it; recorded. 3. The use is finished, with the text it stands under.

    One that was cut short is put on again under the same sign-off. Raises NotAnOrder, NoNameSeal, NotPermitted, WrongState.
    """
    seen = DOCUMENTS.read(desk, document)
    subject, who = DOCUMENTS.subject(document), desk.caller.actor
    with desk.store.refusing(who, VERB, subject):
        DOCUMENTS.in_turn(seen, VERB)
        seal = _own(desk, seen)
    with desk.store.read() as session:
        steps = DOCUMENTS.steps(session, document)
        approval = next(each.entry for each in reversed(steps) if each.verb == SIGN_OFF)
        text = content(session, document).data
    use = desk.core.use_name_seal(seal, subject=subject, title=seen.title, approval=approval)
    step("document.put-name-seal.1-begun")
    digest = INTL.hash.digest(seal.structure.der).hex()
    with DOCUMENTS.move(desk, document, VERB, use=f"seal-use:{use}", seal=f"seal:{seal.id}") as (act, _):
        act.session.merge(File(document=document, name=FILE, sha256=digest, data=seal.structure.der))
    step("document.put-name-seal.2-put")
    desk.core.finish_seal_use(use, sha256=INTL.hash.digest(text).hex(), sm3=SM.hash.digest(text).hex())


def _own(desk: Desk, row: Document) -> NameSeal:
    """Her own, in use, for a document that shows one; raises NotAnOrder, NoNameSeal."""
    if row.kind != Kind.ORDER:
        raise NotAnOrder(document=row.id)
    seal = desk.core.name_seal(row.organ, desk.caller.actor.id)
    if seal is None:
        raise NoNameSeal(person=desk.caller.name)
    return seal


def shown(session: Session, document: str) -> Shown | None:
    """The name seal that was put on it, as it is laid out; None where there is none."""
    row = session.get(File, (document, FILE))
    if row is None:
        return None
    picture = seals.read(row.data).picture
    return Shown(picture.data, picture.width, picture.height)
