"""The kit's own registration: what it records, keeps and sweeps."""

from datetime import timedelta

from yinxin.module import Job, Module, Verb
from yinxin.text import Text
from yinxin.web.idempotency import Answers
from yinxin.web.recording import REFUSED
from yinxin.web.settings import WebSettings
from yinxin.web.signing.prepared import sweep

#: its service is the application's `Answers` (`kit().answers`)
MODULE: Module[Answers] = Module(
    name="web",
    title=Text("网页与接口", "Pages and API"),
    settings=WebSettings,
    verbs=(Verb(REFUSED, Text("请求被拒绝", "Request refused")),),
    models=("yinxin.web.idempotency", "yinxin.web.signing.prepared"),
    jobs=(
        Job("web.forget-answers", timedelta(hours=1), Answers.sweep),
        Job("web.forget-prepared", timedelta(hours=1), lambda answers: sweep(answers.store)),
    ),
)
