"""`fenceline parks` and `fenceline stations`."""

from __future__ import annotations

from fenceline_client.commands.door import Json, KeyFile, ParkId, Url, knock
from fenceline_client.commands.show import json_lines, number, table


def parks(url: Url, key_file: KeyFile = None, as_json: Json = False) -> None:
    """The parks that the key sees | 可访问的园区."""
    with knock(url, key_file) as client:
        found = client.parks()
        if as_json:
            return json_lines(found)
        return table(
            ("park | 园区", "name | 名称", "time zone | 时区", "stations | 站点数"),
            ((park.id, f"{park.name.zh} | {park.name.en}", park.timezone, park.station_count) for park in found),
        )


def stations(url: Url, park: ParkId, key_file: KeyFile = None, as_json: Json = False) -> None:
    """The stations of a park and what each measures | 站点与监测因子."""
    with knock(url, key_file) as client:
        found = client.stations(park)
        if as_json:
            return json_lines(found)
        rows = (
            (station.code, f"{station.name.zh} | {station.name.en}", station.ring, stream.property_id, stream.cadence,
             stream.unit, number(stream.range_upper))
            for station in found
            for stream in station.datastreams
        )  # fmt: skip
        return table(
            ("station | 站点", "name | 名称", "ring | 位置", "property | 因子", "cadence | 周期", "unit | 单位",
             "range | 量程"),
            rows,
        )  # fmt: skip
