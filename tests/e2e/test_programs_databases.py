"""Databases with their files on a mount: SQLite, the DBM libraries, and what PostgreSQL writes beside its own directory."""

import os
import pathlib
import shutil
import signal
import sqlite3
import subprocess

import pytest

from support import machine
from support.place import LOCAL
from support.process import free_port
from support.programs import finish, run, start
from support.wait import until

MODES = ["delete", "truncate", "persist", "wal"]
ROWS = 300


def sqlite(path, *statements, **more):
    machine.require_program("sqlite3")
    return run("sqlite3", "-batch", "-bail", "-cmd", ".timeout 30000", path, " ".join(statements), **more)


def fill(path, mode, rows=ROWS):
    inserts = "insert into t select value, hex(randomblob(200)) from generate_series(%d, %d);"
    batches = [inserts % (first, first + rows // 10 - 1) for first in range(0, rows, rows // 10)]
    assert sqlite(path, f"pragma journal_mode={mode};").strip() == mode
    sqlite(path, f"pragma journal_mode={mode};", "create table t(id integer primary key, text); create index i on t(text);", *batches)


def assert_intact(path, rows=ROWS):
    assert sqlite(path, "pragma integrity_check; select count(*) from t;").split() == ["ok", str(rows)]


@pytest.mark.parametrize("mode", MODES)
def test_sqlite_is_intact_after_a_remount_and_vacuum(place, mode):
    path = place / "data.db"
    fill(path, mode)
    assert_intact(path)
    before = sqlite(path, "select * from t;")
    place.come_back()
    assert sqlite(path, "select * from t;") == before
    sqlite(path, "delete from t where id % 3 > 0;", "vacuum;")
    assert_intact(path, ROWS // 3)
    place.come_back()
    assert_intact(path, ROWS // 3)
    assert sorted(os.listdir(place.path)) == ["data.db"]


@pytest.mark.parametrize("mode", ["delete", "wal"])
def test_two_processes_insert_into_one_sqlite(place, mode):
    path = place / "data.db"
    fill(path, mode, rows=10)
    inserts = "".join("insert into t(text) values ('x');" for _ in range(25))
    writers = [start("sqlite3", "-bail", "-cmd", ".timeout 60000", path, inserts) for _ in range(2)]
    for writer in writers:
        finish(writer)
    assert_intact(path, 60)
    place.come_back()
    assert_intact(path, 60)


def test_a_reader_in_wal_mode_keeps_its_snapshot(place):
    """Both processes map one index of the log (-shm)."""
    path = place / "data.db"
    fill(path, "wal", rows=10)
    reader = sqlite3.connect(path, isolation_level=None)
    reader.execute("begin")
    assert reader.execute("select count(*) from t").fetchone() == (10,)
    sqlite(path, "insert into t(text) values ('new');")
    assert reader.execute("select count(*) from t").fetchone() == (10,)
    reader.execute("commit")
    assert reader.execute("select count(*) from t").fetchone() == (11,)
    assert reader.execute("pragma wal_checkpoint(truncate)").fetchone()[0] == 0
    reader.close()
    place.come_back()
    assert_intact(path, 11)


@pytest.mark.parametrize("mode", ["delete", "wal"])
def test_sqlite_rolls_back_what_a_killed_process_has_begun(place, mode):
    path = place / "data.db"
    fill(path, mode)
    writer = subprocess.Popen(["sqlite3", "-bail", str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    # The cache is so small that pages of the transaction are in the files before it is committed.
    writer.stdin.write("pragma cache_size=5; begin; update t set text = hex(randomblob(300)); select 'updated';\n")
    writer.stdin.flush()
    while writer.stdout.readline() != "updated\n":
        assert writer.poll() is None
    assert sorted(os.listdir(place.path)) == (["data.db", "data.db-journal"] if mode == "delete" else ["data.db", "data.db-shm", "data.db-wal"])
    writer.send_signal(signal.SIGKILL)
    writer.wait()
    writer.stdin.close()
    writer.stdout.close()
    assert_intact(path)
    assert sqlite(path, "select count(*) from t where length(text) = 600;").strip() == "0"
    place.come_back()
    assert_intact(path)


def test_sqlite_is_backed_up_dumped_and_restored(place):
    path = place / "data.db"
    fill(path, "delete")
    sqlite(path, f"vacuum into '{place.path}/vacuumed.db';")
    source, target = sqlite3.connect(path), sqlite3.connect(place / "copy.db")
    source.backup(target, pages=5)
    source.close()
    target.close()
    with open(place / "dump.sql", "w") as dump:
        subprocess.run(["sqlite3", str(path), ".dump"], stdout=dump, check=True, timeout=60)
    with open(place / "dump.sql") as dump:
        subprocess.run(["sqlite3", str(place / "restored.db")], stdin=dump, check=True, timeout=60)
    place.come_back()
    for name in ("vacuumed.db", "copy.db", "restored.db"):
        assert_intact(place / name)


DBM_SCRIPT = """
use strict; use Fcntl; use %(library)s;
my $open = sub { tie(my %%h, %(arguments)s) or die "$!"; return \\%%h };
my $file = $ARGV[1];
if ($ARGV[0] eq "write") {
  my $h = $open->();
  $h->{"key $_"} = "value $_" x 20 for 0..299;
  delete $h->{"key $_"} for 0..99;
  untie %%$h;
} else {
  my $h = $open->();
  my $n = keys %%$h;
  for (100..299) { die "key $_" unless $h->{"key $_"} eq "value $_" x 20 }
  print $n;
}
"""
DBM_ARGUMENTS = {
    "GDBM_File": '"GDBM_File", $ARGV[1], GDBM_File::GDBM_WRCREAT(), 0644',
    "DB_File": '"DB_File", $ARGV[1], O_RDWR|O_CREAT, 0644, $DB_File::DB_BTREE',
    "NDBM_File": '"NDBM_File", $ARGV[1], O_RDWR|O_CREAT, 0644',
    "SDBM_File": '"SDBM_File", $ARGV[1], O_RDWR|O_CREAT, 0644',
}


def test_dbm_libraries(place):
    """GDBM, Berkeley DB and others, as Debian's perl has them."""
    machine.require_program("perl")
    if missing := [library for library in DBM_ARGUMENTS if subprocess.run(["perl", f"-M{library}", "-e", "1"], capture_output=True).returncode != 0]:
        machine.skip(f"perl has no {', '.join(missing)}")
    scripts = {library: DBM_SCRIPT % {"library": library, "arguments": arguments} for library, arguments in DBM_ARGUMENTS.items()}
    for library, script in scripts.items():
        run("perl", "-e", script, "write", place / library)
        assert run("perl", "-e", script, "read", place / library) == "200", library
    place.come_back()
    for library, script in scripts.items():
        assert run("perl", "-e", script, "read", place / library) == "200", library


def postgres_programs():
    """The directory of initdb; Debian has one for each version."""
    found = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[4]))
    if not found:
        machine.skip("no PostgreSQL server")
    return found[-1].parent


class Cluster:
    """A PostgreSQL server of its own, run by the user postgres, on a socket alone."""

    def __init__(self, directory):
        self.programs, self.directory, self.port = postgres_programs(), directory, free_port()
        shutil.chown(directory, "postgres", "postgres")
        self.as_postgres = {"user": "postgres", "group": "postgres", "extra_groups": [], "cwd": directory}
        self.run("initdb", "-D", directory / "data", "--no-sync", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8")
        self._server = None

    def start(self, *settings):
        options = ["listen_addresses=", f"unix_socket_directories={self.directory}", f"port={self.port}", "shared_buffers=16MB", *settings]
        with open(self.directory / "log", "wb") as log:
            command = [str(self.programs / "postgres"), "-D", str(self.directory / "data")]
            command += [word for option in options for word in ("-c", option)]
            self._server = subprocess.Popen(command, stdout=log, stderr=log, **self.as_postgres)
        ready = [str(self.programs / "pg_isready"), "-q", "-h", str(self.directory), "-p", str(self.port)]
        until(lambda: subprocess.run(ready).returncode == 0, 30, "PostgreSQL answers", every=0.1)
        return self

    def run(self, program, *arguments):
        return run(self.programs / program, *arguments, **self.as_postgres)

    def client(self, program, *arguments):
        return self.run(program, "-h", self.directory, "-p", self.port, *arguments)

    def sql(self, *statements, database="postgres"):
        return self.client("psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", database,
                           *(word for statement in statements for word in ("-c", statement)))

    def stop(self, how=signal.SIGINT):
        """SIGINT: in order, without waiting for clients."""
        if self._server is not None:
            self._server.send_signal(how)
            self._server.wait(30)


@pytest.fixture
def cluster(public_mounts):
    machine.require_root()
    directory = public_mounts.directory / "cluster"
    directory.mkdir(mode=0o700)
    made = Cluster(directory)
    yield made
    made.stop(signal.SIGQUIT)


@pytest.fixture
def public_place(request, public_mounts):
    """A directory of the user postgres; on devs3."""
    if LOCAL:
        path = public_mounts.directory / "place"
        path.mkdir()
    else:
        space, devs3 = request.getfixturevalue("space"), request.getfixturevalue("devs3")
        path = public_mounts.start(space.source, devs3.endpoint, allow_other=True).path
    directory = path / "postgres"
    directory.mkdir()
    shutil.chown(directory, "postgres", "postgres")
    return directory


@pytest.mark.heavy
def test_postgresql_copies_dumps_and_archives(cluster, public_place):
    archive = public_place / "archive"
    cluster.run("pg_config", "--version")
    subprocess.run(["install", "-d", "-o", "postgres", "-g", "postgres", str(archive)], check=True)
    # As the manual has it.
    cluster.start("archive_mode=on", f"archive_command=test ! -f {archive}/%f && cp %p {archive}/%f", "wal_level=replica")
    cluster.sql("create table t as select n, md5(n::text) as text from generate_series(1, 20000) n")
    cluster.sql(f"copy t to '{public_place}/t.csv' with (format csv)", f"copy t to '{public_place}/t.bin' with (format binary)")
    assert (public_place / "t.csv").read_text().count("\n") == 20000
    cluster.sql("create table u (n int, text text)", f"copy u from '{public_place}/t.bin' with (format binary)")
    assert cluster.sql("select count(*) from t join u using (n, text)").strip() == "20000"

    cluster.client("pg_dump", "-Fc", "-f", public_place / "dump", "postgres")
    cluster.client("pg_dump", "-Fd", "-j", "2", "-f", public_place / "dump.d", "postgres")
    for number, dump in enumerate(("dump", "dump.d")):
        cluster.client("createdb", f"restored{number}")
        cluster.client("pg_restore", "-d", f"restored{number}", public_place / dump)
        assert cluster.sql("select count(*), sum(n) from t", database=f"restored{number}").strip() == "20000|200010000"

    segment = cluster.sql("select pg_walfile_name(pg_switch_wal())").strip()
    until(lambda: cluster.sql("select last_archived_wal from pg_stat_archiver").strip() >= segment, 30, "the segment is archived", every=0.2)
    assert (archive / segment).stat().st_size == 16 << 20


@pytest.mark.heavy
def test_postgresql_keeps_a_table_in_a_tablespace(cluster, public_place):
    cluster.start()
    cluster.sql(f"create tablespace elsewhere location '{public_place}'")
    cluster.sql("create table t (n int primary key using index tablespace elsewhere, text text) tablespace elsewhere")
    cluster.sql("insert into t select n, md5(n::text) from generate_series(1, 5000) n", "update t set text = upper(text) where n % 2 = 0",
                "delete from t where n > 4000", "checkpoint", "vacuum full t")
    cluster.stop()
    cluster.start()
    assert cluster.sql("select count(*), count(*) filter (where text = upper(md5(n::text))) from t where n > 0").strip() == "4000|2000"
