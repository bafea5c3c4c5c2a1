"""Attribute certificates (RFC 5755): what an authority states of a certificate's holder, made, read and verified."""

from yinxin.crypto.attribute.certificate import AttributeCertificate
from yinxin.crypto.attribute.claims import Appointment, Claims, Clearance, Grant, Role
from yinxin.crypto.attribute.controls import Controls
from yinxin.crypto.attribute.holder import Digest, Holder
from yinxin.crypto.attribute.targets import Target
from yinxin.crypto.attribute.verify import Known, Verified, verify
from yinxin.crypto.attribute.write import AttributeTemplate, to_be_signed

__all__ = [
    "Appointment",
    "AttributeCertificate",
    "AttributeTemplate",
    "Claims",
    "Clearance",
    "Controls",
    "Digest",
    "Grant",
    "Holder",
    "Known",
    "Role",
    "Target",
    "Verified",
    "to_be_signed",
    "verify",
]
