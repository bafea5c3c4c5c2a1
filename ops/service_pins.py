"""Which certificates the key centre and its caller know each other by: fingerprints, in a file of the data directory.

A name in a certificate is what whoever had it issued says; the file is what `yinxin kms-services` wrote. Either side
believes the other by this file, besides the chain and the status of the certificate.
"""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from kms.settings import CENTRE
from yinxin import files
from yinxin.errors import Misconfigured

if TYPE_CHECKING:
    from ops.data import DataDirectory


class BadServicePins(Misconfigured):
    """The file of fingerprints is not what was written."""

    code = "ops.bad_service_pins"
    zh = "服务证书指纹文件 {file} 无法读取：请由安全管理员重新执行 yinxin kms-services，并把该文件复制到调用方。"
    en = "The file of service certificates' fingerprints {file} cannot be read: have the security officer run yinxin kms-services again, and copy the file to the caller."


def pins_file(data: "DataDirectory") -> Path:
    """Where they stand."""
    return data.path("tls", f"{CENTRE}.pins")


def pinned(data: "DataDirectory", service: str) -> frozenset[str]:
    """SHA-256 (hexadecimal) of the DER certificates of the service, none when nothing was written; raises BadServicePins."""
    return _read(data).get(service, frozenset())


def pin(data: "DataDirectory", services: Mapping[str, Iterable[str]]) -> None:
    """Pin these fingerprints, by service, and no others; the file is the old one or the new one, and 0600."""
    told = {service: sorted(set(each)) for service, each in services.items()}
    files.replace(pins_file(data), (json.dumps(told, indent=1) + "\n").encode(), mode=0o600)


def pin_also(data: "DataDirectory", service: str, fingerprint: str) -> None:
    """Pin one more, before it is put in place."""
    known = _read(data)
    pin(data, {**known, service: {*known.get(service, ()), fingerprint}})


def _read(data: "DataDirectory") -> dict[str, frozenset[str]]:
    file = pins_file(data)
    try:
        told = json.loads(file.read_bytes())
        return {str(service): frozenset(map(str, each)) for service, each in told.items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, TypeError, AttributeError):
        raise BadServicePins(file=str(file)) from None
