"""The container: not one byte, file, name or header can change, and no zip trick is fallen for."""

import struct
import zipfile
import zlib
from io import BytesIO

import pytest

from tests.evidence.case import AT, verify
from yinxin import evidence
from yinxin.errors import YinxinError
from yinxin.evidence import container


def flip(data, place):
    return data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]


def test_no_byte_of_headers_manifest_and_signature_can_change(packed):
    """All of these, and of the other files every so many. `unpack` is the first thing that `verify` does."""
    every = set(range(len(packed)))
    for info in zipfile.ZipFile(BytesIO(packed)).infolist():
        if info.filename != "mimetype" and not info.filename.startswith("META-INF/"):
            start = info.header_offset + 30 + len(info.filename)
            inside = range(start, start + info.file_size)
            every -= set(inside) - set(inside[:: 29 if len(inside) < 20_000 else 4999])
    for place in sorted(every):
        try:
            container.unpack(flip(packed, place))
        except YinxinError:
            continue
        pytest.fail(f"byte {place} of {len(packed)} may change")
    assert len(every) > 9000


def test_the_whole_verification_refuses_flipped_bytes_too(case, packed):
    for place in range(7, len(packed), len(packed) // 150):
        with pytest.raises(YinxinError):
            verify(case, flip(packed, place))


def test_cut_anywhere(case, packed):
    for end in range(0, len(packed), len(packed) // 60):
        with pytest.raises(YinxinError):
            verify(case, packed[:end])


def members(packed):
    with zipfile.ZipFile(BytesIO(packed)) as archive:
        return {info.filename: archive.read(info) for info in archive.infolist()}


def rezipped(files):
    """The same way of writing as ours, whatever the files."""
    rest = {name: data for name, data in files.items() if name != "mimetype"}
    return container._zip(rest)


def test_our_own_spelling_is_the_zip_we_wrote(packed):
    assert rezipped(members(packed)) == packed


def test_every_file_is_needed(case, packed):
    whole = members(packed)
    for name in whole:
        if name == "mimetype":
            continue
        with pytest.raises((evidence.MalformedEvidence, evidence.EvidenceAltered)) as caught:
            verify(case, rezipped({each: data for each, data in whole.items() if each != name}))
        assert name in caught.value.text("zh")


def test_a_file_too_many(case, packed, bundle):
    with pytest.raises(evidence.EvidenceAltered, match=r"more\.txt"):
        verify(case, rezipped(members(packed) | {"more.txt": b"x"}))
    files = bundle.files() | {"more.txt": b"x"}
    data = container.pack(files, case.intl.sign(case.keeper, container.manifest(files)))
    with pytest.raises(evidence.MalformedEvidence, match="too many"):
        verify(case, data)


def test_a_changed_file_is_named(case, packed):
    changed = members(packed) | {"acts/02.json": b"{}"}
    with pytest.raises(evidence.EvidenceAltered, match=r"acts/02\.json"):
        verify(case, rezipped(changed))


def test_files_swapped_are_named(case, packed):
    whole = members(packed)
    swapped = whole | {"acts/02.json": whole["acts/03.json"], "acts/03.json": whole["acts/02.json"]}
    with pytest.raises(evidence.EvidenceAltered, match=r"acts/02\.json"):
        verify(case, rezipped(swapped))


def test_a_manifest_that_fits_but_was_not_signed(case, packed, bundle):
    files = bundle.files() | {"acts/02.json": bundle.acts[2].statement}
    with pytest.raises(YinxinError):
        verify(case, container.pack(files, members(packed)[container.SIGNATURE]))


@pytest.mark.parametrize(
    "text",
    [b"", b"<a", b"<a/>", b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', b"\xff\xfe\x00"],
)
def test_another_manifest(case, packed, text):
    with pytest.raises((evidence.MalformedEvidence, evidence.EvidenceAltered)):
        verify(case, rezipped(members(packed) | {container.MANIFEST: text}))


@pytest.mark.parametrize(
    "descriptor",
    [
        b"{}",
        b"[]",
        b"1",
        b'{"counts":1,"facts":{},"subject":"x","v":1}',
        b'{"counts":{"acts":-1,"certificates":0,"log":0,"revocation":0},"facts":{},"subject":"x","v":1}',
        b'{"counts":{"acts":"4","certificates":0,"log":0,"revocation":0},"facts":{},"subject":"x","v":1}',
        b'{"counts":{"acts":999999999999,"certificates":0,"log":0,"revocation":0},"facts":{},"subject":"x","v":1}',
        b'{"counts":{"acts":0,"certificates":0,"log":0,"revocation":0},"facts":[],"subject":"x","v":1}',
        b'{"counts":{"acts":0,"certificates":0,"log":0,"revocation":0},"facts":{},"subject":"x","v":2}',
        b"not json",
    ],
)
def test_another_descriptor(case, bundle, descriptor):
    files = bundle.files() | {"evidence.json": descriptor}
    data = container.pack(files, case.intl.sign(case.keeper, container.manifest(files)))
    with pytest.raises(YinxinError):
        verify(case, data)


def test_a_file_brought_along_is_never_passed_over(case):
    """What names no files, a proof of the log or an attribute certificate, would hold beside any. Seen to fail without the look."""
    brought = evidence.Beside(attached=(evidence.Attached("any.pdf", "0" * 64, "0" * 64),))
    for data in (b'{"begin":1}', b'{"checkpoint":1}', b"-----BEGIN ATTRIBUTE CERTIFICATE-----"):
        with pytest.raises(evidence.EvidenceMismatch, match=r"any\.pdf"):
            evidence.verify(data, case.trust, at=AT, held=[], beside=brought)


# --- zip tricks ---


def written(entries, compression=zipfile.ZIP_STORED):
    output = BytesIO()
    with zipfile.ZipFile(output, "w", compression) as archive:
        for name, data in entries:
            archive.writestr(zipfile.ZipInfo(name), data, compress_type=compression)
    return output.getvalue()


MIMETYPE = ("mimetype", container.MEDIA_TYPE.encode())


def test_a_zip_bomb_is_not_unpacked(case, monkeypatch):
    bomb = written([MIMETYPE, ("document.pdf", bytes(50_000_000))], zipfile.ZIP_DEFLATED)
    assert len(bomb) < 100_000
    monkeypatch.setattr(zlib, "decompressobj", lambda *_: pytest.fail("unpacked"))
    with pytest.raises(evidence.MalformedEvidence, match="compressed"):
        verify(case, bomb)


def test_a_zip_that_claims_too_much(case, packed):
    directory = packed.rindex(b"PK\x01\x02")
    huge = packed[: directory + 24] + struct.pack("<I", 0xFFFFFFF0) + packed[directory + 28 :]
    with pytest.raises(evidence.MalformedEvidence, match="more than"):
        verify(case, huge)


def test_too_many_files(case):
    with pytest.raises(evidence.MalformedEvidence, match="more than"):
        verify(case, written([MIMETYPE, *((f"f{number}", b"") for number in range(1001))]))


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_files_of_one_name(case, packed):
    whole = list(members(packed).items())
    for first, second in ((b"{}", whole[1][1]), (whole[1][1], b"{}")):
        with pytest.raises(evidence.MalformedEvidence, match="one name"):
            verify(case, written([whole[0], (whole[1][0], first), (whole[1][0], second), *whole[2:]]))


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "/etc/passwd", "acts/../x", "a\\b", "META-INF/", "\u202efdp.exe"]
)
def test_names_that_lead_elsewhere(case, packed, name):
    with pytest.raises(YinxinError):
        verify(case, rezipped(members(packed) | {name: b"x"}))


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data + b"more",
        lambda data: b"PK\x03\x04" + data,
        lambda data: data[:-2] + b"\x03\x00abc",  # a comment
        lambda data: data.replace(b"mimetype", b"mimetypo"),
        lambda data: b"PK\x05\x06" + bytes(18),
        lambda data: b"PK",
    ],
)
def test_zip_files_of_another_spelling(case, packed, change):
    with pytest.raises(evidence.MalformedEvidence):
        verify(case, change(packed))


def test_a_zip_inside_the_zip_is_only_a_file(case, packed):
    with pytest.raises(evidence.EvidenceAltered):
        verify(case, rezipped(members(packed) | {"document.pdf": packed}))


def test_others_tools_read_the_container(packed, tmp_path):
    import subprocess

    (tmp_path / "bundle.asice").write_bytes(packed)
    done = subprocess.run(["unzip", "-tqq", str(tmp_path / "bundle.asice")], capture_output=True, check=False)
    assert done.returncode == 0, done
    # ETSI EN 319 162-1, A.1: the media type can be read at a fixed place
    assert packed[30:38] == b"mimetype"
    assert packed[38 : 38 + len(container.MEDIA_TYPE)] == container.MEDIA_TYPE.encode()


def test_openssl_verifies_the_manifests_signature(case, packed, openssl, tmp_path):
    whole = members(packed)
    (tmp_path / "cms").write_bytes(whole[container.SIGNATURE])
    (tmp_path / "manifest").write_bytes(whole[container.MANIFEST])
    authorities = case.intl.root.certificate.pem + case.intl.issuing.certificate.pem
    (tmp_path / "authorities").write_text(authorities)
    out = openssl(
        *(
            "cms",
            "-verify",
            "-binary",
            "-inform",
            "DER",
            "-in",
            tmp_path / "cms",
            "-content",
            tmp_path / "manifest",
        ),
        *("-CAfile", tmp_path / "authorities", "-purpose", "any"),
        *("-attime", int(case.intl.at.timestamp()), "-out", tmp_path / "out"),
    )
    assert "CMS Verification successful" in out
