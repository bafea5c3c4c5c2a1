"""Settings of the custodians' shares."""

from datetime import timedelta

from pydantic import Field

from yinxin.settings import Section


class CustodianSettings(Section):
    """The secrets under custodians' shares."""

    minutes: int = Field(default=120, ge=5, le=1440)
    """Minutes that an entered share waits for the others at a start; then it is forgotten and entered again."""

    @property
    def patience(self) -> timedelta:
        """How long a share waits."""
        return timedelta(minutes=self.minutes)
