"""Messages between two sites: what is sent arrives once, in order, receipted; what must not leave does not."""

import pytest

from exchange.errors import TooSecret
from yinxin.act import SYSTEM

from .sites import letter

pytestmark = pytest.mark.engines("any")


def test_what_is_sent_arrives_once_in_order_and_is_receipted(two, tmp_path):
    file = tmp_path / "附件.bin"
    file.write_bytes(bytes(range(256)) * 12_000)
    from yinxin.exchange import Enclosed

    sent = [two.jia.sending.send(SYSTEM, letter(number)) for number in (1, 2)]
    sent.append(
        two.jia.sending.send(
            SYSTEM, letter(3, files=[Enclosed("附件.bin", "application/octet-stream", file)])
        )
    )
    assert two.jia.sending.send(SYSTEM, letter(2)) == sent[1]
    two.net.down.add("yi.example")
    assert two.jia.courier.call(two.jia.peers.get("yi.example"), at_once=True) == 0
    assert two.jia.courier.couriers.of("yi.example")["send"][1] == "exchange.peer_unreachable"
    two.net.down.clear()
    assert two.jia.courier.push(two.jia.peers.get("yi.example")) == 3
    assert two.taking.answers == [("r1", None), ("r2", None), ("r3", None)]
    assert two.yi.delivering.run() == 3
    assert two.taking.taken == [1, 2, 3]
    assert two.taking.files[2] == [file.read_bytes()]
    assert two.yi.delivering.run() == 0
    said = two.jia.reconciling.ask(two.jia.peers.get("yi.example"))
    assert (said.sent.seq, said.sent.receipted, said.difference) == (3, 3, None)


def test_what_is_graded_too_high_never_leaves(two):
    with pytest.raises(TooSecret) as refused:
        two.jia.sending.send(SYSTEM, letter(90, grade="secret"))
    assert refused.value.entry is not None
