"""`fenceline readings`: the latest, a span, and CSV files to be stored."""

from __future__ import annotations

import csv
import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal

import typer

from fenceline_client.client import Client
from fenceline_client.commands.door import Json, KeyFile, ParkId, Url, knock
from fenceline_client.commands.refusal import Refusal
from fenceline_client.commands.show import json_lines, line, local, number, table
from fenceline_client.commands.tables import Part, parts
from fenceline_client.errors import FencelineError
from fenceline_client.models import RowResult

readings = typer.Typer(help="Readings: the latest, spans, sending | 监测数据")
SHOWN_REFUSALS = 20

Resolution = Literal["auto", "raw", "minute", "hour", "day"]
Station = Annotated[str, typer.Option("--station", metavar="CODE", help="code within the park, such as s01 | 站点")]
Property = Annotated[str, typer.Option("--property", metavar="NAME", help="such as chlorine | 因子")]
Cadence = Annotated[str, typer.Option("--cadence", help="realtime, minute, hour or day | 周期")]


@readings.command()
def latest(
    url: Url, park: ParkId, key_file: KeyFile = None, cadence: Cadence = "realtime", as_json: Json = False
) -> None:
    """The latest value of each datastream | 最新数据."""
    with knock(url, key_file) as client:
        found = client.latest(park, cadence)
        if as_json:
            return json_lines(found)
        return table(
            ("station | 站点", "property | 因子", "time | 时间", "value | 数值", "flag | 标记"),
            (
                (one.station_id, one.property_id, local(one.time), number(one.value, one.unit), one.quality)
                for one in found
            ),
        )


@readings.command()
def get(
    url: Url,
    park: ParkId,
    station: Station,
    property_id: Property,
    start: Annotated[str, typer.Option("--start", metavar="TIME", help="2026-03-01T00:00+08:00, included | 起")],
    end: Annotated[str, typer.Option("--end", metavar="TIME", help="2026-03-02T00:00+08:00, not included | 止")],
    resolution: Annotated[Resolution, typer.Option(help="of the values | 分辨率")] = "auto",
    cadence: Cadence = "realtime",
    key_file: KeyFile = None,
) -> None:
    """A span of one datastream as CSV on standard output | 查询时段数据（CSV）."""
    span = _moment("--start", start), _moment("--end", end)
    with knock(url, key_file) as client:
        datastream_id = _datastream(client, park, station, property_id, cadence)
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(("station", "property", "time", "value", "quality", "unit", "resolution"))
        for series in client.observations(park, [datastream_id], *span, resolution):
            for time, value, quality in zip(series.time, series.value, series.quality, strict=True):
                row = (station, property_id, time.isoformat(), value, quality, series.unit, series.resolution)
                writer.writerow(row)


@readings.command()
def send(
    file: Annotated[Path, typer.Argument(metavar="FILE.CSV", help="station,property,time,value and a row a line")],
    url: Url,
    park: ParkId,
    timezone: Annotated[
        str | None, typer.Option(metavar="ZONE", help="of times without an offset, such as Asia/Shanghai | 时区")
    ] = None,
    encoding: Annotated[str, typer.Option(help="of the file; gb18030 for Excel in Chinese | 编码")] = "utf-8",
    key_file: KeyFile = None,
) -> None:
    """Store the readings of a CSV file. Sending it again does no harm | 上报 CSV 数据（可重复发送）."""
    counts = dict.fromkeys(("accepted", "duplicate", "conflicting", "refused"), 0)
    told: list[str] = []
    with knock(url, key_file) as client:
        for part in parts(file, encoding):
            try:
                result = client.send_csv(park, part.table, timezone)
            except FencelineError:
                _tell(counts, told)
                raise
            for name in counts:
                counts[name] += getattr(result, name)
            told += _reasons(part, result.results)
    _tell(counts, told)
    if counts["refused"] or counts["conflicting"]:
        raise Refusal(
            f"{file}: {counts['refused']} rows were refused and {counts['conflicting']} conflict with what is stored",
            f"{counts['refused']} 行被拒绝，{counts['conflicting']} 行与已有数据冲突",
        )


def _reasons(part: Part, results: list[RowResult]) -> list[str]:
    return [
        f"line {part.lines[one.index]}: {one.status}: {one.detail or 'another value is stored for this time'}"
        for one in results
        if one.status in ("refused", "conflicting")
    ]


def _tell(counts: dict[str, int], told: list[str]) -> None:
    for one in told[:SHOWN_REFUSALS]:
        line(one)
    if len(told) > SHOWN_REFUSALS:
        line(f"... and {len(told) - SHOWN_REFUSALS} more | 其余略")
    line(", ".join(f"{name} {count}" for name, count in counts.items()))


def _moment(option: str, text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise Refusal(
            f"{option}: {text!r} is not a time such as 2026-03-01T08:00+08:00", f"{option}：时间格式有误"
        ) from error
    # Without an offset: of the machine's zone, as somebody at its keyboard means it.
    return moment.astimezone() if moment.utcoffset() is None else moment


def _datastream(client: Client, park: str, station: str, property_id: str, cadence: str) -> int:
    found = next((one for one in client.stations(park) if one.code == station), None)
    if found is None:
        raise Refusal(f"--station: {park} has no station {station!r}", f"--station：园区没有站点 {station}")
    for stream in found.datastreams:
        if (stream.property_id, stream.cadence) == (property_id, cadence):
            return stream.id
    known = ", ".join(f"{stream.property_id} ({stream.cadence})" for stream in found.datastreams)
    raise Refusal(
        f"--property: {station} does not measure {property_id} ({cadence}); it measures {known or 'nothing'}",
        f"--property：站点 {station} 没有该因子",
    )
