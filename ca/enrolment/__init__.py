"""Enrolment by protocol: see README.md for what it promises."""

from ca.enrolment.credential import Credential, Grant
from ca.enrolment.models import Protocol
from ca.enrolment.service import Enrolment

__all__ = ["Credential", "Enrolment", "Grant", "Protocol"]
