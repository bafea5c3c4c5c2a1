"""Asking the API by hand, and holding a refusal to what every refusal must be."""

import json
import re
from collections.abc import Mapping
from typing import Any

import httpx

from ops.platform import INSIDE, Platform
from tests.laws.province import client
from yinxin.client import in_process
from yinxin.errors import registered
from yinxin.text import Language

_HAN = re.compile("[\u4e00-\u9fff]")
#: what a remedy says in each language; a sentence without any of these only complains
_REMEDY = {
    "zh": re.compile("请|可用|须|应|重新|联系|核对|改|换|索取|用|写"),
    "en": re.compile(
        r"\b(use|ask|check|try|fetch|give|correct|choose|sign|write|have|make|take|send|restore|free|look|put|split|"
        r"name|remove|install|reload|issue|save|add|close|wait|state|report|treat|do|convert|move|open|keep|run|fill|"
        r"submit|shorten|bring|put)\b",
        re.IGNORECASE,
    ),
}


class Desk:
    """A person's session, used without the kit's client: nothing is tried twice, nothing is put right."""

    def __init__(self, platform: Platform, person: str) -> None:
        self.platform = platform
        self.token = client(platform, person).sign_in()

    def send(
        self, method: str, path: str, *, language: Language = "zh", key: str | None = None, **body: Any
    ) -> httpx.Response:
        """One request."""
        headers = {"Authorization": f"Bearer {self.token}", "Accept-Language": language}
        if method != "GET":
            headers["Idempotency-Key"] = key or self.platform.store.identifier()
        with httpx.Client(base_url=INSIDE, transport=in_process(self.platform.app)) as http:
            return http.request(method, path, headers=headers, **body)

    def draft(
        self, data: bytes, name: str = "a.md", language: Language = "zh", **form: Any
    ) -> httpx.Response:
        """Draft a document from these bytes."""
        values = {"reference": self.platform.store.identifier(), "kind": "NOTICE", "recipients": ["city-jia"]}
        return self.send(
            "POST",
            "/api/document/v1/documents",
            language=language,
            key=form.pop("key", None),
            data={"body": json.dumps(values | form)},
            files={"content": (name, data, "application/octet-stream")},
        )


def refused(response: httpx.Response, code: str, status: int, language: Language = "zh") -> Mapping[str, Any]:
    """Hold the answer to RFC 9457, to the language asked for, to saying what to do; the problem."""
    assert response.status_code == status, (response.status_code, response.text)
    assert response.headers["Content-Type"] == "application/problem+json"
    problem: Mapping[str, Any] = response.json()
    assert (problem["code"], problem["status"]) == (code, status), problem
    assert problem["type"] == f"urn:yinxin:error:{code}"
    assert _REMEDY[language].search(problem["detail"]), problem["detail"]
    if language == "zh":
        assert _HAN.search(problem["detail"])
    kind = registered()[code]
    assert problem["retryable"] is kind.retryable
    assert ("Retry-After" in response.headers) is kind.retryable
    return problem


def in_the_log(platform: Platform, problem: Mapping[str, Any], error: str | None = None) -> Mapping[str, Any]:
    """The entry that the refusal names: it is there, it says refused, and why."""
    platform.audit.sequence()
    event = platform.audit.entry(problem["entry"]).fields()
    assert event["outcome"] == "refused"
    assert event["error"] == (error or problem["code"])
    return event
