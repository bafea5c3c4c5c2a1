"""The certificates by which the platform's services know each other: the key centre's, and that of whoever calls it.

The security officer has them issued by `yinxin kms-services`, on the machine that holds the security module: the
first time before the key centre is a process of its own, later through it. Keys are files in `tls/`, encrypted under
the passwords in `secrets/`. Their fingerprints are pinned (`ops.service_pins`): the name alone proves nothing.
"""

from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

from ca.ceremony.files import file_key
from ca.request import Holder, IssueRequest
from kms.secrets import SecretSource
from kms.settings import CALLER, CENTRE
from ops.service_pins import pin, pin_also, pinned, pins_file
from yinxin import files
from yinxin.act import Actor
from yinxin.client import https
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.general_names import GeneralName
from yinxin.crypto.keys import Identity, PrivateKey
from yinxin.crypto.requests import CertificationRequest
from yinxin.crypto.suite import INTL
from yinxin.errors import Misconfigured
from yinxin.randomness import Randomness, SystemRandomness

if TYPE_CHECKING:
    from ops.data import DataDirectory
    from ops.platform import Platform

_PROFILES = {CENTRE: "tls-server", CALLER: "tls-client"}
#: a certificate that lasts no longer than this is issued anew
_RENEWAL = timedelta(days=60)


class NoServiceCertificate(Misconfigured):
    """The key centre is to be called, or to serve, and its certificate is not here."""

    code = "ops.no_service_certificate"
    zh = "没有服务证书 {file}：请在密码机所在主机上由安全管理员执行 yinxin kms-services，并把调用方的文件复制到本机。"
    en = "There is no service certificate {file}: have the security officer run yinxin kms-services where the module is, and copy the caller's files here."


class NoKeyCentreAddress(Misconfigured):
    """The key centre is to serve, and nobody said where."""

    code = "ops.no_key_centre_address"
    zh = "未配置密钥管理中心的地址：请设置 kms.address（主机名加端口，例如 127.0.0.1:8445）。"
    en = "The key centre has no address: set kms.address (host and port, such as 127.0.0.1:8445)."


def demand(data: "DataDirectory", service: str) -> None:
    """Raise NoServiceCertificate unless the service's files are here."""
    for file in (data.path("tls", f"{service}.pem"), data.path("tls", f"{service}.key"), pins_file(data)):
        if not file.is_file():
            raise NoServiceCertificate(file=str(file))


def issue_service_certificates(platform: "Platform", officer: Actor) -> dict[str, Path]:
    """Both certificates, by service; one that lasts is left. Raises NoKeyCentreAddress, and what issuance raises.

    1. A new certificate is pinned beside the old one, so that nothing that stands in `tls/` is ever refused.
    2. It takes the old one's place.
    3. The old one leaves the pins.
    """
    address = platform.section("kms").address
    if not address:
        raise NoKeyCentreAddress
    host = address.rpartition(":")[0].strip("[]")
    issued = {service: _issued(platform, officer, service, host) for service in (CENTRE, CALLER)}
    # also where nothing was renewed: the file may be missing
    pin(
        platform.data,
        {
            service: [Certificate.load_many(file.read_bytes())[0].fingerprint]
            for service, file in issued.items()
        },
    )
    return issued


def caller_transport(data: "DataDirectory", secrets: SecretSource) -> httpx.BaseTransport:
    """Mutual TLS to the key centre, as the caller, and to its pinned certificate alone; raises NoServiceCertificate."""
    demand(data, CALLER)
    chain = Certificate.load_many(data.path("tls", f"{CALLER}.pem").read_bytes())
    key = _key(data, CALLER, secrets, SystemRandomness())
    return https(
        trust=data.path("trust", "intl.root.pem"),
        identity=Identity(key, chain[0], tuple(chain[1:])),
        pins=pinned(data, CENTRE),
    )


def _issued(platform: "Platform", officer: Actor, service: str, host: str) -> Path:
    file, now = platform.data.path("tls", f"{service}.pem"), platform.clock.now()
    key = _key(platform.data, service, platform.secrets, platform.store.randomness)
    names = _names(host) if service == CENTRE else ()
    if file.exists():
        (kept, *_) = Certificate.load_many(file.read_bytes())
        if (
            kept.public_key == key.public_key
            and kept.not_after - now > _RENEWAL
            and set(names) <= set(kept.san)
        ):
            return file
    request = IssueRequest(
        reference=f"service/{service}/{platform.store.identifier()}",
        profile=_PROFILES[service],
        csr=CertificationRequest.build(key, {"commonName": host if names else service}, names).der,
        holder=Holder("service", service, None, officer.organ),
    )
    issued = platform.ca.issue_reserved(officer, request)
    pin_also(platform.data, service, issued.certificate.fingerprint)
    pem = "".join(each.pem for each in (issued.certificate, *issued.chain[:-1]))
    files.replace(file, pem.encode(), mode=0o644)
    return file


def _key(data: "DataDirectory", service: str, secrets: SecretSource, randomness: Randomness) -> PrivateKey:
    return file_key(data.root, service, INTL.key_algorithm, secrets, randomness)


def _names(host: str) -> tuple[GeneralName, ...]:
    try:
        ip_address(host)
    except ValueError:
        return (("dns", host),)
    return (("ip", host),)
