"""A sealed OFD: a judge that is not ours, every part's change named, and what else a seal can fail by."""

import base64
from datetime import timedelta

import pytest

from tests.ofd.conftest import made_seal, proofs
from tests.pdf.authority import AT
from tests.support import ofd_cli
from yinxin import ofd
from yinxin.crypto import seal as seals
from yinxin.ofd import package, read

DAY = timedelta(days=1)


@pytest.fixture
def roots(authority):
    return [authority.root.certificate]


def changed(data: bytes, path: str, change) -> bytes:
    parts = package.unpack(data)
    parts[path] = change(parts[path])
    return package.pack(parts)


def test_what_is_sealed_holds_and_says_by_whom_and_where(sealed, roots, layout, authority):
    (by,) = ofd.verify(sealed, roots, AT + 400 * DAY)
    assert (by.name, by.certificate, by.at) == ("河源省人民政府", authority.seal.certificate, AT)
    assert by.stamps[0].page == layout.seal.page
    assert (by.stamps[0].x, by.stamps[0].width) == pytest.approx((layout.seal.x_mm, 42))
    assert ofd.attachments(sealed)["content.json"] == b'{"title":"x"}'
    assert ofd.text(sealed) == ofd.text(layout.ofd)


def test_a_checker_that_is_not_ours_accepts_it_and_finds_a_changed_page(sealed, tmp_path):
    good, bad = tmp_path / "good.ofd", tmp_path / "bad.ofd"
    good.write_bytes(sealed)
    page = "Doc_0/Pages/Page_0/Content.xml"
    bad.write_bytes(changed(sealed, page, lambda data: data.replace("通知".encode(), "决定".encode())))
    assert ofd_cli.check(good).returncode == 0, ofd_cli.check(good).stdout
    judged = ofd_cli.check(bad)
    assert judged.returncode != 0
    assert page in judged.stdout + judged.stderr


def test_a_change_in_any_part_is_found_and_named(sealed, roots):
    """Seen to fail when the parts that a signature does not name are let pass, and when a digest is not compared."""
    parts = package.unpack(sealed)
    assert len(parts) > 12
    for path in parts:
        with pytest.raises((ofd.OfdAltered, ofd.OfdMalformed, ofd.OfdSealUntrusted)) as refused:
            ofd.verify(
                changed(sealed, path, lambda data: data[:-2] + bytes([data[-2] ^ 1]) + data[-1:]), roots, AT
            )
        assert path in str(refused.value) or path.endswith("SignedValue.dat"), path


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("Doc_0/Pages/Page_1/Content.xml", "第 2 页"),
        ("OFD.xml", "标题、作者、日期"),
        ("Doc_0/Attachs/content.json", "所附文件 content.json"),
        ("Doc_0/Document.xml", "页序"),
    ],
)
def test_the_changed_place_is_named_in_words(sealed, roots, path, words):
    with pytest.raises(ofd.OfdAltered) as refused:
        ofd.verify(changed(sealed, path, lambda data: data + b" "), roots, AT)
    assert words in refused.value.text("zh")


def test_a_part_added_or_taken_away_is_found(sealed, roots):
    parts = package.unpack(sealed)
    with pytest.raises(ofd.OfdAltered, match="does not cover"):
        ofd.verify(package.pack(parts | {"Doc_0/Pages/Page_0/Annot.xml": b"<x/>"}), roots, AT)
    font = next(path for path in parts if path.endswith(".otf"))
    with pytest.raises(ofd.OfdAltered, match="gone"):
        ofd.verify(package.pack({name: data for name, data in parts.items() if name != font}), roots, AT)


def test_the_seal_of_another_document_does_not_fit(sealed, roots, put_on, layout):
    """Signature and value of one package in another: each part is genuine, together they are refused."""
    other = put_on(more=(ofd.Attachment("content.json", b'{"title":"y"}'),))
    parts, strange = package.unpack(sealed), package.unpack(other)
    value, described = "Doc_0/Signs/Sign_0/SignedValue.dat", "Doc_0/Signs/Sign_0/Signature.xml"
    with pytest.raises(ofd.OfdAltered, match=r"Signature\.xml"):
        ofd.verify(package.pack(parts | {value: strange[value]}), roots, AT)
    with pytest.raises(ofd.OfdAltered, match=r"content\.json"):
        ofd.verify(package.pack(parts | {value: strange[value], described: strange[described]}), roots, AT)


def test_the_picture_that_is_shown_is_the_seals_own(authority, maker, layout, roots):
    """A sealer who shows another picture than that of the seal that she used is found out."""
    mine, shown = made_seal(authority, maker), made_seal(authority, maker, name="另一机关")
    real = seals.signature.build

    def with_another(seal, *given, **named):
        return real(mine, *given, **named)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(seals.signature, "build", with_another)
        data = ofd.seal(
            layout.ofd, shown, authority.seal, at=AT, timestamp=authority.token, attachments=proofs(authority)
        )
    with pytest.raises(ofd.OfdAltered, match="the seal that is shown"):
        ofd.verify(data, roots, AT)


def test_without_a_root_or_a_timestamp_or_before_its_time_a_seal_is_not_trusted(sealed, put_on, roots, maker):
    for data, anchors, at in (
        (sealed, [maker.certificate], AT),
        (put_on(timestamp=None), roots, AT),
        (sealed, roots, AT - DAY),
    ):
        with pytest.raises(ofd.OfdSealUntrusted):
            ofd.verify(data, anchors, at)


def test_without_its_proofs_a_seal_is_not_trusted(layout, authority, maker, roots):
    seal = made_seal(authority, maker)
    bare = ofd.seal(layout.ofd, seal, authority.seal, at=AT, timestamp=authority.token)
    with pytest.raises(ofd.OfdSealUntrusted):
        ofd.verify(bare, roots, AT)


def test_a_page_without_a_seal_is_no_sealed_one(layout, roots):
    with pytest.raises(ofd.OfdNotSealed):
        ofd.verify(layout.ofd, roots, AT)


def test_a_sealed_one_is_not_sealed_again(sealed, authority, maker):
    with pytest.raises(ofd.OfdSealedAlready):
        ofd.seal(sealed, made_seal(authority, maker), authority.seal, at=AT, timestamp=None)


def test_two_seals_one_after_the_other_both_hold(sealed, roots, authority):
    """As other makers put a second seal on: the first does not cover the list of signatures, nor what came after it."""
    parts = package.unpack(sealed)
    listing = "Doc_0/Signs/Signatures.xml"
    first = parts["Doc_0/Signs/Sign_0/Signature.xml"].decode()
    entry = f'<ofd:Reference FileRef="/{listing}">'
    begin = first.index(entry)
    first = first[:begin] + first[first.index("</ofd:Reference>", begin) + len("</ofd:Reference>") :]
    seal = seals.read(parts["Doc_0/Signs/Sign_0/Seal.esl"])

    def signed(described: bytes, path: str) -> bytes:
        return seals.signature.build(
            seal, authority.seal, described, scope=f"/{path}", at=AT, timestamp=authority.token
        )

    place = "Doc_0/Signs/Sign_0/Signature.xml"
    parts |= {place: first.encode(), "Doc_0/Signs/Sign_0/SignedValue.dat": signed(first.encode(), place)}
    parts[listing] = parts[listing].replace(
        b"</ofd:Signatures>",
        b'<ofd:Signature ID="2" Type="Seal" BaseLoc="/Doc_0/Signs/Sign_1/Signature.xml"/></ofd:Signatures>',
    )
    second = first.replace("Sign_0", "Sign_1")
    listed = "".join(
        f'<ofd:Reference FileRef="/{path}"><ofd:CheckValue>{_digest(authority, parts[path])}</ofd:CheckValue></ofd:Reference>'
        for path in sorted(parts)
    )
    begin, end = second.index("<ofd:Reference "), second.rindex("</ofd:Reference>") + len("</ofd:Reference>")
    second = (second[:begin] + listed + second[end:]).replace(
        "<ofd:BaseLoc>/Doc_0/Signs/Sign_1/Seal.esl", "<ofd:BaseLoc>/Doc_0/Signs/Sign_0/Seal.esl"
    )
    place = "Doc_0/Signs/Sign_1/Signature.xml"
    parts |= {place: second.encode(), "Doc_0/Signs/Sign_1/SignedValue.dat": signed(second.encode(), place)}
    twice = package.pack(parts)
    assert [each.path for each in read.signatures(read.opened(twice))][1] == place
    assert len(ofd.verify(twice, roots, AT)) == 2
    added = package.pack(parts | {"Doc_0/Signs/Sign_2/Signature.xml": b"<x/>"})
    with pytest.raises(ofd.OfdAltered, match="Sign_2"):
        ofd.verify(added, roots, AT)


def test_organs_seal_one_after_the_other_and_the_last_one_closes_it(
    layout, authority, maker, roots, tmp_path
):

    def put(data, **more):
        seal = made_seal(authority, maker)
        return ofd.seal(data, seal, authority.seal, at=AT, timestamp=authority.token, **more)

    first = put(layout.ofd, attachments=proofs(authority), closing=False)
    with pytest.raises(ofd.OfdAltered, match=r"签名列表|list of signatures"):
        ofd.verify(first, roots, AT)  # it is not closed
    second = put(first, closing=False, proofs=[ofd.Attachment("proof-01.crl", proofs(authority)[-1].data)])
    whole = put(second)
    assert len(ofd.verify(whole, roots, AT + 400 * DAY)) == 3
    with pytest.raises(ofd.OfdSealedAlready):
        put(whole)
    parts = package.unpack(whole)
    for path in (
        "Doc_0/Pages/Page_0/Content.xml",
        "Doc_0/Signs/Sign_0/Signature.xml",
        "Doc_0/Signs/Sign_1/proof-01.crl",
    ):
        with pytest.raises((ofd.OfdAltered, ofd.OfdMalformed, ofd.OfdSealUntrusted)):
            ofd.verify(package.pack(parts | {path: parts[path] + b" "}), roots, AT)
    # what comes between, and the last one covers, the first ones do not: only what seals are judged by may
    page = package.pack(package.unpack(second) | {"Doc_0/Signs/Sign_1/Page.xml": b"<x/>"})
    with pytest.raises(ofd.OfdAltered, match=r"Page\.xml"):
        ofd.verify(put(page), roots, AT)
    file = tmp_path / "whole.ofd"
    file.write_bytes(whole)
    assert ofd_cli.check(file).returncode == 0, ofd_cli.check(file).stdout


def test_a_file_made_to_keep_its_reader_busy_is_refused_at_once(sealed, roots):
    """A signature listed over and over has every part digested as often, and small elements fill the memory as a tree.

    Seen to fail when neither is bounded.
    """
    listing = "Doc_0/Signs/Signatures.xml"
    entry = b'<ofd:Signature ID="1" Type="Seal" BaseLoc="/Doc_0/Signs/Sign_0/Signature.xml"/>'
    many = b"".join(entry.replace(b"Sign_0", b"Sign_%d" % number) for number in range(51))
    for path, change, words in (
        (listing, lambda data: data.replace(b"</ofd:Signatures>", entry + b"</ofd:Signatures>"), "twice"),
        (listing, lambda data: data.replace(b"</ofd:Signatures>", many + b"</ofd:Signatures>"), "more than"),
        ("OFD.xml", lambda data: data.replace(b"</ofd:OFD>", b"<a/>" * (1 << 20) + b"</ofd:OFD>"), "octets"),
    ):
        with pytest.raises(ofd.OfdMalformed, match=words):
            ofd.verify(changed(sealed, path, change), roots, AT)


def _digest(authority, data: bytes) -> str:
    return base64.b64encode(authority.suite.hash.digest(data)).decode()
