from pathlib import Path

import psycopg
import pytest
from typer.testing import CliRunner, Result

from geoapi.cli.db import app
from geoapi.cluster import Cluster
from tests.databases import Database

ELSEWHERE = "postgresql+psycopg://postgres:secret@127.0.0.1:1/ler"


@pytest.fixture
def private(home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Cluster:
    monkeypatch.chdir(tmp_path)  # away from a developer's own .env
    monkeypatch.setenv("LER_HOME", str(home))
    monkeypatch.delenv("LER_DATABASE_URL", raising=False)
    return Cluster(home)


def run(*words: str, typed: str | None = None) -> Result:
    return CliRunner().invoke(app, words, input=typed)


def test_the_life_of_a_private_database(private: Cluster) -> None:
    assert "stopped" in run("status").stdout
    started = run("start")
    assert started.exit_code == 0
    assert not started.stdout
    assert "has been started" in started.stderr
    assert "runs already" in run("start").stderr
    told = run("status").stdout
    assert f"running (process {private.status().pid})" in told
    assert str(private.log_file) in told
    assert "has been stopped" in run("stop").stderr
    assert "did not run" in run("stop").stderr


def test_migrate_starts_and_creates_what_is_missing(private: Cluster) -> None:
    first = run("migrate")
    assert first.exit_code == 0, first.stderr
    assert first.stdout.strip()
    assert private.status().running
    second = run("migrate")
    assert not second.stdout
    assert "up to date" in second.stderr


def test_reset_empties_the_database_only_after_a_yes(private: Cluster) -> None:
    run("migrate")
    with psycopg.connect(private.url("ler").replace("+psycopg", "")) as connection:
        connection.execute("CREATE TABLE mine (x integer)")

    def is_there() -> bool:
        with psycopg.connect(private.url("ler").replace("+psycopg", "")) as connection:
            row = connection.execute("SELECT to_regclass('mine') IS NOT NULL").fetchone()
        return row == (True,)

    assert run("reset", typed="n\n").exit_code == 1
    assert is_there()
    assert run("reset", "--yes").exit_code == 0
    assert not is_there()


@pytest.mark.parametrize("command", [["start"], ["stop"], ["reset", "--yes"]])
def test_a_database_kept_elsewhere_is_left_alone(
    private: Cluster, monkeypatch: pytest.MonkeyPatch, command: list[str]
) -> None:
    monkeypatch.setenv("LER_DATABASE_URL", ELSEWHERE)
    done = run(*command)
    assert done.exit_code == 2
    assert "kept elsewhere" in done.stderr
    assert not done.stdout
    assert not private.home.exists()


def test_status_tells_of_a_database_kept_elsewhere(
    private: Cluster, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LER_DATABASE_URL", database.url())
    done = run("status")
    assert done.exit_code == 0, done.stderr
    assert "kept elsewhere" in done.stdout
    assert database.name in done.stdout
    assert not private.home.exists()


@pytest.mark.parametrize("url", [ELSEWHERE, "postgresql://u:secret@[/", "mysql://u:secret@h/d"])
def test_an_address_that_does_not_answer_is_told_without_its_password(
    private: Cluster, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("LER_DATABASE_URL", url)
    done = run("status")
    assert done.exit_code == 2
    assert "LER_DATABASE_URL" in done.stderr
    assert "secret" not in done.output
    assert not private.home.exists()


def test_migrate_takes_a_database_kept_elsewhere(
    private: Cluster, empty_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LER_DATABASE_URL", empty_database.url())
    assert run("migrate").stdout.strip()
    assert not run("migrate").stdout
    assert not private.home.exists()


def test_a_wrong_setting_is_named(private: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LER_MAX_UPLOAD_MB", "much")
    done = run("status")
    assert done.exit_code == 2
    assert "LER_MAX_UPLOAD_MB" in done.stderr
    assert not private.home.exists()
