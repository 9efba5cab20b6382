"""The running parts of commands, from the settings."""

from collections.abc import Callable
from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncEngine

from services.ingest.commands.access import Access
from services.ingest.commands.dispatcher import Dispatcher
from services.ingest.commands.filling import GapFilling, GapRules
from services.ingest.commands.lifecycle import Patience
from services.ingest.settings import IngestSettings
from services.ingest.stations.links import Links
from services.ingest.stations.session import Directory


def dispatcher(
    engine: AsyncEngine,
    links: Links,
    directory: Directory,
    settings: IngestSettings,
    registry_changed: Callable[[], None],
) -> Dispatcher:
    """What sends commands and follows them."""
    patience = Patience(
        over_time=timedelta(seconds=settings.ingest_command_over_time_s),
        tries=settings.ingest_command_tries,
        execution=timedelta(seconds=settings.ingest_command_execution_s),
        connection=timedelta(seconds=settings.ingest_command_connection_s),
    )
    return Dispatcher(engine, links, patience, Access(engine, directory, registry_changed))


def gap_filling(
    engine: AsyncEngine, links: Links, directory: Directory, commands: Dispatcher, settings: IngestSettings
) -> GapFilling:
    """What asks for missing records by itself."""
    rules = GapRules(
        enabled=settings.ingest_gap_filling,
        every_s=settings.ingest_gap_every_s,
        settle=timedelta(seconds=settings.ingest_gap_settle_s),
        look_every=timedelta(seconds=settings.ingest_gap_look_s),
        horizon=timedelta(days=settings.ingest_gap_days),
        requests=settings.ingest_gap_requests,
    )
    return GapFilling(engine, links, directory, commands, rules)
