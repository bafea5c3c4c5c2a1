"""Cards signed and read: a site introduces itself, and is believed by its own anchors until people say whose they are."""

import io
from collections.abc import Callable, Iterable

from authz.directory import Organ
from exchange import frames
from exchange.card import Card, CardOrgan
from exchange.errors import BadCard, MalformedEnvelope
from exchange.frames import Tag
from exchange.identity import Own
from exchange.settings import ExchangeSettings
from exchange.signed import Signature, Signing, believed
from yinxin.clock import Clock, rfc3339
from yinxin.crypto.certificates import Certificate
from yinxin.errors import YinxinError
from yinxin.text import Text


def own_card(own: Own, settings: ExchangeSettings, organ: Callable[[str], Organ], clock: Clock) -> Card:
    """This site's card as of now; raises ExchangeOff, and what key centre, directory and issuance raise."""
    site, identity, now = own.site, own.signing(), clock.now()
    shown = (identity, own.calling())
    organs = [organ(each) for each in settings.organs]
    return Card(
        site=site,
        name=organs[0].name,
        version=int(now.timestamp()),
        at=rfc3339(now),
        url=settings.url,
        clearance=settings.clearance,
        anchors=_once((*(each.chain[-1] for each in shown), *own.roots())),
        authorities=_once(certificate for each in shown for certificate in each.chain[:-1]),
        keys=(identity.certificate,),
        organs=tuple(
            CardOrgan(each.id, each.name, settings.clearance, own.organ(each.id)) for each in organs
        ),
    )


def signed_card(card: Card, signing: Signing) -> bytes:
    """The card's file; raises as `Signing.sign`."""
    made = signing.sign(card.encoded)
    return frames.joined([(Tag.CARD, card.encoded), (Tag.SIGNATURE, made.cms), (Tag.STANDING, made.standing)])


def card_in(data: bytes) -> Card:
    """The card in a file that was verified before; raises BadCard, MalformedEnvelope."""
    return Card.decode(next(frames.read(io.BytesIO(data))).data)


def read_card(data: bytes, by: Card | None = None) -> Card:
    """The card in a file, signed by a key of its own, or of `by`, the card before it. Raises BadCard."""
    try:
        found = list(frames.read(io.BytesIO(data)))
    except MalformedEnvelope as error:
        raise BadCard(reason=error) from error
    if [each.tag for each in found] != [Tag.CARD, Tag.SIGNATURE, Tag.STANDING]:
        raise BadCard(reason=Text("不是站点名片文件", "not a site's card"))
    card = Card.decode(found[0].data)
    try:
        believed(Signature(found[1].data, found[2].data), card.encoded, by or card)
    except YinxinError as error:
        raise BadCard(reason=error) from error
    return card


def _once(certificates: Iterable[Certificate]) -> tuple[Certificate, ...]:
    return tuple({each.fingerprint: each for each in certificates}.values())
