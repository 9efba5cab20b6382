"""Text that a person reads, in Chinese and English."""

from pydantic import BaseModel, ConfigDict, Field

STORABLE = r"^[^\x00]*$"
"""The pattern of a text that a database can keep: that of PostgreSQL holds no character of code 0."""


class BilingualText(BaseModel):
    """One text in the two languages of the users."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    zh: str = Field(min_length=1, max_length=500, pattern=STORABLE)
    en: str = Field(min_length=1, max_length=500, pattern=STORABLE)
