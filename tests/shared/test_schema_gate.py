"""The gate that a service waits at until its migration has run."""

import threading

import psycopg
import pytest

from shared.migrate import migrate
from shared.schema_gate import is_new_enough, main, wait


def test_it_opens_when_the_migration_has_run(empty_database_url: str) -> None:
    assert not is_new_enough(empty_database_url, "model")
    migration = threading.Thread(target=migrate, args=(empty_database_url, "model"))
    migration.start()
    assert wait(empty_database_url, "model", 60.0) is None
    migration.join()
    assert is_new_enough(empty_database_url, "model")


def test_a_schema_of_the_last_version_is_too_old_and_one_of_the_next_is_not(empty_database_url: str) -> None:
    migrate(empty_database_url, "model", "0001")
    assert not is_new_enough(empty_database_url, "model"), "the last version's schema"
    migrate(empty_database_url, "model")
    with psycopg.connect(empty_database_url, autocommit=True) as connection:
        connection.execute("UPDATE model.alembic_version SET version_num = '9999'")
        assert is_new_enough(empty_database_url, "model"), "the next version's schema, this version's code"
        connection.execute("DELETE FROM model.alembic_version")
        assert not is_new_enough(empty_database_url, "model")


def test_it_says_why_it_stays_closed(
    empty_database_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FENCELINE_DATABASE_URL", empty_database_url)
    assert main(["gateway"]) == 2
    assert "python -m shared.migrate gateway" in capsys.readouterr().err
    monkeypatch.setenv("FENCELINE_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")
    assert main(["gateway"]) == 2
    assert "FENCELINE_DATABASE_URL cannot be asked" in capsys.readouterr().err
