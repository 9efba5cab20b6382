"""A database of the first release goes on under the ones that follow."""

import psycopg

from shared.migrate import migrate


def test_positions_and_counts_are_taken_over(empty_database_url: str) -> None:
    migrate(empty_database_url, "alerts", "0001")
    with psycopg.connect(empty_database_url, autocommit=True) as connection:
        connection.execute("SET search_path TO alerts")
        connection.execute("INSERT INTO position (stream, position) VALUES ('observations.3', 42)")
        connection.execute(
            "INSERT INTO evaluation_state (datastream_id, rule_id, document, too_late, backfilled, ahead) "
            "VALUES (1, 'level.a', '{}', 1, 2, 3), (1, 'level.b', '{}', 4, 5, 6)"
        )
    migrate(empty_database_url, "alerts", "0002")
    with psycopg.connect(empty_database_url, autocommit=True) as connection:
        connection.execute("SET search_path TO alerts")
        assert connection.execute("SELECT stream, position, state FROM checkpoint").fetchall() == [
            ("observations.3", 42, b"")
        ]
        assert connection.execute("SELECT * FROM passed_over").fetchall() == [(1, 5, 7, 9)]
