"""Enrolment over Secure Transport (RFC 7030): see README.md for what it promises."""

from ca.est.enrol import Est

__all__ = ["Est"]
