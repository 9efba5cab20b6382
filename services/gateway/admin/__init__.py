"""Administration of the gateway from the command line: organisations, members, keys, the audit."""

from services.gateway.admin.commands import main

__all__ = ["main"]
