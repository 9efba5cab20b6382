"""`fenceline alarms`: list, look, acknowledge, watch."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

import typer

from fenceline_client.commands.door import Json, KeyFile, ParkId, Url, knock
from fenceline_client.commands.show import json_line, json_lines, line, local, number, table

alarms = typer.Typer(help="Alarms: list, look, acknowledge, watch | 报警")

AlarmId = Annotated[UUID, typer.Argument(metavar="ALARM", help="its id, as `alarms list` shows it")]


@alarms.command("list")
def list_alarms(
    url: Url,
    park: ParkId,
    state: Annotated[
        Literal["open", "all", "shelved", "suppressed", "out_of_service"], typer.Option(help="which | 状态")
    ] = "open",
    key_file: KeyFile = None,
    as_json: Json = False,
) -> None:
    """The alarms of a park, the latest first | 报警列表."""
    with knock(url, key_file) as client:
        found = client.alarms(park, state)
        if as_json:
            return json_lines(found)
        return table(
            ("alarm | 报警", "colour | 级别", "station | 站点", "property | 因子", "value | 数值", "state | 状态",
             "raised | 触发时间"),
            (
                (one.id, one.colour, one.station_id, one.property_id or "-", number(one.value, one.unit), one.state,
                 local(one.raised_at))
                for one in found
            ),
        )  # fmt: skip


@alarms.command()
def show(alarm: AlarmId, url: Url, park: ParkId, key_file: KeyFile = None, as_json: Json = False) -> None:
    """One alarm and all that happened to it | 报警详情."""
    with knock(url, key_file) as client:
        found = client.alarm(park, alarm)
        if as_json:
            return json_lines([found])
        line(found.colour, found.state, found.station_id, found.property_id or "-", number(found.value, found.unit))
        return table(
            ("time | 时间", "what | 动作", "colour | 级别", "value | 数值", "who | 人员", "comment | 备注"),
            (
                (local(one.event_time), one.action, one.colour_after, number(one.value), one.actor or "-",
                 one.comment or "")
                for one in found.journal
            ),
        )  # fmt: skip


@alarms.command()
def acknowledge(
    alarm: AlarmId,
    url: Url,
    park: ParkId,
    comment: Annotated[str | None, typer.Option(help="for the journal | 备注")] = None,
    key_file: KeyFile = None,
) -> None:
    """Take note of an alarm | 确认报警."""
    with knock(url, key_file) as client:
        done = client.acknowledge(park, alarm, comment)
        line(done.id, done.state)


@alarms.command()
def watch(url: Url, park: ParkId, key_file: KeyFile = None, as_json: Json = False) -> None:
    """What happens to alarms, as it happens, until Ctrl-C | 实时关注报警."""
    with knock(url, key_file) as client:
        for event in client.events([park], ["alarm"]):
            if as_json:
                json_line(event.data)
            elif (one := event.alarm()) is not None:
                value = number(one.value, one.unit)
                line(local(one.event_time), one.colour, one.transition, one.station_id, one.property_id or "-", value)
