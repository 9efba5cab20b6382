"""Bodies of uploads of history."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from shared.time import UtcDatetime


class Upload(BaseModel):
    """How far an upload has come; ``lines`` counts the header and blank lines too."""

    id: str
    state: Literal["running", "interrupted", "failed", "done"]
    detail: Annotated[str | None, Field(description="why it failed")]
    begun_at: UtcDatetime
    updated_at: UtcDatetime
    bytes: Annotated[int, Field(description="taken in, once opened")]
    lines: int
    accepted: int
    duplicate: int
    conflicting: int
    refused: int


class UploadPage(BaseModel):
    """Uploads by id."""

    items: list[Upload]
    next: str | None = None


class UploadRefusal(BaseModel):
    """A line that was refused."""

    line: Annotated[int, Field(description="the header is line 1")]
    detail: str


class UploadRefusalPage(BaseModel):
    """Refused lines in their order."""

    items: list[UploadRefusal]
    next: str | None = None
