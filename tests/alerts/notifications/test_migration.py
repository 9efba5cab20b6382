"""Alarms from before calls were made are not forgotten."""

from uuid import UUID

import psycopg

from shared.migrate import migrate

OPEN, CLOSED = UUID(int=1), UUID(int=2)


def test_alarms_that_wait_already_are_called_about(empty_database_url: str) -> None:
    migrate(empty_database_url, "alerts", "0005")
    with psycopg.connect(empty_database_url, autocommit=True) as connection:
        connection.execute("SET search_path TO alerts")
        for name, state, closed in ((OPEN, "returned_unacknowledged", None), (CLOSED, "normal", "2026-06-01T09:00Z")):
            connection.execute(
                "INSERT INTO alarm (id, park_id, station_id, station_name_zh, station_name_en, ring, subject_key, "
                "rule_id, serial, entries, state, active, colour, peak_colour, raised_at, changed_at, recorded_at, "
                "closed_at) VALUES (%s, 'p', 'p.s1', 'a', 'a', 'source', 'k', 'silence', %s, 1, %s, false, 'blue', "
                "'blue', '2026-06-01T08:00Z', '2026-06-01T08:00Z', '2026-06-01T08:00Z', %s)",
                (name, name.int, state, closed),
            )
    migrate(empty_database_url, "alerts", "0006")
    with psycopg.connect(empty_database_url, autocommit=True) as connection:
        connection.execute("SET search_path TO alerts")
        found = connection.execute("SELECT alarm_id, park_id, colour, called, look_at <= now() FROM waiting").fetchall()
    assert found == [(OPEN, "p", "blue", [], True)]
