"""Another process of the same site: it answers one question a line, of a database whose address it is given.

A question is JSON: `actor` (person, post), `action`, `organ` of the paper; `{}` ends it. The answer is true, false, or the
code of the error.
"""

import json
import sys

from authz.decide import Decisions
from authz.policy_set import load_policies
from yinxin.act import Actor, Kind
from yinxin.authz import Resource
from yinxin.clock import ManualClock
from yinxin.errors import YinxinError
from yinxin.randomness import SystemRandomness
from yinxin.store import Store, open_engine

from .conftest import FIXTURES, NOW


def main(url: str) -> None:
    engine = open_engine(url)
    store = Store(engine, clock=ManualClock(NOW), randomness=SystemRandomness())
    decisions = Decisions(store, load_policies({"test": FIXTURES}))
    for line in sys.stdin:
        asked = json.loads(line)
        if not asked:
            break
        resource = Resource("Paper", "2026-1", asked["organ"], "internal", {"author": "somebody"})
        try:
            answer: object = decisions.check(
                Actor(Kind.PERSON, *asked["actor"]), asked["action"], resource
            ).allowed
        except YinxinError as error:
            answer = error.code
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()
    engine.dispose()


if __name__ == "__main__":
    main(sys.argv[1])
