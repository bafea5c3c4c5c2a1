"""A report by the whole platform: signed, checked by a stranger, by pdfsig and by pyHanko; forged in every part, refused.

Whoever may use the platform's seal can seal what she likes: what is inside is held against the log's own key.
"""

import io
import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from pyhanko.pdf_utils.reader import PdfFileReader

from audit.report.gather import gather
from audit.report.kinds import KINDS
from ops.auditing import SEAL
from ops.data import DataDirectory
from ops.platform import Platform
from tests.laws.province import client, identity
from yinxin import canonical, evidence, pdf, report
from yinxin.errors import YinxinError
from yinxin.evidence.compare import digests
from yinxin.evidence.errors import EvidenceMismatch

DAY = timedelta(days=1)
pytestmark = pytest.mark.engines("any")


@pytest.fixture(scope="module")
def platform(template, tmp_path_factory):
    folder = shutil.copytree(template, tmp_path_factory.mktemp("reports") / "data")
    with Platform.open(DataDirectory(folder)) as platform:
        yield platform


@pytest.fixture(scope="module")
def auditor(platform):
    with client(platform, "demo-auditor") as auditor:
        yield auditor


@pytest.fixture(scope="module")
def made(platform, auditor):
    """A report of the ceremony by which the province was founded."""
    now = platform.clock.now()
    return auditor.audit.make_report("rule-changes", now - DAY, now)["id"]


@pytest.fixture(scope="module")
def signed(auditor, made) -> bytes:
    return auditor.audit.report_file(made)


def _held(platform, data: bytes) -> list[str]:
    held = []
    trust = evidence.Trust.load(platform.data.path("trust"))
    report.verify(data, trust, at=datetime.now(UTC), held=held)
    return [each.en for each in held]


def test_a_stranger_hears_what_holds(platform, signed):
    assert report.is_report(signed)
    said = _held(platform, signed)
    assert [
        part in sentence
        for part, sentence in zip(("signature", "files", "making", "in the log"), said, strict=True)
    ] == [True] * 4


def test_others_read_the_signature_too(signed, tmp_path):
    """poppler's pdfsig and pyHanko's own reader: the signature is valid, and nothing came after it but proofs."""
    file = tmp_path / "report.pdf"
    file.write_bytes(signed)
    said = subprocess.run(["pdfsig", "-nocert", file], capture_output=True, text=True, check=False).stdout
    assert "Signature is Valid" in said
    assert "ETSI.CAdES.detached" in said
    first = PdfFileReader(io.BytesIO(signed)).embedded_signatures[0]
    first.compute_integrity_info()
    assert first.summarise_integrity_info()["docmdp_ok"] is True


def test_the_command_and_the_page_know_a_report(platform, signed, tmp_path):
    from click.testing import CliRunner

    from ops.cli.context import Context
    from ops.cli.verify import verify

    file = tmp_path / "report.pdf"
    file.write_bytes(signed)
    done = CliRunner().invoke(
        verify, [str(file), "--trust", str(platform.data.path("trust"))], obj=Context(data=platform.data.root)
    )
    assert done.exit_code == 0, done.output
    assert "记录了这份报告的编制" in done.output


def _forge(platform, inside: dict[str, bytes], name: str) -> dict[str, bytes]:
    """One thing changed inside, everything else made to fit it as far as the seal's holder can."""
    content = canonical.decode(inside["report.json"])
    lines = inside["entries.jsonl"].splitlines(keepends=True)
    match name:
        case "a cell":
            content["tables"][0]["rows"][0][4] = "somebody-else"
        case "a summary":
            content["summary"][0]["value"] = "0"
        case "an entry left out":
            proofs = canonical.decode(inside["proofs.json"])
            proofs["entries"], lines = proofs["entries"][1:], lines[1:]
            content |= {"entries": len(lines), "indexes": content["indexes"][1:]}
            inside["proofs.json"] = canonical.encode(proofs)
        case "an entry changed":
            lines[0] = lines[0].replace(b'"outcome":"done"', b'"outcome":"refused"')
        case "a file more":
            inside["more.txt"] = b"more"
        case "a table of other rows":
            inside["ledger.csv"] += b"1,2,3\r\n"
        case "another's record":
            inside["record.tlog-proof"] = platform.audit.settle(
                platform.audit.entries(before=1)[0].event
            ).encode()
    inside["entries.jsonl"] = b"".join(lines)
    if name in ("an entry left out", "an entry changed"):
        content["files"]["entries.jsonl"] = digests(inside["entries.jsonl"])
    inside["report.json"] = canonical.encode(content)
    return inside


@pytest.mark.parametrize(
    "name",
    [
        "a cell",
        "a summary",
        "an entry left out",
        "an entry changed",
        "a file more",
        "a table of other rows",
        "another's record",
    ],
)
def test_a_sealed_forgery_is_refused(platform, signed, name):
    inside = _forge(platform, pdf.attachments(signed), name)
    bare = _bare()
    files = [(each, "application/octet-stream", data) for each, data in inside.items()]
    forged = platform.audit.around.seal(bare, files, "forged")
    with pytest.raises(YinxinError) as refused:
        _held(platform, forged)
    assert refused.value.code in ("evidence.mismatch", "evidence.altered")


def test_pages_that_a_person_put_before_true_files_are_refused(platform, signed, monkeypatch):
    """Every file inside holds, and the pages say something else: nobody's signature but a platform's vouches for both."""
    clerk, around = identity(platform.data.root, "demo-clerk"), platform.audit.around
    signer, certified = platform.kms.signer, around._certified
    above = certified(SEAL).certificates[1:]
    own = SimpleNamespace(certificates=(clerk.certificate, *above))
    monkeypatch.setattr(platform.kms, "signer", lambda label: clerk.key if label == SEAL else signer(label))
    monkeypatch.setattr(around, "_certified", lambda label: own if label == SEAL else certified(label))
    files = [(name, "application/octet-stream", data) for name, data in pdf.attachments(signed).items()]
    forged = platform.audit.around.seal(_bare(), files, "forged")
    with pytest.raises(EvidenceMismatch, match="not by a platform"):
        _held(platform, forged)


def _bare() -> bytes:
    from weasyprint import HTML

    return HTML(string="<p>1</p>").write_pdf()


def test_no_octet_of_it_can_be_changed(platform, signed):
    """A bit in each of two dozen places: refused, whatever it is part of."""
    for number in range(24):
        data = bytearray(signed)
        data[(number * 7919 * 31) % len(data)] ^= 1
        with pytest.raises(YinxinError):
            evidence_or_report(platform, bytes(data))


def evidence_or_report(platform, data: bytes) -> None:
    trust = evidence.Trust.load(platform.data.path("trust"))
    check = report.verify if report.is_report(data) else evidence.verify
    check(data, trust, at=datetime.now(UTC), held=[])


def test_how_things_are_comes_from_the_modules(platform):
    now = platform.clock.now()
    tables = {}
    for kind in ("grants", "cryptography"):
        gathered = gather(platform.audit, KINDS[kind], now - DAY, now, None)
        tables |= {table.name: table.rows for table in gathered.tables}
    assert any("auditor" in row[3] for row in tables["holders"])
    assert tables["conflicts"] == (("无 none", ""),)
    assert {"log-ed25519", "intl-root", "intl-evidence"} <= {row[0] for row in tables["keys"]}
    assert any(row[:2] == ("intl-root", "issuing") for row in tables["certificates"])


def test_kinds_are_told_and_files_are_named(auditor, made):
    assert [each["name"] for each in auditor.audit.report_kinds()] == list(KINDS)
    shown = auditor.audit.report(made)
    assert shown["files"] == [
        "report.pdf",
        "entries.jsonl",
        "ledger.csv",
        "proofs.json",
        "record.tlog-proof",
        "report.json",
    ]
    assert [each["id"] for each in auditor.audit.reports("rule-changes")] == [made]
    begun = auditor.audit.schedule_report("refusals", "month")
    auditor.audit.end_schedule(begun["id"])
