"""The audit from the command line: one file on standard output."""

import argparse
import sys

from sqlalchemy.ext.asyncio import AsyncEngine

from services.gateway.audit_files import AuditFormat
from services.gateway.audit_store import AuditQuestion, whole


async def export_audit(engine: AsyncEngine, options: argparse.Namespace) -> None:
    """Write the entries asked for, oldest first."""
    form = AuditFormat(options.format)
    question = AuditQuestion(options.park, options.start, options.end, options.actor)
    sys.stdout.write(form.begin())
    async for piece in whole(engine, question):
        sys.stdout.write(form.lines(piece))
