"""Many requests for certificates in one call: each permitted, answered and recorded as if it had come alone."""

from flask import Blueprint
from pydantic import Field

from ca.api import CertificateIn, asked_for
from ca.issue import Issued
from ca.service import Authority
from yinxin.errors import YinxinError
from yinxin.text import Text
from yinxin.web import Api, Caller
from yinxin.wire import Model

#: requests in one call
MOST = 200
#: octets of a call: as many requests with keys of the largest kind
_LARGEST = 8 << 20


class BatchIn(Model):
    """Requests for certificates; sent again with the same references they give the same certificates."""

    requests: list[CertificateIn] = Field(min_length=1, max_length=MOST)


class RefusalOut(Model):
    """Why one request was refused: what its problem document would have said, and the entry that records it."""

    code: str
    status: int
    zh: str
    en: str
    entry: str | None


class BatchAnswerOut(Model):
    """The answer to one request: a certificate, or a refusal."""

    reference: str
    serial: str | None = None
    pem: str | None = None
    chain_pem: str | None = None
    refusal: RefusalOut | None = None


class BatchOut(Model):
    """One answer for each request, in their order."""

    answers: list[BatchAnswerOut]


def routes(authority: Authority) -> tuple[Blueprint, ...]:
    """The operation; it is refused as a whole only for what is wrong with the call itself."""
    api = Api("ca-batch", "/api/ca/v1", Text("成批签发", "Certificates in batches"))

    @api.post(
        "/certificate-batches",
        status=201,
        summary=Text("成批签发证书", "Issue certificates, each answered for itself"),
        limit=_LARGEST,
    )
    def issue_batch(body: BatchIn, caller: Caller) -> BatchOut:
        answers = authority.issue_many(caller.actor, [asked_for(each) for each in body.requests])
        return BatchOut(
            answers=[
                _out(each.reference, answer) for each, answer in zip(body.requests, answers, strict=True)
            ]
        )

    return (api.blueprint,)


def _out(reference: str, answer: Issued | YinxinError) -> BatchAnswerOut:
    if isinstance(answer, Issued):
        chain = "".join(each.pem for each in answer.chain)
        return BatchAnswerOut(
            reference=reference, serial=answer.serial, pem=answer.certificate.pem, chain_pem=chain
        )
    refusal = RefusalOut(
        code=answer.code,
        status=answer.status,
        zh=answer.text("zh"),
        en=answer.text("en"),
        entry=answer.entry,
    )
    return BatchAnswerOut(reference=reference, refusal=refusal)
