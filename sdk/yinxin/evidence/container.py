"""The `.asice` container (ETSI EN 319 162-1, ASiC-E with CAdES).

A zip that holds files, a manifest of their digests, and a signature over the manifest.

There is one way to write a given set of files: stored, in the order of their names, with a fixed date. The reader
writes what it read anew and compares, so that no byte of a container can change unnoticed, be it in a zip header.
"""

import base64
import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from xml.sax.saxutils import quoteattr

from yinxin import zipped
from yinxin.crypto.suite import INTL
from yinxin.evidence.errors import EvidenceAltered, MalformedEvidence
from yinxin.text import Text

MEDIA_TYPE = "application/vnd.etsi.asic-e+zip"
MANIFEST = "META-INF/ASiCManifest001.xml"
SIGNATURE = "META-INF/signature001.p7s"
_ASIC = "http://uri.etsi.org/02918/v1.2.1#"
_DSIG = "http://www.w3.org/2000/09/xmldsig#"
_SHA256 = "http://www.w3.org/2001/04/xmlenc#sha256"

#: larger evidence is refused before it is unpacked
FORMAT = zipped.Format(
    largest=256 * 1024 * 1024,
    most=1000,
    methods=(zipped.STORED,),
    malformed=MalformedEvidence,
)


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


def numbered(folder: str, ending: str, items: Sequence[bytes]) -> dict[str, bytes]:
    """Files of one kind by their names: `folder/01.ending` and on."""
    return {f"{folder}/{number:02}.{ending}": item for number, item in enumerate(items, 1)}


def read_numbered(files: Mapping[str, bytes], folder: str, ending: str, count: int) -> list[bytes]:
    """So many files of one kind, as `numbered` named them; raises KeyError."""
    return [files[f"{folder}/{number:02}.{ending}"] for number in range(1, count + 1)]


def _members(data: bytes) -> dict[str, bytes]:
    members = FORMAT.read(data)
    if next(iter(members), None) != "mimetype" or members.pop("mimetype") != MEDIA_TYPE.encode():
        raise MalformedEvidence(reason=Text("没有 ASiC-E 的媒体类型", "no ASiC-E media type"))
    return members


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
    return FORMAT.write((("mimetype", MEDIA_TYPE.encode()), *((name, files[name]) for name in sorted(files))))
