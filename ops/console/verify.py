"""The public verify page: a file is checked as any stranger would check it offline; nothing of it is kept."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from flask import make_response, render_template
from werkzeug.wrappers import Response

from ops.console.errors import VerifyBusy
from yinxin import evidence, report
from yinxin.crypto.suite import INTL, SM
from yinxin.errors import Unavailable, YinxinError
from yinxin.evidence.page import build
from yinxin.text import Text
from yinxin.web import Form, Pages, Upload

if TYPE_CHECKING:
    from ops.platform import Platform

#: octets; a larger file is refused unread and can be checked with the command
LARGEST = 32 << 20
#: files checked at once: a stranger's files must not keep the people at work waiting
AT_ONCE = 2

#: the name of the page that verifies without a network
OFFLINE = "yinxin-verify.html"

#: what readers call the suites
SUITES = {
    "intl": Text("国际通用", "international"),
    "sm": Text("国密", "Chinese (SM)"),
    "pq": Text("抗量子", "post-quantum"),
}


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a file: what holds, and the first thing that does not."""

    name: str
    size: int
    sha256: str
    sm3: str
    held: list[Text]
    problem: YinxinError | None

    @staticmethod
    def judged(text: Text) -> bool:
        """Whether what is told was judged, and may bear a tick."""
        return not isinstance(text, evidence.NotJudged)


def add(pages: Pages, platform: "Platform") -> None:
    """Declare the page."""
    free = threading.BoundedSemaphore(AT_ONCE)
    folder = platform.data.path("trust")

    def trusted() -> Mapping[str, Any]:
        trust = evidence.Trust.load(folder)
        return {
            "roots": trust.roots,
            "logs": trust.logs,
            "suites": SUITES,
            "largest": LARGEST >> 20,
            "offline": offline()[1],
        }

    @pages.get(f"/verify/{OFFLINE}", public=True)
    def verify_offline() -> Response:
        headers = {"Content-Disposition": f'attachment; filename="{OFFLINE}"'}
        return Response(offline()[0], mimetype="text/html", headers=headers)

    @pages.form("/verify", "console/verify.html", context=trusted, limit=LARGEST + (1 << 16), public=True)
    def verify(file: Upload) -> Response:
        with _turn(free):
            result = _check(file, evidence.Trust.load(folder), platform)
        page = render_template("console/verify.html", form=Form(""), result=result, **trusted())
        return make_response(page, result.problem.status if result.problem else 200)


@cache
def offline() -> tuple[bytes, str]:
    """That page, and its SHA-256: the same for everybody."""
    data = build()
    return data, INTL.hash.digest(data).hex()


def _check(file: Upload, trust: evidence.Trust, platform: "Platform") -> Result:
    data = file.stream.read()
    held: list[Text] = []
    problem: YinxinError | None = None
    try:
        check = report.verify if report.is_report(data) else evidence.verify
        check(data, trust, at=platform.clock.now(), held=held)
    except Unavailable:
        raise
    except YinxinError as error:
        problem = error
    sha256, sm3 = INTL.hash.digest(data).hex(), SM.hash.digest(data).hex()
    return Result(file.name, file.size, sha256, sm3, held, problem)


@contextmanager
def _turn(free: threading.BoundedSemaphore) -> Iterator[None]:
    """One of the turns; raises VerifyBusy when all are taken."""
    if not free.acquire(blocking=False):
        raise VerifyBusy(limit=AT_ONCE)
    try:
        yield
    finally:
        free.release()
