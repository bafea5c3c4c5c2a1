"""Evidence by a hostile hand: what is no evidence of ours is refused by name, and no key serves for another's purpose.

Seen to fail when: `_organs_seal` does not look for the organ's code; `Bundle.of` writes the descriptor outside its try.
"""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.evidence.case import Case, verify
from tests.evidence.conftest import bundle, case
from tests.pdf.authority import AT
from yinxin import canonical, evidence, pdf
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.keys import Identity
from yinxin.errors import YinxinError
from yinxin.evidence.bundle import DESCRIPTOR

__all__ = ["bundle", "case"]


@pytest.mark.parametrize("facts", ["text", 5, None, True, ["x"], [["a"]], [["a", "b", "c"]]])
def test_a_descriptor_with_other_facts_is_refused(case: Case, bundle: evidence.Bundle, facts: object) -> None:
    """It is read before any signature: a stranger's file must not bring the verifier down."""
    refused_as_malformed(case, bundle, lambda body: body | {"facts": facts})


@pytest.mark.parametrize(
    "counts", [None, [], {}, {"acts": "4"}, {"acts": 10**15}, {"acts": -1}, {"acts": None}, {"acts": [4]}]
)
def test_a_descriptor_with_other_counts_is_refused(
    case: Case, bundle: evidence.Bundle, counts: object
) -> None:
    def change(body: dict[str, Any]) -> dict[str, Any]:
        return body | {"counts": body["counts"] | counts if isinstance(counts, dict) and counts else counts}

    refused_as_malformed(case, bundle, change)


@pytest.mark.parametrize("descriptor", [b"", b"[]", b"7", b"null", b'"x"', b"[" * 5000, b"{" * 5000, b"\xff"])
def test_a_descriptor_of_another_form_is_refused(
    case: Case, bundle: evidence.Bundle, descriptor: bytes
) -> None:
    refused_as_malformed(case, bundle, lambda _body: descriptor)


def refused_as_malformed(
    case: Case, bundle: evidence.Bundle, change: Callable[[dict[str, Any]], object]
) -> None:
    files = bundle.files()
    changed = change(json.loads(files[DESCRIPTOR]))
    files[DESCRIPTOR] = changed if isinstance(changed, bytes) else canonical.encode(changed)
    signature = case.intl.sign(case.keeper, evidence.container.manifest(files))
    with pytest.raises(YinxinError) as refusal:
        verify(case, evidence.container.pack(files, signature))
    assert refusal.value.code in ("evidence.malformed", "canonical.not_canonical")


def platform_key(case: Case) -> Identity:
    """The key that puts bundles together, with the purposes that its profile gives it."""
    return case.intl._issue(
        [("C", "CN"), ("O", "河源省政务信任平台"), ("CN", "证据签名")],
        case.intl.issuing,
        5,
        key_usage=frozenset({"digitalSignature", "contentCommitment"}),
        extended_key_usage=("documentSigning",),
    )


def test_the_platforms_evidence_key_seals_no_document(case: Case, bundle: evidence.Bundle) -> None:
    """Every registrar may have it sign; a page sealed with it would be the platform's own document."""
    inside = pdf.attachments(bundle.sealed)
    attached = [pdf.Attachment(name, "application/json", name, data) for name, data in inside.items()]
    forged = case.intl.seal_pdf(case.layout, attachments=attached, seal=platform_key(case))
    pdf.verify(forged, [case.intl.root.certificate], AT)  # the seal as such is in order
    with pytest.raises(evidence.EvidenceMismatch, match="organ's code"):
        verify(case, forged)


def test_the_demo_seals_name_their_organ(template: Any) -> None:
    """What the verifier asks of a seal is what the ceremony issues."""
    from tests.laws.province import opened

    with opened(template) as platform:
        found = platform.kms.key("seal-province-office-intl")
        chain = platform.ca.by_key(_digest(found.public_key.spki)).certificates
    seal: Certificate = chain[0]
    assert seal.subject.get("organizationIdentifier")


def _digest(spki: bytes) -> str:
    from yinxin.crypto.suite import INTL

    return INTL.hash.digest(spki).hex()
