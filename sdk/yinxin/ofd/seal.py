"""Putting an electronic seal on an OFD (GB/T 33190-2016, chapter 18; the seal's own form is GB/T 38540-2020).

The seal covers every part of the package by its digest, what lists it included; whatever is added later shows. Of several organs'
seals each covers what was there before, and the last one the list of them all: then the package is closed.
"""

import base64
import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from posixpath import dirname

from yinxin.crypto.cms import Timestamper
from yinxin.crypto.keys import Identity
from yinxin.crypto.seal import Seal, signature
from yinxin.crypto.suite import SignatureAlgorithm
from yinxin.ofd.errors import OfdSealedAlready
from yinxin.ofd.markup import box, element, leaf, named, parse, part, serialised
from yinxin.ofd.model import Attachment, Stamp
from yinxin.ofd.package import ENTRY, pack
from yinxin.ofd.read import Opened, attached_paths, opened, signatures


def seal(
    data: bytes,
    seal: Seal,
    user: Identity,
    *,
    at: datetime,
    timestamp: Timestamper | None,
    stamps: Sequence[Stamp] = (),
    attachments: Sequence[Attachment] = (),
    proofs: Sequence[Attachment] = (),
    closing: bool = True,
) -> bytes:
    """Seal a package that is not closed by a seal yet; the seal's picture is shown at each of `stamps`.

    1. The attachments go in, with the first seal. 2. The list of signatures goes in, and is named by `OFD.xml`. 3. Signature.xml names
    the digest of every part; but not of the list unless it is the `closing` one, for there others are still to be named. 4. `user`, to
    whom the seal is bound, signs that. `proofs` are certificates and revocation lists that this seal is judged by, in its own
    folder. Raises OfdMalformed, OfdSealedAlready, and what `yinxin.crypto.seal.signature.build` raises.
    """
    package = opened(data)
    before = signatures(package)
    if before and (attachments or package.signatures in dict(before[-1].references)):
        raise OfdSealedAlready
    parts = dict(package.parts)
    if attachments:
        _attach(parts, package, attachments, at)
    folder = f"{dirname(package.root)}/Signs".lstrip("/")
    own = f"{folder}/Sign_{len(before)}"
    path, value, picture = (f"{own}/{name}" for name in ("Signature.xml", "SignedValue.dat", "Seal.esl"))
    listing = package.signatures or f"{folder}/Signatures.xml"
    if not before:
        entry = parse(parts, ENTRY)
        body = entry[0] if entry[0].tag == named("DocBody") else entry.find(named("DocBody"))
        assert body is not None  # noqa: S101 - it was opened
        ET.SubElement(body, named("Signatures")).text = f"/{listing}"
        parts[ENTRY] = serialised(entry)
    parts[listing] = _listed([*(each.path for each in before), path])
    parts |= {picture: seal.der, **{f"{own}/{each.name}": each.data for each in proofs}}
    algorithm = user.key.public_key.signature_algorithm
    covered = parts if closing else {name: data for name, data in parts.items() if name != listing}
    described = _described(covered, package, algorithm, at=at, stamps=stamps, paths=(picture, value))
    signed = signature.build(seal, user, described, scope=f"/{path}", at=at, timestamp=timestamp)
    return pack(parts | {path: described, value: signed})


def _listed(paths: Sequence[str]) -> bytes:
    """Signatures.xml, which names every signature in the order in which they were put on."""
    entries = [
        element("Signature", {"ID": str(number), "Type": "Seal", "BaseLoc": f"/{path}"})
        for number, path in enumerate(paths, 1)
    ]
    return part("Signatures", None, leaf("MaxSignId", str(len(paths))), *entries)


def _described(
    parts: Mapping[str, bytes],
    package: Opened,
    algorithm: SignatureAlgorithm,
    *,
    at: datetime,
    stamps: Sequence[Stamp],
    paths: tuple[str, str],
) -> bytes:
    """Signature.xml, over every part that is there already."""
    seal_path, value_path = paths
    references = [
        element(
            "Reference",
            {"FileRef": f"/{name}"},
            leaf("CheckValue", _base64(algorithm.hash.digest(parts[name]))),
        )
        for name in sorted(parts)
    ]
    shown = [
        element(
            "StampAnnot",
            {
                "ID": str(number),
                "PageRef": package.pages[each.page - 1][0],
                "Boundary": box(each.x, each.y, each.width, each.height),
            },
        )
        for number, each in enumerate(stamps, 1)
    ]
    information = element(
        "SignedInfo",
        None,
        element("Provider", {"ProviderName": "Yinxin", "Company": "Yinxin", "Version": "1"}),
        leaf("SignatureMethod", algorithm.oid),
        leaf("SignatureDateTime", f"{at.astimezone(UTC):%Y%m%d%H%M%SZ}"),
        element("References", {"CheckMethod": algorithm.hash.oid}, *references),
        *shown,
        element("Seal", None, leaf("BaseLoc", f"/{seal_path}")),
    )
    return part("Signature", None, information, leaf("SignedValue", f"/{value_path}"))


def _attach(
    parts: dict[str, bytes], package: Opened, attachments: Sequence[Attachment], at: datetime
) -> None:
    """Put files beside the pages (chapter 20): they are the record's, not shown by a reader as its own."""
    folder = dirname(package.root)
    root = parse(parts, package.root)
    location = root.find(named("Attachments"))
    listed = f"{folder}/Attachments.xml"
    held = attached_paths(package)
    dated = f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S}"
    named_now = {f"{folder}/Attachs/{each.name}": each for each in attachments}
    entries = [
        element(
            "Attachment",
            {"ID": f"A{number}", "Name": name, "CreationDate": dated},
            leaf("FileLoc", f"/{path}"),
        )
        for number, (path, name) in enumerate(
            [*held.items(), *((path, each.name) for path, each in named_now.items())], 1
        )
    ]
    parts |= {path: each.data for path, each in named_now.items()}
    if location is None:
        location = ET.SubElement(root, named("Attachments"))
    location.text = "Attachments.xml"
    parts[package.root] = serialised(root)
    parts[listed] = part("Attachments", None, *entries)


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()
