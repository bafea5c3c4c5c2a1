"""Everything the demo made, judged by tools that are not ours: OpenSSL, pkilint, Poppler's pdfsig, pyHanko."""

import sqlite3
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from asn1crypto import x509
from cryptography.x509 import load_der_x509_certificate, load_pem_x509_certificate
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko_certvalidator import ValidationContext

from tests.journey.conftest import Demo, yinxin
from tests.support import ofd_cli
from tests.support.openssl import openssl
from yinxin import ofd
from yinxin.crypto import der
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.suite import SM

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
    """Whole chains of the intl suite; of the sm suite link by link, for OpenSSL takes the identifier for the leaf alone.

    Debian's OpenSSL knows no ML-DSA: the pq suite is judged by the one inside `cryptography`, link by link.
    """
    files = dict(authority_files(demo))
    named: dict[str, list[Path]] = {}
    judged: set[str] = set()
    for number, (authority, profile, data) in enumerate(certificates(demo)):
        file = tmp_path / f"{number}.pem"
        file.write_text(Certificate(data).pem, "ascii")
        if authority.startswith("pq"):
            issuer = load_pem_x509_certificate(
                (demo.data / "trust" / f"{authority.replace('-', '.')}.pem").read_bytes()
            )
            load_der_x509_certificate(data).verify_directly_issued_by(issuer)
            judged.add(authority)
            continue
        if profile == "root":
            its_own_signature(Certificate(data), tmp_path)
        else:
            named.setdefault(authority, []).append(file)
    assert set(named) == set(files)
    assert judged == {"pq-root", "pq-issuing"}
    for authority, members in named.items():
        if authority.startswith("sm"):
            how = (*SM2_ID, "-partial_chain", "-CAfile", files[authority])
        else:
            root, issuing = files["intl-root"], files["intl-issuing"]
            how = ("-x509_strict", "-check_ss_sig", "-CAfile", root, "-untrusted", issuing)
        said = openssl("verify", *how, *members)
        assert said.count(": OK") == len(members), said


def its_own_signature(root: Certificate, folder: Path) -> None:
    """A root's signature over itself, under its own key."""
    sm = root.public_key.suite is SM
    (folder / "tbs").write_bytes(root.tbs)
    (folder / "signature").write_bytes(der.octets_of_bits(der.elements(root.der)[2]))
    key = openssl("x509", "-inform", "DER", "-noout", "-pubkey", input=root.der)
    (folder / "key.pem").write_text(key, "ascii")
    how = ("-sm3", "-sigopt", SM2_ID[1]) if sm else ("-sha256",)
    where = ("-verify", folder / "key.pem", "-signature", folder / "signature", folder / "tbs")
    assert "Verified OK" in openssl("dgst", *how, *where)


def test_openssl_refuses_a_chain_of_the_other_suite(demo: Demo, tmp_path: Path) -> None:
    """The check above can fail."""
    data = next(data for authority, _, data in certificates(demo) if authority == "sm-issuing")
    file = tmp_path / "it.pem"
    file.write_text(Certificate(data).pem, "ascii")
    files = dict(authority_files(demo))
    openssl("verify", *SM2_ID, "-partial_chain", "-CAfile", files["sm-root"], file, status=2)
    openssl("verify", "-partial_chain", "-CAfile", files["sm-issuing"], file, status=2)  # another identifier


def test_pkilint_finds_no_error_in_any_certificate(demo: Demo) -> None:
    from tests.ca.test_lint import pkilint

    seen = set()
    for authority, profile, data in certificates(demo):
        if (authority, profile) in seen and profile == "person-signing" and len(seen) > 12:
            continue  # one of each profile and authority, and the first few of everything
        seen.add((authority, profile))
        assert pkilint(data) == [], Certificate(data).subject.text
    assert len(seen) >= 13


@pytest.mark.slow
def test_pkilint_finds_no_error_in_all_of_them(demo: Demo) -> None:
    from tests.ca.test_lint import pkilint

    for _, _, data in certificates(demo):
        assert pkilint(data) == [], Certificate(data).subject.text


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
        # it runs an event loop of its own, and another test of this process may have left one in this thread
        with ThreadPoolExecutor(max_workers=1) as thread:
            found = thread.submit(validate_pdf_signature, signature, context).result()
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


def test_a_checker_that_is_not_ours_accepts_the_sealed_ofd_and_its_text_is_the_pdfs(demo: Demo) -> None:
    """One content, placed once: both files say the same, the OFD under the national seal of the organ (SM2)."""
    file = demo.artifacts["sealed_ofd"]
    judged = ofd_cli.check(file)
    assert judged.returncode == 0, judged.stdout
    ours = "".join(line for page in ofd.text(file.read_bytes()) for line in page)
    command = ["pdftotext", demo.artifacts["sealed"], "-"]
    theirs = subprocess.run(command, check=True, capture_output=True).stdout.decode(errors="replace")
    assert sorted("".join(ours.split())) == sorted("".join(theirs.split()))


def test_the_sealed_ofd_is_verified_by_the_command_offline(demo: Demo) -> None:
    done = yinxin("verify", demo.artifacts["sealed_ofd"], "--trust", demo.data / "trust")
    assert done.status == 0, done
    for words in ("电子印章", "SM2-SM3", "签发了本文内容", "The seal"):
        assert words in done.out
