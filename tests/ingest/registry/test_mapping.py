"""Mappings as files: what goes out comes in again, and what is wrong is told with its line."""

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.registry.mapping import (
    COLUMNS,
    MappingError,
    ParkMapping,
    StationMapping,
    read_csv,
    read_json,
    read_yaml,
    write_csv,
    write_yaml,
)
from shared.park_file import Datastream, Device
from tests.ingest.parks import park, station
from tests.ingest.running import Running

URL = "/parks/test-park/mapping"
HEADER = "station,mn,password,property,factor,unit,standard_state_c,cadences\n"

_codes = st.from_regex(r"[a-z0-9][a-z0-9-]{0,10}", fullmatch=True)
_texts = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S", "Zs")), min_size=1, max_size=16)
_limits = st.none() | st.floats(min_value=0.001, max_value=1e6)
_devices = st.builds(
    Device,
    mn=st.from_regex(r"[A-Z0-9+@'_-]{1,24}", fullmatch=True).filter(lambda mn: "E+" not in mn),
    password=st.none() | _texts,
    crc_mode=st.sampled_from(["hj212", "modbus", "off"]),
    acknowledge=st.sampled_from(["standard", "never"]),
    sm4_key=st.none() | st.from_regex(r"[\x21-\x7e]{16}", fullmatch=True),
    silent_after_s=st.none() | st.floats(min_value=30, max_value=604_800),
)
_datastreams = st.builds(
    Datastream,
    property=st.sampled_from(["chlorine", "ammonia", "wind-speed"]),
    factor=st.none() | st.from_regex(r"[a-z0-9]{1,8}", fullmatch=True),
    unit=st.none() | st.sampled_from(["mg/m3", "ppm"]),
    standard_state_c=st.sampled_from([0, 20, 25]),
    at_measured_state=st.booleans(),
    cadences=st.lists(st.sampled_from(["realtime", "minute", "hour", "day"]), min_size=1, max_size=4, unique=True),
    range_upper=_limits,
    detection_limit=_limits,
    sensor=st.none() | _texts.filter(str.strip),
)
_stations = st.builds(
    StationMapping,
    station=_codes,
    device=st.none() | _devices,
    datastreams=st.lists(
        _datastreams, min_size=1, max_size=3, unique_by=(lambda entry: entry.property, Datastream.factor_code)
    ),
)


def _mn(entry: StationMapping) -> str:
    return entry.device.mn if entry.device else f"none at {entry.station}"


_mappings = st.builds(
    ParkMapping, stations=st.lists(_stations, max_size=4, unique_by=(lambda entry: entry.station, _mn))
)


@given(_mappings)
def test_what_is_written_is_read_back(mapping: ParkMapping) -> None:
    assert read_yaml(write_yaml(mapping).encode()) == mapping
    assert read_csv("".join(write_csv(mapping)).encode()) == mapping
    assert read_json(mapping.model_dump_json().encode()) == mapping


@given(st.binary(max_size=300) | st.text(max_size=300).map(str.encode))
def test_no_file_raises_anything_but_its_faults(body: bytes) -> None:
    for read in (read_csv, read_yaml, read_json):
        with suppress(MappingError):
            read(body)


def test_a_spreadsheet_takes_no_cell_for_a_formula() -> None:
    given = {"station": "s1", "device": {"mn": "-1", "password": "=1+1"}, "datastreams": [{"property": "chlorine"}]}
    lines = "".join(write_csv(ParkMapping.model_validate({"stations": [given]})))
    assert ",'=1+1," in lines
    assert ",'-1," in lines


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("", "line 1: the columns station, property"),
        ("station,property,colour\n", "line 1: unknown columns colour"),
        ("station,property,property\n", "named twice"),
        (HEADER + "s1,A1,,chlorine,,furlong,,\n", "line 2, unit: Input should be 'mg/m3'"),
        (HEADER + "s1,A1,,chlorine,,,,\ns1,A1,,gold,,,,\n", "line 3, property: Value error, unknown observed property"),
        (HEADER + "s1,A1,,chlorine,,,,\ns1,A2,,ammonia,,,,\n", "line 3: another device than in line 2"),
        (HEADER + "s1,A1,,chlorine,,,,\ns2,A1,,ammonia,,,,\n", "device MN given twice: A1"),
        (HEADER + "s1,A1,,chlorine,,,,\ns1,A1,,chlorine,,,,\n", "line 2: Value error, property given twice"),
        (HEADER + "s1,1.2E+23,,chlorine,,,,\n", "line 2, mn: a spreadsheet has rounded"),
        (HEADER + "s1,,secret,chlorine,,,,\n", "line 2, mn: Field required"),
        (HEADER + "s1,A1\n", "line 2: 2 cells"),
        (HEADER + '"s1\n', "not CSV"),
    ],
)
def test_a_fault_of_a_csv_is_told_with_its_line(body: str, said: str) -> None:
    with pytest.raises(MappingError) as raised:
        read_csv(body.encode())
    assert said in str(raised.value)


def test_csv_of_another_encoding_is_told() -> None:
    with pytest.raises(MappingError, match="CSV UTF-8"):
        read_csv("station,property\n监测站,chlorine\n".encode("gb18030"))


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("stations: [{station: s1, datastreams: [{property: gold}]}]", "stations/0/datastreams/0/property"),
        ("stations: {", "not YAML"),
        ("a: &a [1]\nb: *a", "references"),
        ("[" * 40 + "]" * 40, "nested deeper"),
        ("#" * (4 * 1024 * 1024 + 1), "send CSV"),
        ("[1]", "document"),
    ],
)
def test_a_fault_of_a_yaml_is_told_with_its_place(body: str, said: str) -> None:
    with pytest.raises(MappingError) as raised:
        read_yaml(body.encode())
    assert said in str(raised.value)


async def put(ingest: Running, body: str, kind: str) -> dict[str, Any]:
    answer = await ingest.http.put(URL, content=body.encode(), headers={"content-type": kind})
    assert answer.status_code == 200, answer.text
    taken: dict[str, Any] = answer.json()
    return taken


FULL = park(
    station(
        "s1",
        "A1",
        device={"password": "000123", "crc_mode": "arc", "acknowledge": "always", "silent_after_s": 900.0}
        | {"sm4_key": "0123456789abcdef"},
        datastreams=[
            {"property": "chlorine", "factor": "11", "unit": "ppm", "standard_state_c": 0, "cadences": ["hour"]}
            | {"range_upper": 30.5, "detection_limit": 0.1, "at_measured_state": True}
            | {"sensor": "=Maker, 型号 7", "sensor_metadata": "https://example.org/7.pdf"},
            {"property": "ammonia"},
        ],
    ),
    station("s2", None),
)


@pytest.mark.parametrize("kind", ["text/csv", "application/yaml", "application/json"])
async def test_a_whole_park_goes_out_and_comes_in_again(ingest: Running, kind: str) -> None:
    taken = await ingest.put_park(FULL)
    tables = "SELECT to_jsonb(d) FROM {} d ORDER BY 1"
    before = [await ingest.rows(tables.format(table)) for table in ("device", "datastream")]
    exported = await ingest.http.get(URL, params={"format": kind.partition("/")[2]})
    assert exported.headers["content-type"].startswith(kind)
    assert "test-park-mapping" in exported.headers["content-disposition"]
    assert await put(ingest, exported.text, kind) == taken
    assert [await ingest.rows(tables.format(table)) for table in ("device", "datastream")] == before


async def test_every_field_of_the_registry_is_exported(ingest: Running) -> None:
    await ingest.put_park(FULL)
    first = json.loads((await ingest.http.get(URL, params={"format": "json"})).text)["stations"][0]
    given = FULL["stations"][0]
    assert set(Device.model_fields) | set(Datastream.model_fields) | {"station"} == set(COLUMNS)
    assert first["device"] == given["device"]
    assert {name: first["datastreams"][1][name] for name in given["datastreams"][0]} == given["datastreams"][0]
    assert set(given["device"]) == set(Device.model_fields), "the sample leaves no field out"
    assert set(given["datastreams"][0]) == set(Datastream.model_fields)


async def test_stations_that_a_file_does_not_name_keep_theirs(ingest: Running) -> None:
    await ingest.put_park(park(station("s1", "A1"), station("s2", "A2")))
    taken = await put(ingest, HEADER + "s2,B2,,chlorine,x1,ug/m3,,realtime\n", "text/csv; charset=utf-8")
    assert taken == {"stations": 2, "datastreams": 7}
    devices = ingest.state.registry.snapshot.devices
    assert set(devices) == {"A1", "B2"}
    assert [(key, stream.scale) for key, stream in devices["B2"].streams.items()] == [(("x1", "realtime"), 1e-3)]
    only = await ingest.http.get(URL, params={"format": "json", "station": "s2"})
    assert [entry["station"] for entry in only.json()["stations"]] == ["s2"]


async def test_a_mapping_is_announced(ingest: Running) -> None:
    await ingest.put_park(park(station("s1", "A1")))
    await put(ingest, HEADER + "s1,A1,,chlorine,,,,\n", "text/csv")
    assert len((await ingest.get("/facts/registry"))["items"]) == 2


@pytest.mark.parametrize(
    ("body", "kind", "status", "said"),
    [
        (HEADER + "s9,A9,,chlorine,,,,\n", "text/csv", 422, "no station s9"),
        (HEADER + "s1,A1,,tvoc,,ppm,,\n", "text/csv", 422, "mixture"),
        (HEADER + "s1,B1,,chlorine,,,,\n", "text/csv", 409, "B1"),
        (HEADER + "s1,A2,,chlorine,,,,\n", "text/csv", 409, "A2"),
        (HEADER + "s1,A1,,gold,,,,\n", "text/csv", 422, "line 2, property"),
        ("x", "text/plain", 415, "text/csv"),
    ],
)
async def test_a_mapping_that_cannot_be_taken_changes_nothing(
    ingest: Running, body: str, kind: str, status: int, said: str
) -> None:
    await ingest.put_park(park(station("s1", "A1"), station("s2", "A2")))
    await ingest.put_park(park(station("s1", "B1"), park_id="other"))
    before = (await ingest.http.get(URL)).text
    answer = await ingest.http.put(URL, content=body.encode(), headers={"content-type": kind})
    assert answer.status_code == status
    assert said in answer.text
    assert (await ingest.http.get(URL)).text == before


async def test_a_park_that_is_not_there_has_no_mapping(ingest: Running) -> None:
    assert (await ingest.http.get("/parks/nowhere/mapping")).status_code == 404
    answer = await ingest.http.put("/parks/nowhere/mapping", content=HEADER, headers={"content-type": "text/csv"})
    assert answer.status_code == 404
