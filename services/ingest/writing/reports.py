"""What devices report of themselves, with the batch that their frames are in."""

import json
from typing import Any

import psycopg

from services.ingest.writing.batch import Batch

Connection = psycopg.AsyncConnection[Any]

# In the order of the key, so that two writers never wait for each other in a circle.
_STORE = """
    INSERT INTO device_report (park_id, mn, kind, subject, time, received_at, content)
    SELECT park_id, mn, kind, subject, time, received_at, content::jsonb
    FROM unnest(%b::text[], %b::text[], %b::text[], %b::text[], %b::timestamptz[], %b::timestamptz[], %b::text[])
        AS told (park_id, mn, kind, subject, time, received_at, content)
    ORDER BY mn, kind, time, subject, md5(content)
    ON CONFLICT (mn, kind, time, subject, md5(content::text)) DO NOTHING
"""


async def store_reports(connection: Connection, batch: Batch) -> None:
    """Keep them; what is there already stays as it is."""
    if not batch.reports:
        return
    rows = [
        (
            report.park_id,
            report.mn,
            report.kind.value,
            report.subject,
            report.time,
            report.received_at,
            json.dumps(report.content, ensure_ascii=False, sort_keys=True),
        )
        for report in batch.reports
    ]
    await connection.execute(_STORE, [list(column) for column in zip(*rows, strict=True)])
