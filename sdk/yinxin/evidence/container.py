"""The `.asice` container (ETSI EN 319 162-1, ASiC-E with CAdES).

A zip that holds files, a manifest of their digests, and a signature over the manifest.

There is one way to write a given set of files: stored, in the order of their names, with a fixed date. The reader
writes what it read anew and compares, so that no byte of a container can change unnoticed, be it in a zip header.
"""

import base64
import xml.etree.ElementTree as ET
import zipfile
from collections.abc import Mapping, Sequence
from io import BytesIO
from xml.sax.saxutils import quoteattr

from yinxin.crypto.suite import INTL
from yinxin.evidence.errors import EvidenceAltered, MalformedEvidence

MEDIA_TYPE = "application/vnd.etsi.asic-e+zip"
MANIFEST = "META-INF/ASiCManifest001.xml"
SIGNATURE = "META-INF/signature001.p7s"
_ASIC = "http://uri.etsi.org/02918/v1.2.1#"
_DSIG = "http://www.w3.org/2000/09/xmldsig#"
_SHA256 = "http://www.w3.org/2001/04/xmlenc#sha256"
_ENCRYPTED = 0x1
_DATE = (1980, 1, 1, 0, 0, 0)

#: octets; larger evidence is refused before it is unpacked
LARGEST = 256 * 1024 * 1024
MOST_FILES = 1000


def manifest(files: Mapping[str, bytes]) -> bytes:
    """The ASiCManifest of `files`: SHA-256 of each, by name, and where the signature over this manifest lies."""
    references = "".join(
        f'<asic:DataObjectReference URI={quoteattr(name)}><ds:DigestMethod Algorithm="{_SHA256}"/>'
        f"<ds:DigestValue>{_digest(files[name])}</ds:DigestValue></asic:DataObjectReference>"
        for name in sorted(files)
    )
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<asic:ASiCManifest xmlns:asic="{_ASIC}" xmlns:ds="{_DSIG}">'
        f'<asic:SigReference URI="{SIGNATURE}" MimeType="application/x-pkcs7-signature"/>{references}'
        f"</asic:ASiCManifest>\n"
    ).encode()


def pack(files: Mapping[str, bytes], signature: bytes) -> bytes:
    """The container of `files` with their manifest and the detached CMS `signature` over it."""
    return _zip({**files, MANIFEST: manifest(files), SIGNATURE: signature})


def unpack(data: bytes) -> tuple[dict[str, bytes], bytes, bytes]:
    """The files, the manifest and its signature; raises MalformedEvidence, EvidenceAltered.

    The signature itself is not verified here.
    """
    members = _members(data)
    try:
        signed, signature = members.pop(MANIFEST), members.pop(SIGNATURE)
    except KeyError as error:
        raise MalformedEvidence(reason=f"{error.args[0]} is missing") from error
    if signed != manifest(members):
        _name_the_difference(signed, members)
    if pack(members, signature) != data:
        raise MalformedEvidence(reason="another spelling of the same container")
    return members, signed, signature


def _members(data: bytes) -> dict[str, bytes]:
    if len(data) > LARGEST:
        raise MalformedEvidence(reason=f"over {LARGEST} octets")
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            infos = archive.infolist()
            fault = _fault(infos)
            members = {} if fault else {info.filename: archive.read(info) for info in infos}
    except Exception as error:
        # a reader of hostile bytes fails in any way: broken headers, offsets beyond the end, wrong checksums …
        raise MalformedEvidence(reason=f"not a sound zip file: {error}") from error
    if fault:
        raise MalformedEvidence(reason=fault)
    if members.pop("mimetype") != MEDIA_TYPE.encode():
        raise MalformedEvidence(reason="no ASiC-E media type")
    return members


def _fault(infos: Sequence[zipfile.ZipInfo]) -> str | None:
    """What is wrong with a zip file's directory, before anything is unpacked."""
    if not infos or infos[0].filename != "mimetype":
        return "no ASiC-E media type"
    if len(infos) > MOST_FILES or sum(info.file_size for info in infos) > LARGEST:
        return "unpacks to more than evidence holds"
    if len({info.filename for info in infos}) != len(infos):
        return "two files of one name"
    if any(info.compress_type != zipfile.ZIP_STORED or info.flag_bits & _ENCRYPTED for info in infos):
        return "a file is compressed or encrypted"
    return None


def _name_the_difference(signed: bytes, files: Mapping[str, bytes]) -> None:
    """Raise an error that names the file that differs; the manifest in hand is not `manifest(files)`."""
    try:
        tree = ET.fromstring(signed)  # noqa: S314 - only to name a file in a refusal; expat expands no external entity, and the size is bounded
    except ET.ParseError as error:
        raise MalformedEvidence(reason="the manifest is not XML") from error
    listed = {
        each.get("URI", ""): each.findtext(f"{{{_DSIG}}}DigestValue", "")
        for each in tree.iter(f"{{{_ASIC}}}DataObjectReference")
    }
    for name in sorted(set(listed) | set(files)):
        if name not in files or listed.get(name) != _digest(files[name]):
            raise EvidenceAltered(file=name)
    raise MalformedEvidence(reason="another spelling of the same manifest")


def _digest(data: bytes) -> str:
    return base64.b64encode(INTL.hash.digest(data)).decode()


def _zip(files: Mapping[str, bytes]) -> bytes:
    output = BytesIO()
    with zipfile.ZipFile(output, "w", zipfile.ZIP_STORED) as archive:
        for name in ("mimetype", *sorted(files)):
            info = zipfile.ZipInfo(name, _DATE)
            info.external_attr = 0o644 << 16
            info.create_system = 3
            archive.writestr(info, MEDIA_TYPE.encode() if name == "mimetype" else files[name])
    return output.getvalue()
