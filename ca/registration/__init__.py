"""Applications for certificates: submitted, vetted, approved by the officer of the region, issued once."""

from ca.registration.service import Registrations

__all__ = ["Registrations"]
