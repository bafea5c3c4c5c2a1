"""Configuration of attribute certificates: `[ca.attributes]` in the file."""

from pydantic import Field

from yinxin.crypto.oids import HOUSE
from yinxin.settings import Section


class AttributeSettings(Section):
    """Attribute certificates."""

    hours: int = Field(default=24, ge=1, le=2160)
    """Validity of an attribute certificate for which none is asked, in hours."""
    most_hours: int = Field(default=2160, ge=1, le=8784)
    """Longest validity, in hours."""
    unlisted_hours: int = Field(default=24, ge=0, le=168)
    """Up to this validity an attribute certificate says that its revocation is not told (noRevAvail); a longer one names the authority's list."""
    list_hours: int = Field(default=24, ge=1, le=168)
    """Validity of an attribute authority's revocation list."""
    clearance_policy: str = Field(default=f"{HOUSE}.4.1", pattern=r"^[0-2](\.\d+)+$")
    """Object identifier of the security policy by which stated clearances are to be read: docs/authz/attribute-certificates.md."""
