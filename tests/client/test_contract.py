"""What the client expects is what the services tell: held against their own schemas."""

from typing import Any

import pytest
from pydantic import BaseModel

from fenceline_client import models, operations
from fenceline_client.operations import API, MAX_ROWS, Operation
from services.alerts.api.schemas import AlarmOut, AlarmWithJournal, JournalEntry
from services.gateway.events.event import Kind
from services.gateway.routing import ROUTES
from services.ingest.schemas import changes, intake, registry, series, uploads
from services.model.runs.result import Run
from shared.messages import AlarmChanged, RunChanged
from tests.client import told

PAIRS: list[tuple[type[BaseModel], type[BaseModel]]] = [
    (models.Park, registry.Park),
    (models.Location, registry.Location),
    (models.Station, registry.Station),
    (models.Datastream, registry.StationDatastream),
    (models.Device, registry.DeviceCounters),
    (models.LatestValue, series.LatestValue),
    (models.Series, series.Series),
    (models.Reading, intake.ObservationRow),
    (models.RowResult, intake.RowResult),
    (models.BatchResult, intake.BatchResult),
    (models.Upload, uploads.Upload),
    (models.UploadRefusal, uploads.UploadRefusal),
    (models.Change, changes.Change),
    (models.ChangePage, changes.ChangePage),
    (models.Alarm, AlarmOut),
    (models.AlarmWithJournal, AlarmWithJournal),
    (models.JournalEntry, JournalEntry),
    (models.Run, Run),
    (models.AlarmChanged, AlarmChanged),
    (models.RunChanged, RunChanged),
]


@pytest.mark.parametrize(("ours", "theirs"), PAIRS, ids=[ours.__name__ for ours, _ in PAIRS])
def test_every_field_is_one_of_the_service(ours: type[BaseModel], theirs: type[BaseModel]) -> None:
    assert set(ours.model_fields) <= set(theirs.model_fields)
    for name, field in ours.model_fields.items() if issubclass(ours, models.Told) else ():
        may_be_null = type(None) in getattr(theirs.model_fields[name].annotation, "__args__", ())
        can_take_null = type(None) in getattr(field.annotation, "__args__", ())
        assert can_take_null or not may_be_null, name


def test_what_the_services_write_is_read() -> None:
    station = models.Station.model_validate(told.station("s01"))
    assert (station.name.zh, station.datastreams[0].unit) == ("s01号", "mg/m3")
    assert station.model_extra is not None
    assert station.model_extra["properties"] == {}
    assert models.Alarm.model_validate(told.alarm()).raised_at == told.MOMENT
    assert models.LatestValue.model_validate(told.latest()).value == 0.12
    assert models.Park.model_validate(told.park()).timezone == "Asia/Shanghai"
    assert not models.Run.model_validate(told.run("running")).is_final


def test_every_operation_is_a_route_of_the_gateway() -> None:
    asked: list[Operation[Any]] = [
        operations.stations("{park_id}"),
        operations.latest("{park_id}"),
        operations.observations("{park_id}", [1], told.MOMENT, told.MOMENT),
        operations.changes("{park_id}"),
        operations.send_csv("{park_id}", b""),
        operations.upload_progress("{park_id}", "{upload_id}"),
        operations.upload_refusals("{park_id}", "{upload_id}"),
        operations.alarms("{park_id}"),
        operations.alarm("{park_id}", "{alarm_id}"),
        operations.acknowledge("{park_id}", "{alarm_id}"),
        operations.runs("{park_id}"),
        operations.run("{park_id}", "{run_id}"),
        operations.start_run("{park_id}", {}),
        operations.cancel_run("{park_id}", "{run_id}"),
    ]
    routes = {(route.method, API + route.path.replace("{", "%7B").replace("}", "%7D")) for route in ROUTES}
    assert [(one.method, one.path) for one in asked if (one.method, one.path) not in routes] == []


def test_numbers_and_kinds_are_those_of_the_services() -> None:
    assert MAX_ROWS == intake.MAX_ROWS
    assert {"alarm", "run"} <= set(Kind)
