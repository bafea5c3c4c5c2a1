"""Every module of the house, from the ground up; each registers itself in a value of its own."""

from typing import Any

from apps.document.module import MODULE as DOCUMENT
from audit.module import MODULE as AUDIT
from authz.module import MODULE as AUTHZ
from ca.module import MODULE as CA
from exchange.module import MODULE as EXCHANGE
from kms.module import MODULE as KMS
from seal.module import MODULE as SEAL
from yinxin.attachment.module import MODULE as ATTACHMENT
from yinxin.calendar.register.module import MODULE as CALENDAR
from yinxin.module import Module
from yinxin.web.module import MODULE as WEB

MODULES: tuple[Module[Any], ...] = (
    *(WEB, CALENDAR, AUDIT, AUTHZ, KMS),
    *(CA, SEAL, EXCHANGE, ATTACHMENT, DOCUMENT),
)
