"""What the platform answers, as immutable values. Fields that a newer platform adds are ignored."""

from pydantic import BaseModel, ConfigDict


class Answer(BaseModel):
    """Base of every answer."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Words(Answer):
    """The same words in Chinese and in English."""

    zh: str
    en: str
