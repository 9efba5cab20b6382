"""Text that a person reads, in Chinese and English."""

from pydantic import BaseModel, ConfigDict, Field


class BilingualText(BaseModel):
    """One text in the two languages of the users."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    zh: str = Field(min_length=1, max_length=500)
    en: str = Field(min_length=1, max_length=500)
