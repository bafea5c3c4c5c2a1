"""A tenant that gets a site of its own: whoever wrote to it goes on writing to it, under the same name."""

from contextlib import ExitStack

import pytest

from authz.directory import DirectoryFile
from authz.tenant.admit import Decided
from authz.tenant.admit import admit as admit_tenant
from tests.authz.townsfolk import posts
from yinxin.act import SYSTEM

from .sites import Net, Taking, admit, copied, join, letter, opened

pytestmark = pytest.mark.engines("any")
TENANT = "dept-health"
FOLK = (
    ("t-officer", "t-officer", ["security-officer"]),
    ("t-deputy", "t-deputy", ["security-officer"]),
    ("t-auditor", "t-auditor", ["auditor"]),
)


def site(stack: ExitStack, net: Net, folder, name: str, organs: str, **more: str):
    """A site of these organs, with an application for letters."""
    given = {
        "exchange.organs": organs,
        "exchange.url": f'"https://{name}"',
        "exchange.site": f'"{name}"',
        **more,
    }
    exchange = join(
        net, stack.enter_context(opened(folder, *(f"{key}={value}" for key, value in given.items())))
    )
    exchange.applications["test"] = taking = Taking()
    return exchange, taking


def travel(*sites) -> None:
    """Whatever waits anywhere goes where it belongs."""
    for _ in range(3):
        for each in sites:
            each.publishing.run()
            for peer in each.peers.standing():
                each.courier.call(peer, at_once=True)
        for each in sites:
            each.delivering.run()


def test_it_goes_on_receiving_under_the_same_name(template, tmp_path):
    folders = {
        name: copied(template, tmp_path, name) for name in ("jia.example", "yi.example", "new.example")
    }
    net = Net()
    with ExitStack() as stack:
        jia, old = site(stack, net, folders["jia.example"], "jia.example", f'["city-jia","{TENANT}"]')
        yi, _ = site(stack, net, folders["yi.example"], "yi.example", '["city-yi"]')
        platform = net.sites["jia.example"]
        platform.authz.directory.load(SYSTEM, DirectoryFile.parse(posts(*FOLK, organ=TENANT)))
        with platform.store.act(SYSTEM, "test.admit", f"organ:{TENANT}") as act:
            admit_tenant(act.session, TENANT, "jade", Decided("p1", "system", platform.clock.now()))
        admit(jia, yi, relation="child")
        admit(yi, jia, relation="parent")
        yi.sending.send(SYSTEM, letter(1, sender="city-yi", recipient=TENANT))
        travel(yi, jia)
        assert old.taken == [1]
        assert yi.peers.recipient(TENANT).peer.site == "jia.example"
    # its host receives for it no longer; it does, at a site of its own
    net = Net()
    with ExitStack() as stack:
        jia, old = site(stack, net, folders["jia.example"], "jia.example", '["city-jia"]')
        yi, answers = site(stack, net, folders["yi.example"], "yi.example", '["city-yi"]')
        new, own = site(stack, net, folders["new.example"], "new.example", f'["{TENANT}"]')
        travel(jia, yi)  # the renewed card of the old site
        admit(jia, new, relation="child")
        admit(new, jia, relation="parent")
        travel(jia, new, yi)
        assert yi.peers.recipient(TENANT).peer.site == "new.example"
        yi.sending.send(SYSTEM, letter(2, sender="city-yi", recipient=TENANT))
        new.sending.send(SYSTEM, letter(3, sender=TENANT, recipient="city-yi"))
        travel(yi, new, jia)
        assert own.taken == [2]
        assert answers.taken == [3]
        assert old.taken == []
