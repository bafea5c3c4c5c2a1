"""The files of an evidence bundle (`.asice`), for the verifier that is one file."""

import base64
import hashlib
import io
import zipfile
from xml.sax.saxutils import quoteattr

from yinxin.evidence.standalone.saying import Broken

_MIME = b"application/vnd.etsi.asic-e+zip"
_MANIFEST, _SIGNATURE = "META-INF/ASiCManifest001.xml", "META-INF/signature001.p7s"
_LARGEST_BUNDLE, _MOST_FILES = 256 * 1024 * 1024, 1000
_WRONG = ("证据包格式不对或被改动过", "the bundle is malformed or was changed")


def unpacked(data: bytes) -> dict[str, bytes]:
    """The files that the manifest lists, each as it lists it; the container is in its one spelling. Raises Broken."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            infos = archive.infolist()
            sound = (
                0 < len(infos) <= _MOST_FILES
                and len(data) <= _LARGEST_BUNDLE
                and sum(each.file_size for each in infos) <= _LARGEST_BUNDLE
                and all(each.compress_type == zipfile.ZIP_STORED and not each.flag_bits & 1 for each in infos)
            )
            files = {each.filename: archive.read(each) for each in infos} if sound else {}
        again = io.BytesIO()
        with zipfile.ZipFile(again, "w", zipfile.ZIP_STORED) as archive:
            for name in ("mimetype", *sorted(files.keys() - {"mimetype"})):
                info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
                info.external_attr, info.create_system = 0o644 << 16, 3
                archive.writestr(info, files[name])
        same = again.getvalue() == data and files.pop("mimetype") == _MIME
        manifest, _ = files.pop(_MANIFEST), files.pop(_SIGNATURE)
    except Exception as error:
        # a reader of hostile bytes fails in any way
        raise Broken(*_WRONG) from error
    if not same:
        raise Broken(*_WRONG)
    for name in sorted(files):
        if _reference(name, files[name]).encode() not in manifest:
            raise Broken(f"文件 {name} 与清单不符", f"the file {name} is not what the manifest lists")
    if manifest != _listed_in(files):
        raise Broken(*_WRONG)
    return files


def _reference(name: str, data: bytes) -> str:
    return (
        f'<asic:DataObjectReference URI={quoteattr(name)}><ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"/>'
        f"<ds:DigestValue>{base64.b64encode(hashlib.sha256(data).digest()).decode()}</ds:DigestValue></asic:DataObjectReference>"
    )


def _listed_in(files: dict[str, bytes]) -> bytes:
    references = "".join(_reference(name, files[name]) for name in sorted(files))
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<asic:ASiCManifest xmlns:asic="http://uri.etsi.org/02918/v1.2.1#"'
        f' xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><asic:SigReference URI="{_SIGNATURE}"'
        f' MimeType="application/x-pkcs7-signature"/>{references}</asic:ASiCManifest>\n'
    ).encode()
