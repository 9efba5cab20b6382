"""The body of a request with readings: opened, bounded, and read by the form that its headers name."""

import re
from email.message import Message
from zoneinfo import ZoneInfo

from fastapi import Request

from services.ingest.intake.columnar import read_columns
from services.ingest.intake.csv import read_csv
from services.ingest.intake.encodings import opened
from services.ingest.intake.ndjson import read_lines
from services.ingest.intake.rows import read_rows
from services.ingest.intake.taken import Rows
from shared.problems import UnsupportedMediaType
from shared.web import MAX_BODY_BYTES

JSON, LINES, CSV = "application/json", "application/x-ndjson", "text/csv"
_JSON_LINES = (LINES, "application/ndjson", "application/jsonl", "application/json-lines")
CHARSETS = ("utf-8", "gb18030", "gbk")
_COLUMNS = re.compile(rb'\s*\{\s*"columns"\s*:')


async def read_body(request: Request, zone: ZoneInfo | None = None) -> Rows:
    """The rows of a request. ``zone`` is that of CSV times without an offset.

    Raises UnsupportedMediaType, BadRequest, TooLarge, Unprocessable.
    """
    body = await request.body()
    encoding = request.headers.get("content-encoding", "")
    if encoding:
        body = opened(body, encoding, MAX_BODY_BYTES)
    return rows_of(body, request.headers.get("content-type", JSON), zone)


def rows_of(body: bytes, content_type: str, zone: ZoneInfo | None = None) -> Rows:
    """The rows of an opened body."""
    form, charset = form_and_charset(content_type)
    if form == JSON:
        return read_columns(body) if _COLUMNS.match(body) else read_rows(body)
    if form in _JSON_LINES:
        return read_lines(body)
    if form == CSV:
        return read_csv(body, charset, zone)
    raise UnsupportedMediaType(
        f"Content-Type '{form[:60]}' is not known; send one of {JSON}, {LINES}, {CSV}.",
        headers={"Accept": f"{JSON}, {LINES}, {CSV}"},
    )


def form_and_charset(content_type: str) -> tuple[str, str]:
    """The media type in lower case, and the character set of a text. Raises UnsupportedMediaType."""
    if content_type == JSON:
        return JSON, CHARSETS[0]
    header = Message()
    header["content-type"] = content_type
    charset = (header.get_content_charset() or CHARSETS[0]).replace("utf8", "utf-8")
    if charset not in CHARSETS:
        raise UnsupportedMediaType(f"The charset '{charset[:40]}' is not known; send one of {', '.join(CHARSETS)}.")
    return content_type.partition(";")[0].strip().lower(), charset
