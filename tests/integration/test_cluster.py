import io
import os
import pwd
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from geoapi.cluster import ROLES, Cluster
from geoapi.postgresql import find_installation, get_installation, install_line
from ler.blobs import FolderStore
from ler.errors import InputError, UnavailableError
from ler.settings import Settings

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can act as another user")


@pytest.fixture
def cluster(home: Path) -> Cluster:
    return Cluster(home, durable=False)


@pytest.fixture
def running(cluster: Cluster) -> Cluster:
    assert cluster.start()
    return cluster


def _ask(cluster: Cluster, query: str, database: str = "postgres") -> object:
    with psycopg.connect(cluster.url(database).replace("+psycopg", "")) as connection:
        row = connection.execute(query.encode()).fetchone()
    assert row is not None
    return row[0]


def test_the_first_start_makes_a_cluster_that_says_where_it_is(cluster: Cluster) -> None:
    before = cluster.status()
    assert not before.running
    assert before.pid is None
    assert cluster.start()
    status = cluster.status()
    assert status.running
    assert status.pid is not None
    assert Path(f"/proc/{status.pid}/exe").exists()
    assert status.version == str(_ask(cluster, "SHOW server_version")).split()[0]
    assert status.postgis
    assert status.data_dir.is_dir()
    assert status.log_file.is_file()


def test_files_kept_before_the_first_start_do_not_shut_the_server_out(home: Path) -> None:
    stored = FolderStore(Settings(home=home).blob_folder).put(io.BytesIO(b"a drawing"))
    cluster = Cluster(home, durable=False)
    assert cluster.start()
    assert cluster.stop()
    FolderStore(home / "blobs").open(stored.sha256, verify=True).close()


def test_a_second_start_and_a_second_stop_do_nothing(running: Cluster) -> None:
    pid = running.status().pid
    assert not running.start()
    assert running.status().pid == pid
    assert running.stop()
    assert not running.stop()
    assert not running.status().running
    assert running.start()


def test_the_cluster_is_utf8_with_checksums_and_without_jit(running: Cluster) -> None:
    running.ensure_database("ler")
    assert _ask(running, "SHOW server_encoding", "ler") == "UTF8"
    assert _ask(running, "SELECT datcollate FROM pg_database WHERE datname = 'ler'") == "C.UTF-8"
    assert _ask(running, "SHOW data_checksums") == "on"
    assert _ask(running, "SHOW jit") == "off"
    assert _ask(running, "SHOW shared_buffers") == "256MB"


def test_a_cluster_made_for_tests_is_durable_when_started_for_real(running: Cluster) -> None:
    settings = ("fsync", "full_page_writes", "synchronous_commit")
    assert [_ask(running, f"SHOW {it}") for it in settings] == ["off"] * 3
    running.stop()
    real = Cluster(running.home)
    real.start()
    assert [_ask(real, f"SHOW {it}") for it in settings] == ["on"] * 3


def test_postgis_can_be_created(running: Cluster) -> None:
    running.ensure_database("ler")
    with psycopg.connect(running.url("ler").replace("+psycopg", "")) as connection:
        connection.execute("CREATE EXTENSION postgis")
    told = running.status().postgis
    assert told is not None
    assert told in str(_ask(running, "SELECT postgis_lib_version()", "ler"))


def test_databases_are_created_once_and_dropped_with_their_connections(running: Cluster) -> None:
    assert running.ensure_database("ler")
    assert not running.ensure_database("ler")
    left_open = psycopg.connect(running.url("ler").replace("+psycopg", ""))
    running.drop_database("ler")
    running.drop_database("ler")
    left_open.close()
    assert _ask(running, "SELECT count(*) FROM pg_database WHERE datname = 'ler'") == 0


@pytest.mark.parametrize("name", ["", "Ler", "1ler", "ler-1", "a" * 64, 'ler"; --', "postgres", "template1"])
def test_a_bad_database_name_is_refused(cluster: Cluster, name: str) -> None:
    with pytest.raises(InputError, match="is no name for a database"):
        cluster.ensure_database(name)
    with pytest.raises(InputError, match="is no name for a database"):
        cluster.drop_database(name)


def test_addresses_are_given_for_the_four_roles_only(cluster: Cluster) -> None:
    for role in ROLES:
        assert cluster.url("ler", role) == f"postgresql+psycopg://{role}@/ler?host={cluster.socket_dir}"
    with pytest.raises(InputError, match="No role 'somebody'"):
        cluster.url("ler", "somebody")


def test_a_path_with_spaces_works_in_addresses(home: Path) -> None:
    odd = Cluster(home / "a b+c", durable=False)
    try:
        odd.start()
        host = odd.url("postgres").partition("?host=")[2]
        assert " " not in host
        assert "+" not in host
        with psycopg.connect(odd.url("postgres").replace("+psycopg", "", 1)) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
    finally:
        odd.stop()


def test_a_stopped_cluster_says_how_to_start_it(cluster: Cluster) -> None:
    with pytest.raises(UnavailableError, match="ler db start"):
        cluster.ensure_database("ler")


def test_two_starts_at_once_make_one_server(home: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from geoapi.cluster import Cluster;"
        "print(Cluster(Path(sys.argv[1]), durable=False).start())"
    )
    command = [sys.executable, "-c", code, str(home)]

    def start(_: int) -> str:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(start, range(4))) == ["False", "False", "False", "True"]


def test_a_killed_initdb_leaves_nothing_half_made(cluster: Cluster) -> None:
    stopped = threading.Event()

    def kill_the_first_initdb() -> None:
        while not stopped.is_set():
            for part in cluster.home.glob("data.part-*"):
                found = subprocess.run(["pgrep", "-f", f"initdb -D {part}"], capture_output=True, check=False)
                for pid in found.stdout.split():
                    os.kill(int(pid), signal.SIGKILL)
                    return

    killer = threading.Thread(target=kill_the_first_initdb)
    killer.start()
    with pytest.raises(UnavailableError, match="could not be made"):
        cluster.start()
    stopped.set()
    killer.join()
    assert not cluster.data_dir.exists()
    (cluster.home / "data.part-left").mkdir()
    assert cluster.start()
    assert sorted(it.name for it in cluster.home.iterdir()) == ["data", "lock", "log", "socket"]


def test_after_the_server_was_killed_a_start_waits_for_its_backends(running: Cluster) -> None:
    lock = running.data_dir / "postmaster.pid"
    busy = psycopg.connect(running.url("postgres").replace("+psycopg", ""), autocommit=True)
    # Computing in one long query, the backend does not notice that its parent has gone.
    query = "SELECT count(*) FROM generate_series(1, 4000000) AS a WHERE md5(a::text) = ''"
    working = threading.Thread(target=_run_until_cut, args=(busy, query))
    working.start()
    time.sleep(0.3)
    pid = running.status().pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    before = lock.stat().st_ino
    assert not running.status().running
    with ThreadPoolExecutor(1) as pool:
        start = pool.submit(running.start)
        seen = set()
        while working.is_alive():
            seen.add(lock.stat().st_ino)
            time.sleep(0.01)
        assert start.result()
    busy.close()
    assert seen == {before}, "the lock file was touched while a backend was alive"
    said = running.log_file.read_text(encoding="utf-8")
    assert re.search(r'lock file "postmaster.pid" already exists|still in use', said)
    assert running.status().pid != pid


def _run_until_cut(connection: psycopg.Connection, query: str) -> None:
    try:
        connection.execute(query.encode())
    except psycopg.OperationalError:
        return


def test_a_stale_lock_of_a_dead_server_does_not_stop_the_start(running: Cluster) -> None:
    pid = running.status().pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    assert running.start()
    assert running.status().pid != pid


def test_another_mistake_is_not_waited_for(running: Cluster) -> None:
    running.stop()
    with (running.data_dir / "postgresql.conf").open("a", encoding="utf-8") as conf:
        conf.write("no_such_setting = 1\n")
    began = time.monotonic()
    with pytest.raises(UnavailableError, match=r"did not start.*postgresql\.log"):
        running.start()
    assert time.monotonic() - began < 5


def test_folders_and_files_are_closed_to_others(running: Cluster) -> None:
    for folder in (running.data_dir, running.socket_dir, running.log_file.parent):
        assert folder.stat().st_mode & 0o777 == 0o700
    assert running.home.stat().st_mode & 0o007 == 0
    for path in running.home.rglob("*"):
        assert path.stat().st_mode & 0o077 == 0, path


@needs_root
def test_another_user_reaches_neither_the_folder_nor_the_server(running: Cluster) -> None:
    nobody = pwd.getpwnam("nobody").pw_uid
    # Even with the folders opened by mistake, the server itself refuses.
    for open_by_mistake in (False, True):
        if open_by_mistake:
            running.home.chmod(0o755)
            running.socket_dir.chmod(0o755)
            (running.socket_dir / ".s.PGSQL.5432").chmod(0o777)
        command = ["psql", "-h", str(running.socket_dir), "-U", "postgres", "-c", "SELECT 1", "postgres"]
        done = subprocess.run(command, user=nobody, capture_output=True, text=True, cwd="/", check=False)
        assert done.returncode != 0
        assert ("Peer authentication failed" in done.stderr) is open_by_mistake


@needs_root
def test_root_may_log_in_as_each_of_the_roles_and_the_server_runs_as_postgres(running: Cluster) -> None:
    with psycopg.connect(running.url("postgres").replace("+psycopg", ""), autocommit=True) as connection:
        for role in ROLES[1:]:
            connection.execute(f"CREATE ROLE {role} LOGIN".encode())
        connection.execute("CREATE ROLE somebody LOGIN SUPERUSER")
    for role in ROLES:
        with psycopg.connect(running.url("postgres", role).replace("+psycopg", "")) as connection:
            assert connection.execute("SELECT current_user").fetchone() == (role,)
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(host=str(running.socket_dir), dbname="postgres", user="somebody")
    assert Path(f"/proc/{running.status().pid}").stat().st_uid == pwd.getpwnam("postgres").pw_uid


def test_no_tcp_port_is_opened_whatever_the_file_says(running: Cluster) -> None:
    running.stop()
    with (running.data_dir / "postgresql.conf").open("a", encoding="utf-8") as conf:
        conf.write("listen_addresses = '*'\nport = 54329\n")
    running.start()
    assert _ask(running, "SHOW listen_addresses") == ""
    pid = running.status().pid
    sockets = {str(it.readlink()) for it in Path(f"/proc/{pid}/fd").iterdir()}
    inodes = {it[8:-1] for it in sockets if it.startswith("socket:[")}
    for table in ("tcp", "tcp6", "udp", "udp6"):
        rows = Path(f"/proc/{pid}/net/{table}").read_text(encoding="ascii").splitlines()[1:]
        assert not [row for row in rows if row.split()[9] in inodes]


def test_variables_of_postgresql_around_us_change_nothing(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"PGPORT": "1", "PGDATA": "/nowhere", "PGOPTIONS": "-c port=2", "PGHOST": "x"}.items():
        monkeypatch.setenv(name, value)
    cluster.start()
    assert cluster.status().running
    assert not cluster.start()


def test_a_path_too_long_for_a_socket_is_refused_before_anything_is_made(home: Path) -> None:
    long = home / ("x" * 100)
    with pytest.raises(InputError, match=r"too long: .* may have 107"):
        Cluster(long).start()
    assert not home.exists()


@pytest.mark.parametrize("bad", ["a,b", "a'b", 'a"b', "a\\b", "a\nb"])
def test_a_path_that_postgresql_would_misread_is_refused(home: Path, bad: str) -> None:
    with pytest.raises(InputError, match="comma, quote"):
        Cluster(home / bad).start()


@needs_root
def test_a_folder_closed_to_the_server_is_refused(home: Path) -> None:
    home.parent.chmod(0o700)
    with pytest.raises(InputError, match="who cannot enter"):
        Cluster(home).start()


@needs_root
def test_a_folder_of_a_stranger_is_refused(home: Path) -> None:
    home.mkdir()
    os.chown(home, pwd.getpwnam("nobody").pw_uid, -1)
    with pytest.raises(InputError, match="belongs to the user"):
        Cluster(home).start()


@needs_root
def test_a_cluster_of_an_ordinary_user_is_theirs(home: Path) -> None:
    nobody = pwd.getpwnam("nobody")
    os.chown(home.parent, nobody.pw_uid, nobody.pw_gid)
    child = os.fork()
    if child == 0:
        code = 1
        try:
            os.setgroups([])
            os.setgid(nobody.pw_gid)
            os.setuid(nobody.pw_uid)
            mine = Cluster(home, durable=False)
            started = mine.start() and mine.ensure_database("ler")
            owner = home.stat().st_uid == nobody.pw_uid and mine.data_dir.stat().st_uid == nobody.pw_uid
            code = 0 if started and owner and mine.stop() else 1
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    with pytest.raises(InputError, match="belongs to the user"):
        Cluster(home).start()
    os.chown(home, 0, 0)
    with pytest.raises(UnavailableError, match="Run the command as its owner"):
        Cluster(home).start()
    shutil.rmtree(home)


def test_without_postgresql_the_words_say_what_to_run(home: Path, tmp_path: Path) -> None:
    bare = Cluster(home, binaries=[tmp_path])
    with pytest.raises(UnavailableError, match="PostgreSQL 15 or newer is not installed") as caught:
        bare.start()
    assert str(caught.value).endswith(
        "Run: sudo apt-get update && sudo apt-get install -y postgresql postgresql-postgis"
    )
    assert not home.exists()
    assert bare.status().version is None


def test_without_postgis_the_words_name_the_package_of_that_version(home: Path, tmp_path: Path) -> None:
    real = get_installation()
    bindir = tmp_path / "bin"
    bindir.mkdir()
    for name in ("initdb", "pg_ctl", "pg_isready", "postgres"):
        (bindir / name).symlink_to(real.bindir / name)
    (bindir / "pg_config").write_text(f"#!/bin/sh\necho {tmp_path}\n", encoding="utf-8")
    (bindir / "pg_config").chmod(0o755)
    with pytest.raises(UnavailableError, match="PostGIS for PostgreSQL") as caught:
        Cluster(home, binaries=[bindir]).start()
    assert str(caught.value).endswith(f"postgresql-{real.major} postgresql-{real.major}-postgis-3")


def test_a_cluster_of_a_version_that_is_gone_names_that_version(running: Cluster) -> None:
    running.stop()
    (running.data_dir / "PG_VERSION").write_text("14\n", encoding="ascii")
    with pytest.raises(UnavailableError, match=r"PostgreSQL 14, which made .* postgresql-14-postgis-3"):
        running.start()
    installation = find_installation()
    assert installation is not None
    (running.data_dir / "PG_VERSION").write_text(f"{installation.major}\n", encoding="ascii")


def test_the_line_to_run_fits_the_version() -> None:
    assert install_line(17).endswith("postgresql-17 postgresql-17-postgis-3")
