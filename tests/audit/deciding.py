"""Proposals carried out as `authz` does it, and remembered as it remembers them: kept here by the site's database."""

from collections import Counter

from audit.surroundings import Alone, Executed
from yinxin.act import SYSTEM
from yinxin.proposal import Approved

BASIS = "个人信息保护法 第四十七条"
APPROVALS = [{"certificate": "c-1"}, {"certificate": "c-2"}]
_DONE: dict[str, dict[str, Executed]] = {}
_NUMBERS: Counter[str] = Counter()


class Decided(Alone):
    """The proposals that were carried out at a site, whichever process asks."""

    def __init__(self, url):
        self.done = _DONE.setdefault(url, {})

    def executed(self, proposal):
        return self.done.get(proposal)


def carried_out(site, kind, content, proposal=None):
    """Carried out in one transaction with the record; what came of it."""
    if proposal is None:
        _NUMBERS[site.url] += 1
        proposal = f"p{_NUMBERS[site.url]:04}"
    document = Executed(
        kind.name,
        f"document of {proposal}",
        content.model_dump(mode="json"),
        frozenset({"c-1", "c-2"}),
        2,
        BASIS,
    )
    kind.check(site.log, content)
    words = kind.describe(site.log, content)
    assert all(each.zh and each.en for each in words)
    facts = {"kind": document.kind, "digest": document.digest, "approvals": APPROVALS}
    with site.store.act(SYSTEM, "authz.execute", f"proposal:{proposal}", **facts) as act:
        outcome = kind.within(site.log, Approved(proposal, "", content, SYSTEM, (), BASIS), act.session)
        act.facts["outcome"] = dict(outcome)
    site.log.around.done[proposal] = document
    return outcome
