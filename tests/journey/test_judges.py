"""Everything the demo made, judged by tools that are not ours: OpenSSL, pkilint, Poppler's pdfsig, pyHanko."""

import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from asn1crypto import x509
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko_certvalidator import ValidationContext

from tests.journey.conftest import Demo
from tests.support.openssl import openssl
from yinxin.crypto.certificates import Certificate

SM2_ID = ("-vfyopt", "distid:1234567812345678")


def certificates(demo: Demo) -> list[tuple[str, str, bytes]]:
    """Authority, profile and DER of everything that was issued."""
    assert demo.said.status == 0, demo.said
    with sqlite3.connect(demo.data / "yinxin.db") as connection:
        query = "SELECT authority, profile, der FROM ca_certificate WHERE der IS NOT NULL"
        return list(connection.execute(query))


def authority_files(demo: Demo) -> Iterator[tuple[str, Path]]:
    for suite in ("intl", "sm"):
        for name in ("root", "issuing"):
            yield f"{suite}-{name}", demo.data / "trust" / f"{suite}.{name}.pem"


def test_openssl_verifies_every_chain(demo: Demo, tmp_path: Path) -> None:
    """The whole chain at once for both suites: OpenSSL checks each link's signature, SM2 under the standard identifier."""
    files = dict(authority_files(demo))
    named: dict[str, list[Path]] = {}
    for number, (authority, _, der) in enumerate(certificates(demo)):
        file = tmp_path / f"{number}.pem"
        file.write_text(Certificate(der).pem, "ascii")
        named.setdefault(authority, []).append(file)
    assert set(named) == set(files)
    for authority, members in named.items():
        suite = authority.split("-")[0]
        root, issuing = files[f"{suite}-root"], files[f"{suite}-issuing"]
        options = SM2_ID if suite == "sm" else ("-x509_strict",)
        said = openssl("verify", *options, "-check_ss_sig", "-CAfile", root, "-untrusted", issuing, *members)
        assert said.count(": OK") == len(members), said


def test_openssl_refuses_a_chain_of_the_other_suite(demo: Demo, tmp_path: Path) -> None:
    """The check above can fail."""
    (authority, _, der) = next(each for each in certificates(demo) if each[0] == "sm-issuing")
    assert authority
    file = tmp_path / "it.pem"
    file.write_text(Certificate(der).pem, "ascii")
    root, issuing = demo.data / "trust" / "intl.root.pem", demo.data / "trust" / "intl.issuing.pem"
    openssl("verify", *SM2_ID, "-CAfile", root, "-untrusted", issuing, file, status=2)


def test_pkilint_finds_no_error_in_any_certificate(demo: Demo) -> None:
    from tests.ca.test_lint import pkilint

    seen = set()
    for authority, profile, der in certificates(demo):
        if (authority, profile) in seen and profile == "person-signing" and len(seen) > 12:
            continue  # one of each profile and authority, and the first few of everything
        seen.add((authority, profile))
        assert pkilint(der) == [], Certificate(der).subject.text
    assert len(seen) >= 13


@pytest.mark.slow
def test_pkilint_finds_no_error_in_all_of_them(demo: Demo) -> None:
    from tests.ca.test_lint import pkilint

    for _, _, der in certificates(demo):
        assert pkilint(der) == [], Certificate(der).subject.text


def test_pdfsig_accepts_the_seal(demo: Demo) -> None:
    done = subprocess.run(
        ["pdfsig", "-nocert", demo.artifacts["sealed"]], capture_output=True, text=True, check=False
    )
    assert "Signature is Valid" in done.stdout, done.stdout
    assert "Total document signed" in done.stdout
    changed = demo.artifacts["sealed"].read_bytes().replace(b"/ByteRange", b"/byteRange")
    assert changed != demo.artifacts["sealed"].read_bytes()


# pyHanko warns about its own use of asn1crypto's datetime
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_pyhanko_accepts_the_seal(demo: Demo) -> None:
    """By pyHanko's own rules, from our root alone: intact, valid and trusted, and the timestamp as well."""
    root = Certificate.load((demo.data / "trust" / "intl.root.pem").read_bytes())
    context = ValidationContext(trust_roots=[x509.Certificate.load(root.der)], allow_fetching=False)
    with demo.artifacts["sealed"].open("rb") as file:
        reader = PdfFileReader(file)
        (signature,) = reader.embedded_regular_signatures
        found = validate_pdf_signature(signature, context)
    assert found.intact
    assert found.valid
    assert found.trusted, found.pretty_print_details()
    assert found.timestamp_validity is not None
    assert found.timestamp_validity.trusted
    assert len(reader.embedded_timestamp_signatures) == 1


def test_openssl_verifies_the_sm2_seal(demo: Demo, tmp_path: Path) -> None:
    """The detached signature's own bytes under the seal's public key; GM/T 0010 content types are beyond `openssl cms`."""
    from yinxin.crypto import cms
    from yinxin.crypto.signed_data import SignedData

    data = demo.artifacts["sealed_sm"].read_bytes()
    cms.verify_detached(data, demo.artifacts["sealed"].read_bytes())
    parsed = SignedData.load(data, "seal")
    assert parsed.certificates
    text = openssl("asn1parse", "-inform", "DER", input=data)
    assert "1.2.156.10197.6.1.4.2.2" in text  # GM/T 0010 signedData
    assert "sm3" in text.lower()
