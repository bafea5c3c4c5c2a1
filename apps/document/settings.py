"""Configuration of official documents."""

from pydantic import Field

from yinxin.deadline import Term, Unit
from yinxin.settings import Section


class DocumentSettings(Section):
    """Official documents: the terms that an office sets itself."""

    receipt_working_days: int = Field(default=1, ge=1, le=100)
    """Working days in which a recipient signs for an ordinary document."""
    receipt_hours_urgent: int = Field(default=8, ge=1, le=1000)
    """Hours in which a recipient signs for an urgent one (加急), through nights and holidays."""
    receipt_hours_extra_urgent: int = Field(default=2, ge=1, le=1000)
    """Hours in which a recipient signs for an extra urgent one (特急), through nights and holidays."""
    countersign_working_days: int = Field(default=3, ge=1, le=100)
    """Working days in which joint organs, and those that are consulted, countersign an ordinary draft."""
    countersign_hours_urgent: int = Field(default=24, ge=1, le=1000)
    """Hours in which they countersign an urgent one (加急), through nights and holidays."""
    countersign_hours_extra_urgent: int = Field(default=4, ge=1, le=1000)
    """Hours in which they countersign an extra urgent one (特急), through nights and holidays."""

    def countersign(self, urgency: str | None) -> Term:
        """How long an organ has to countersign."""
        if urgency == "特急":
            return Term(self.countersign_hours_extra_urgent, Unit.HOURS)
        if urgency == "加急":
            return Term(self.countersign_hours_urgent, Unit.HOURS)
        return Term(self.countersign_working_days, Unit.WORKING_DAYS)

    manuscript_days: int = Field(default=365, ge=7, le=3650)
    """Days after which a manuscript that nobody has touched is given up; what was saved of it stays."""

    def receipt(self, urgency: str | None) -> Term:
        """How long a recipient has to sign for its copy."""
        if urgency == "特急":
            return Term(self.receipt_hours_extra_urgent, Unit.HOURS)
        if urgency == "加急":
            return Term(self.receipt_hours_urgent, Unit.HOURS)
        return Term(self.receipt_working_days, Unit.WORKING_DAYS)
