"""`fenceline tail`: live events as JSON lines."""

from __future__ import annotations

from typing import Annotated

import typer

from fenceline_client.commands.door import KeyFile, Url, knock
from fenceline_client.commands.show import json_line


def tail(
    url: Url,
    park: Annotated[
        list[str] | None,
        typer.Option("--park", envvar="FENCELINE_PARK", metavar="PARK", help="only this one; may be repeated | 园区"),
    ] = None,
    kind: Annotated[
        list[str] | None,
        typer.Option("--kind", metavar="KIND", help="alarm, run, incident, ...; may be repeated | 事件类型"),
    ] = None,
    after: Annotated[
        str, typer.Option("--after", metavar="ID", help="`id` of the last event heard: what was missed comes first")
    ] = "",
    key_file: KeyFile = None,
) -> None:
    """Live events, one JSON document a line, until Ctrl-C; outages are outlasted | 实时事件流."""
    with knock(url, key_file) as client:
        for event in client.events(park or (), kind or (), after):
            json_line({"event": event.kind, "id": event.id, "data": event.data})
