"""Putting a signer's name seal on an order (加盖签名章): in the place of her name, by herself, on her own sign-off.

Of an order that several organs issue each organ's leader puts on her own, on her countersignature, once it is signed off. The page
is set with them when it is numbered; in the place of one that is not there it shows the name in red.
"""

from sqlalchemy.orm import Session

from apps.document.core import NameSeal
from apps.document.desk import Desk, content
from apps.document.errors import NoNameSeal, NotAnOrder
from apps.document.joint import parts
from apps.document.layout.kinds import Kind
from apps.document.layout.model import NameSeal as Shown
from apps.document.models import Document, File
from apps.document.records import DOCUMENTS
from apps.document.sign_off import SIGN_OFF
from yinxin.crypto import seal as seals
from yinxin.crypto.suite import INTL, SM
from yinxin.steps import step

VERB = "document.put-name-seal"
#: the structure of the seal, as its maker signed it; behind it stands the place of a joint organ, from 2
_FILE, _END = "name-seal", ".esl"


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
        name, approval = _place(session, seen, who.organ or "")
        text = content(session, document).data
    use = desk.core.use_name_seal(seal, subject=subject, title=seen.title, approval=approval)
    step("document.put-name-seal.1-begun")
    digest = INTL.hash.digest(seal.structure.der).hex()
    with DOCUMENTS.move(desk, document, VERB, use=f"seal-use:{use}", seal=f"seal:{seal.id}") as (act, _):
        act.session.merge(File(document=document, name=name, sha256=digest, data=seal.structure.der))
    step("document.put-name-seal.2-put")
    desk.core.finish_seal_use(use, sha256=INTL.hash.digest(text).hex(), sm3=SM.hash.digest(text).hex())


def _own(desk: Desk, row: Document) -> NameSeal:
    """Her own, in use, for a document that shows one; raises NotAnOrder, NoNameSeal."""
    if row.kind != Kind.ORDER:
        raise NotAnOrder(document=row.id)
    seal = desk.core.name_seal(desk.caller.actor.organ or "", desk.caller.actor.id)
    if seal is None:
        raise NoNameSeal(person=desk.caller.name)
    return seal


def _place(session: Session, row: Document, organ: str) -> tuple[str, str]:
    """The name under which the document keeps this organ's signer's, and the log's entry of what she signed."""
    if organ != row.organ:  # the policies let a joint organ's leader come so far, and nobody else
        mine = next(each for each in parts.joint(session, row.id) if each.organ == organ)
        return name_of(mine.position + 1), mine.entry or ""
    steps = DOCUMENTS.steps(session, row.id)
    return name_of(1), next(each.entry for each in reversed(steps) if each.verb == SIGN_OFF)


def name_of(place: int) -> str:
    """The name under which it is kept; `place` is the organ's among those that issue it, from 1."""
    return f"{_FILE}{_END}" if place == 1 else f"{_FILE}-{place}{_END}"


def shown(session: Session, row: Document) -> list[Shown | None]:
    """The name seals that were put on it, as they are laid out, in the order of the organs; None where there is none."""
    return [_shown(session, row.id, place) for place in range(1, len(row.joint) + 2)]


def _shown(session: Session, document: str, place: int) -> Shown | None:
    row = session.get(File, (document, name_of(place)))
    if row is None:
        return None
    picture = seals.read(row.data).picture
    return Shown(picture.data, picture.width, picture.height)
