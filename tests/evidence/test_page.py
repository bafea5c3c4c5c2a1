"""The verifier that is one page: its primitives by published vectors, hostile files in bounded time, and the page itself from a stick."""

import base64
import hashlib
import random
import re
import struct
import zipfile
from datetime import UTC, date, datetime
from io import BytesIO
from time import monotonic

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.evidence.case import AT
from tests.evidence.eras import YEAR, by_time, era
from tests.support.browser import PATIENCE, accessibility_faults
from yinxin import canonical
from yinxin.crypto.keys import PrivateKey
from yinxin.crypto.suite import SM3
from yinxin.evidence import container
from yinxin.evidence.page import NotOnePage, _scope, build
from yinxin.evidence.record import EvidenceRecord, Link
from yinxin.evidence.standalone import notes, paper, renewed, signature, tlv
from yinxin.evidence.standalone.saying import Broken, NotJudged
from yinxin.evidence.standalone.verify import Renewals

pytestmark = pytest.mark.engines("any")

#: seconds in which both refuse a hostile file, on a busy machine; the page stops itself after 120
BOUNDED = 30


@pytest.fixture(scope="module")
def keys(case):
    return [notes.Key.read(case.log.verifier.encode())]


def test_it_is_one_file_that_reaches_nothing():
    """Every script and style is named by its hash; nothing can be fetched, and nothing would fetch."""
    made = build()
    assert made == build()
    text = made.decode()
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]+)"', text)[1]
    rules = dict(each.split(" ", 1) for each in policy.split("; "))
    assert rules["default-src"] == rules["connect-src"] == "'none'"
    for kind, tag in (("script-src", "script"), ("style-src", "style")):
        found = [each.encode() for each in re.findall(rf"<{tag}[^>]*>(.*?)</{tag}>", text, re.DOTALL)]
        hashes = [f"'sha256-{base64.b64encode(hashlib.sha256(each).digest()).decode()}'" for each in found]
        assert rules[kind].split() == hashes
    assert not re.search(r"\b(fetch|import|eval|Function|XMLHttpRequest|WebSocket|sendBeacon)\(", text)
    assert not re.search(r"""\b(src|href)=["']?(?!["']?#)""", text)


def test_a_module_in_another_form_makes_no_page():
    for text in ("import x from './y.js';\n", "export default 1;\n", "export * from './y.js';\n"):
        with pytest.raises(NotOnePage):
            _scope("engine/x.js", text)


# GB/T 32918.5 annex A.2, the signature on the recommended curve with the usual identifier: key, r, s
SM2 = (
    (
        "09f9df311e5421a150dd7d161e4bc5c672179fad1833fc076bb08ff356f35020"
        "ccea490ce26775a52dc6ea718cc1aa600aed05fbf35e084a6632f6072da9ad13"
    ),
    "f5a03b0648d2c4630eeac513e1bb81a15944da3827d5b74143ac7eaceee720b3",
    "b1b6aa29df212fd8763182bc0d421ca1bb9038fd1f7f42d4840b69c485bbc1aa",
)


def test_published_vectors(alone):
    # GM/T 0004 annex A.1 and A.2
    for message, digest in (
        (b"abc", "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"),
        (b"abcd" * 16, "debe9ff92275b8a138604889c18e5a4d6fdb70e5387e5765293dcba39c0c5732"),
    ):
        assert alone.call("sm3.sm3", message).hex() == digest
    point, r, s = map(bytes.fromhex, SM2)
    spki = bytes.fromhex("3059301306072a8648ce3d020106082a811ccf5501822d03420004") + point
    signed = tlv.written(0x30, b"\x02\x21\0" + r + b"\x02\x21\0" + s)
    assert alone.call("signature.holds", spki, ["sm2", "sm3"], signed, b"message digest") is True
    assert alone.call("signature.holds", spki, ["sm2", "sm3"], signed, b"message digesu") is False


def test_hashes_and_signatures_agree(alone):
    """Of every family: good ones, each kind of change, numbers out of range, and keys made to keep their reader busy."""
    chance = random.Random(5)
    for size in (0, 1, 55, 56, 64, 119, 200):
        data = chance.randbytes(size)
        assert alone.call("sm3.sm3", data) == SM3.digest(data)
        for name in ("sha256", "sha384", "sha512"):
            assert alone.call("signature.digest", name, data) == hashlib.new(name, data).digest()
    made = [PrivateKey.generate(each) for each in ("ecdsa-p256", "ecdsa-p384", "sm2")]
    made.append(PrivateKey(rsa.generate_private_key(65537, 2048)))
    for key in made:
        spki, signed = key.public_key.spki, key.sign(b"message")
        used = signature.used(key.public_key.signature_algorithm.identifier)
        assert alone.call("signature.kindOf", spki) == signature.kind_of(spki)
        tries = [(signed, b"another"), (b"", b"message"), (signed + b"\0", b"message")]
        tries += [
            (signed[:at] + bytes((signed[at] ^ 1,)) + signed[at + 1 :], b"message") for at in (0, 1, 3, 9, -1)
        ]
        tries += [(bytes.fromhex(each), b"message") for each in ("3006020100020100", "3006020101020101")]
        assert alone.call("signature.holds", spki, used, signed, b"message") is True
        for given, message in tries:
            assert alone.call("signature.holds", spki, used, given, message) == _held(
                spki, used, given, message
            )
        other = ("rsa", "sha256") if used[0] != "rsa" else ("ec", "sha256")
        assert alone.call("signature.holds", spki, other, signed, b"message") is False
    began = monotonic()
    for modulus, exponent in ((1 << 100_001) + 1, 65537), ((1 << 16_383) + 1, (1 << 2_000_000) + 1):
        spki = _rsa(modulus, exponent)
        given = bytes((modulus.bit_length() + 7) // 8)
        assert signature.holds(spki, ("rsa", "sha256"), given, b"message") is False
        assert alone.call("signature.holds", spki, ["rsa", "sha256"], given, b"message") is False
    assert monotonic() - began < BOUNDED


def _held(spki, used, signed, message):
    try:
        return signature.holds(spki, used, signed, message)
    except ValueError:
        return "Malformed"


def _rsa(modulus, exponent):
    numbers = b"".join(
        tlv.written(2, each.to_bytes(each.bit_length() // 8 + 1, "big")) for each in (modulus, exponent)
    )
    algorithm = bytes.fromhex("300d06092a864886f70d0101010500")
    return tlv.written(0x30, algorithm + tlv.written(3, b"\0" + tlv.written(0x30, numbers)))


def test_no_byte_of_a_bundle_changes_unnoticed(alone, packed, keys):
    """Of its headers and its files; and where the manifest and all checksums were made to fit, what is said is the same."""
    assert alone.verify(packed, keys, None)
    chance = random.Random(6)
    places = [*range(30), *range(len(packed) - 60, len(packed), 3), *chance.sample(range(len(packed)), 30)]
    for at in places:
        with pytest.raises(Broken):
            alone.verify(
                packed[:at] + bytes((packed[at] ^ 1 << chance.randrange(8),)) + packed[at + 1 :], keys, None
            )
    for changed in (packed[:-1], packed + b"\0", b"\0" + packed, packed[:100], b"PK"):
        with pytest.raises(Broken):
            alone.verify(changed, keys, None)


def test_a_bundle_packed_anew_is_judged_by_its_parts(alone, bundle, keys):
    """Anybody may make manifest and checksums fit; whatever each verifier says then, both say."""
    files, chance = bundle.files(), random.Random(7)
    body = canonical.decode(files["evidence.json"])
    named = {"a \"b'.txt": b"x", "ü&<>.txt": b"y", "\U0002cc50.txt": b"z"}
    assert alone.verify(container.pack(files | named, b"of nobody"), keys, None)
    strange = [{}, {"counts": {"log": True}}, {"counts": {"log": 1, "records": 1}}, {"subject": 5}]
    for change in strange:
        with pytest.raises(Broken):
            alone.verify(
                container.pack(
                    files | {"evidence.json": canonical.encode(body | change if change else [])}, b"of nobody"
                ),
                keys,
                None,
            )
    proof = files["log/01.tlog-proof"]
    for at in chance.sample(range(len(proof)), 40):
        changed = proof[:at] + bytes((proof[at] ^ 1 << chance.randrange(8),)) + proof[at + 1 :]
        data = container.pack(files | {"log/01.tlog-proof": changed}, b"of nobody")
        try:
            said = alone.verify(data, keys, None)
        except Broken:
            continue
        # another log's name: told that it was not judged, and one entry fewer
        assert any(isinstance(each, NotJudged) and "1 entries are in logs" in each[1] for each in said)
    parts, manifest = files | {"META-INF/signature001.p7s": b"of nobody"}, container.manifest(files)
    for other in (
        manifest,
        manifest + b"\n",
        manifest.replace(b"<asic:Data", b" <asic:Data", 1),
        b"",
        b"\xff",
    ):
        data = container._zip(parts | {"META-INF/ASiCManifest001.xml": other})
        if other == manifest:
            assert alone.verify(data, keys, None)
            continue
        with pytest.raises(Broken):
            alone.verify(data, keys, None)
    # to whoever reads loosely, an octet that is no text is the sign for one
    parts |= {"\ufffd.txt": b"x"}
    manifest = container.manifest(files | {"\ufffd.txt": b"x"}).replace("\ufffd".encode(), b"\xff")
    data = container._zip(parts | {"META-INF/ASiCManifest001.xml": manifest})
    with pytest.raises(Broken):
        alone.verify(data, keys, None)


@pytest.fixture(scope="module")
def dated(packed):
    """A file with a record of two links, by RSA and by ECDSA on P-384, and the roots."""
    first, second = era("ecdsa", AT, 25), era("p384", AT, 25)
    record = by_time(EvidenceRecord(((first.link(packed, AT),),)), second, AT, before=first)
    return record.encode(), [paper.Certificate(each.root.der) for each in (first, second)]


def judged_by(roots, record):
    return Renewals(roots, renewed.Ages({}), (record, AT))


def test_a_record_of_algorithms_that_are_not_known_is_refused(alone, packed, keys):
    """ML-DSA is for `yinxin verify`: it is said so, and nothing is passed over."""
    by = era("pq", AT, 25)
    record = EvidenceRecord(((by.link(packed, AT),),)).encode()
    with pytest.raises(Broken, match="use yinxin verify"):
        alone.verify(packed, keys, None, judged_by([paper.Certificate(by.root.der)], record))


def test_a_certificate_without_an_end(alone):
    """RFC 5280 4.1.2.5 writes it as the last second of 9999, after which the Python file's calendar has none. Seen to fail there."""
    at = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC) - 30 * YEAR
    by = era("ecdsa", at, 25)
    record = EvidenceRecord(((by.link(b"x", at),),)).encode()
    ages = renewed.Ages(dict.fromkeys(renewed._PUBLISHED, date(9999, 12, 30)))
    trust = Renewals([paper.Certificate(by.root.der)], ages, (record, at + YEAR))
    assert "link 1 of the chain" in alone.verify(b"x", [], None, trust)[0][1]


def hostile():
    """Files made to keep their reader busy: what they are, and the octets."""
    deflated, many = BytesIO(), BytesIO()
    with zipfile.ZipFile(deflated, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", bytes(30 << 20))
    with zipfile.ZipFile(many, "w") as archive:
        for number in range(2000):
            archive.writestr(f"{number}", b"")
    yield "deflated", deflated.getvalue()
    yield "many files", many.getvalue()
    yield (
        "a length beyond the end",
        struct.pack("<4sHHHHHIIIHH", b"PK\3\4", 20, 0, 0, 0, 33, 0, 2**32 - 1, 2**32 - 1, 8, 0),
    )
    yield "deep arrays", b'{"begin":' + b"[" * 200_000
    yield "deep objects", b'{"checkpoint":' * 100_000
    yield "a number without end", b'{"begin":' + b"9" * 2_000_000 + b"}"
    yield "a way without end", b"c2sp.org/tlog-proof@v1\nextra AA==\nindex 0\n" + b"AA==\n" * 300_000 + b"\n"
    yield (
        "lines without end",
        b"c2sp.org/tlog-proof@v1\nextra AA==\nindex 0\n\nx\n1\nAA==\n\n"
        + "\u2014 a AAAAAAA=\n".encode() * 100_000,
    )


@pytest.mark.parametrize(
    ("what", "data"), list(hostile()), ids=lambda each: each if isinstance(each, str) else ""
)
def test_hostile_files_are_refused_in_bounded_time(alone, keys, what, data):
    began = monotonic()
    with pytest.raises(Broken):
        alone.verify(data, keys, None)
    assert monotonic() - began < BOUNDED, what


def test_hostile_records_are_refused_in_bounded_time(alone, packed, keys, dated):
    nested = b"\x05\0"
    for _ in range(2000):
        nested = tlv.written(0x30, nested)
    record, roots = dated
    wide = tlv.written(0x30, b"\x05\0" * 200_000)
    for each in (b"", b"\x30", nested, wide, b"\x30\x84\xff\xff\xff\xff", record + b"\0", bytes(1 << 20)):
        began = monotonic()
        with pytest.raises(Broken, match="malformed"):
            alone.verify(packed, keys, None, judged_by(roots, each))
        assert monotonic() - began < BOUNDED
    assert alone.verify(packed, keys, None, judged_by(roots, record))


def among_certificates(record, element):
    """The record with an element more among the certificates of its first token, which nobody's signature holds."""
    head, hashes, chains = tlv.children(record)
    (chain,) = tlv.children(chains)
    first, *others = tlv.children(chain)
    *fields, token = tlv.children(first)
    kind, wrapped = tlv.children(token)
    signed = tlv.children(tlv.inside(wrapped))
    at = next(place for place, each in enumerate(signed) if each[0] == 0xA0)
    signed[at] = tlv.written(0xA0, tlv.inside(signed[at]) + element)
    token = tlv.written(0x30, kind + tlv.written(0xA0, tlv.written(0x30, b"".join(signed))))
    first = tlv.written(0x30, b"".join((*fields, token)))
    chains = tlv.written(0x30, tlv.written(0x30, b"".join((first, *others))))
    return tlv.written(0x30, head + hashes + chains)


def test_how_deep_a_record_may_be(alone, packed, keys):
    by = era("ecdsa", AT, 25)
    record = EvidenceRecord(((by.link(packed, AT),),)).encode()
    roots, held = [paper.Certificate(by.root.der)], 0
    for depth in range(36, 56, 3):
        nested = b"\x05\0"
        for _ in range(depth):
            nested = tlv.written(0xA2, nested)
        try:
            alone.verify(packed, keys, None, judged_by(roots, among_certificates(record, nested)))
        except Broken:
            continue
        held += 1
    assert 0 < held < 7


@pytest.mark.slow
def test_certificates_that_lead_in_circles_are_refused_in_bounded_time(alone, packed, keys):
    """Twelve of one name and key, each signed by all: four million ways. Seen to fail without the bound in the page."""
    by, other = era("ecdsa", AT, 25), era("ecdsa", AT, 25)
    circle = [
        by._issue("根 ecdsa", by.key, AT, 30, key_usage={"keyCertSign", "cRLSign"}, ca=True).der
        for _ in range(12)
    ]
    link = by.link(packed, AT)
    record = EvidenceRecord(((Link(link.token, (), tuple(circle), link.crls),),)).encode()
    began = monotonic()
    with pytest.raises(Broken, match="too many ways"):
        alone.verify(packed, keys, None, judged_by([paper.Certificate(other.root.der)], record))
    assert monotonic() - began < BOUNDED


@pytest.mark.slow
def test_every_byte_of_a_proof_and_a_record(alone, bundle, packed, keys, dated):
    """Each changed in one bit: both say the same of it, whatever that is."""
    chance = random.Random(9)
    proof, (record, roots) = bundle.proofs[0], dated
    for at in range(len(proof)):
        changed = proof[:at] + bytes((proof[at] ^ 1 << chance.randrange(8),)) + proof[at + 1 :]
        with pytest.raises(Broken):
            alone.verify(changed, keys, None)
    refused, places = 0, range(0, len(record), 3)
    for at in places:
        changed = record[:at] + bytes((record[at] ^ 1 << chance.randrange(8),)) + record[at + 1 :]
        try:
            alone.verify(packed, keys, None, judged_by(roots, changed))
        except Broken:
            refused += 1
    assert refused > len(places) * 0.5


@pytest.fixture
def stick(browser, tmp_path):
    """The page, opened from a folder by a browser without a network."""
    path = tmp_path / "yinxin-verify.html"
    path.write_bytes(build())
    context = browser.new_context(locale="zh-CN", offline=True)
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    said = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(path.as_uri())
    yield page
    assert said == []
    context.close()


def dropped(page, files):
    """Let go of over the page, as from a folder; then checked."""
    given = [[name, base64.b64encode(data).decode()] for name, data in files.items()]
    transfer = page.evaluate_handle(
        """given => {
            const transfer = new DataTransfer();
            for (const [name, octets] of given) {
                transfer.items.add(new File([Uint8Array.from(atob(octets), each => each.charCodeAt(0))], name));
            }
            return transfer;
        }""",
        given,
    )
    page.dispatch_event("body", "drop", {"dataTransfer": transfer})
    page.click("#go")
    page.wait_for_selector("#result:not([hidden])")
    return page.inner_text("#result")


def test_a_judge_opens_it_from_a_stick(stick, case, packed, dated):
    """From a file without a network: a good bundle, a changed one, both languages, by keyboard names, and on a telephone."""
    record, roots = dated
    trust = {"log.vkey": case.log.verifier.encode().encode(), "roots.pem": _pem(roots)}
    stick.click("#go")
    assert stick.inner_text("#file-error") == "请选择要核验的文件。"
    assert stick.evaluate("document.activeElement.id") == "file"
    told = dropped(stick, {"a.asice": packed, "a.ers": record} | trust)
    assert "所判断的都成立" in told
    assert "续期链第 1 环" in told
    assert hashlib.sha256(packed).hexdigest() in told
    assert stick.evaluate("document.activeElement.id") == "result"
    assert accessibility_faults(stick) == []
    stick.click("#en")
    assert stick.title() == "Offline verification · Yinxin 印信"
    told = stick.inner_text("#result")
    assert "Everything that was judged holds" in told
    assert "不由本程序判断" not in told
    assert stick.locator("li.unjudged").count() == 2
    changed = packed[:-300] + bytes((packed[-300] ^ 1,)) + packed[-299:]
    stick.set_viewport_size({"width": 360, "height": 740})
    told = dropped(stick, {"b.asice": changed})
    assert told.startswith("✗ This does not hold")
    assert "its timestamp is over other data" in told
    assert "✓" not in told
    told = dropped(stick, {"b.asice": packed, "log.vkey": b"no key"})
    assert told.startswith("✗ This cannot be checked")
    assert stick.evaluate("document.documentElement.scrollWidth") <= 360
    assert accessibility_faults(stick) == []
    stick.emulate_media(color_scheme="dark")
    assert accessibility_faults(stick) == []


def _pem(certificates):
    return b"".join(
        b"-----BEGIN CERTIFICATE-----\n" + base64.encodebytes(each.der) + b"-----END CERTIFICATE-----\n"
        for each in certificates
    )
