"""kill -9 of the process that serves a mount costs programs a pause, and no error; and how the supervisor and its workers end."""

import contextlib
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import time
from errno import EIO, ESTALE

import pytest

from support import machine, mount, paths
from support.errnos import fails_with
from support.wait import Stopwatch, until

FIFTY = 50
KILLS = 4
# A worker that has lived longer than this is followed by the next one at once.
LIVES_LONG = 1.1

# Each program does its work until the file "stop" appears beside it, and then tells what it has seen as one line of JSON.
HARNESS = """
import errno, json, os, sys, time
folder, stop = sys.argv[1], sys.argv[2]
turns, longest, problems = 0, 0.0, []
def attempt(what, call):
    global longest
    start = time.monotonic()
    try:
        return call()
    except OSError as problem:
        problems.append(f"{what}: {errno.errorcode.get(problem.errno, problem.errno)}")
    finally:
        longest = max(longest, time.monotonic() - start)
while not os.path.exists(stop):
    turns += 1
    __WORK__
print(json.dumps({"turns": turns, "longest": longest, "problems": problems}))
"""

READER = """
    if turns == 1:
        expected = open(sys.argv[3], "rb").read()
        fd = os.open(folder + "/large", os.O_RDONLY)
    os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
    for offset in range(0, len(expected), 1 << 18):
        got = attempt("read", lambda: os.pread(fd, 1 << 18, offset))
        if got is not None and got != expected[offset:offset + (1 << 18)]:
            problems.append(f"wrong bytes at {offset}")
    again = attempt("open", lambda: os.open(folder + "/large", os.O_RDONLY))
    if again is not None:
        attempt("close", lambda: os.close(again))
"""

NAMES = """
    attempt("list", lambda: os.listdir(folder))
    attempt("stat", lambda: os.stat(folder + "/large"))
    attempt("mkdir", lambda: os.mkdir(f"{folder}/d{turns}"))
    attempt("rmdir", lambda: os.rmdir(f"{folder}/d{turns}"))
"""

FILES = """
    name, body = f"{folder}/f{turns}", b"%d" % turns * 100
    before = len(problems)
    fd = attempt("create", lambda: os.open(name, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
    if fd is not None:
        attempt("write", lambda: os.write(fd, body))
        attempt("close", lambda: os.close(fd))
    if len(problems) == before:
        attempt("read back", lambda: open(name, "rb").read() == body or problems.append(f"{name}: other bytes"))
        attempt("unlink", lambda: os.unlink(name))
    else:
        try:
            os.unlink(name)
        except OSError:
            pass
"""


LOG = """
    if turns == 1:
        log = os.open(folder + "/log", os.O_CREAT | os.O_APPEND | os.O_RDWR)
    for i in range(3):
        attempt("append", lambda: os.write(log, b"%d\\n" % (3 * (turns - 1) + i)))
    if turns % 5 == 0:
        attempt("fsync", lambda: os.fsync(log))
"""

SAVER = """
    body = b"%d " % turns * 500
    for path in ("/saved.tmp", "/other.tmp"):
        fd = attempt("open", lambda: os.open(folder + path, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600))
        for start in range(0, len(body), 700):
            attempt("write", lambda: os.write(fd, body[start:start + 700]))
        attempt("fchmod", lambda: os.fchmod(fd, 0o644))
        attempt("close", lambda: os.close(fd))
    attempt("rename", lambda: os.rename(folder + "/saved.tmp", folder + "/saved"))
    attempt("read back", lambda: open(folder + "/saved", "rb").read() == body or problems.append("other bytes in " + str(turns)))
    attempt("unlink", lambda: os.unlink(folder + "/other.tmp"))
"""


class Programs:
    """What runs on a mount while its worker is killed."""

    def __init__(self, directory, mnt):
        self._stop, self._folder, self._running = directory / "stop", mnt.path, {}

    def start(self, name, body, *arguments):
        script = HARNESS.replace("    __WORK__\n", body)
        self._running[name] = subprocess.Popen([sys.executable, "-c", script, self._folder, self._stop, *map(str, arguments)],
                                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def end(self):
        """name -> what it has seen"""
        self._stop.touch()
        seen = {}
        for name, program in self._running.items():
            out, errors = program.communicate(timeout=40)
            assert program.returncode == 0, errors
            seen[name] = json.loads(out)
            print(name, str(seen[name])[:500])
        return seen

    def kill(self):
        for program in self._running.values():
            if program.poll() is None:
                program.kill()
                program.communicate()


@pytest.fixture
def programs(tmp_path):
    made = []

    def make(mnt):
        made.append(Programs(tmp_path, mnt))
        return made[-1]

    yield make
    for each in made:
        each.kill()


@pytest.fixture
def large(space, tmp_path):
    """The file `large` in the bucket, and beside the mount."""
    body = random.Random(1).randbytes(24 << 20)
    space.put("large", body)
    (tmp_path / "large").write_bytes(body)
    return tmp_path / "large"


def kill_workers(mnt, times=KILLS):
    for _ in range(times):
        time.sleep(LIVES_LONG)  # that it may live: not a wait for something
        before = mnt.kill_worker()
        until(lambda: mnt.workers() not in ([], [before]), 10, "the next worker is there")


def waits(process):
    """For an answer to its own request, or for the page that another request brings."""
    where = pathlib.Path(f"/proc/{process.pid}/wchan").read_text()
    return "request_wait_answer" in where or "folio_wait" in where


def taken_over(mnt):
    return mnt.log().count("taken over")


# kill -9 of the worker.

def test_a_reader_and_a_lister_notice_nothing(mnt, large, programs):
    running = programs(mnt)
    running.start("reader", READER, large)
    running.start("names", NAMES)
    kill_workers(mnt)
    seen = running.end()
    for name, each in seen.items():
        assert each["problems"] == [] and each["turns"] > 3, (name, each)
        assert each["longest"] < 5
    assert taken_over(mnt) == KILLS


@pytest.mark.parametrize("commit", ["close", "journal"])
def test_fifty_killed_workers_cost_a_writer_no_error_and_no_byte(devs3, make_mount, space, programs, commit):
    mnt = make_mount(commit=commit)
    running = programs(mnt)
    running.start("files", FILES)
    running.start("log", LOG)
    running.start("saver", SAVER)
    kill_workers(mnt, FIFTY)
    seen = running.end()
    for name, each in seen.items():
        assert each["problems"][:9] == [] and each["turns"] > 20, (name, len(each["problems"]))
    lines = (mnt / "log").read_text().splitlines()
    assert lines == [str(i) for i in range(len(lines))] and len(lines) == 3 * seen["log"]["turns"]
    assert mnt.stop() == 0
    assert space.get("log").decode().splitlines() == lines
    assert space.uploads() == []


def test_a_read_in_flight_is_answered(devs3, mnt, space):
    space.put("slow", b"x" * 300_000)
    (mnt / "slow").stat()
    with devs3.fault("GetObject", space.key("slow"), "latency", count=1, ms=5000):
        reader = subprocess.Popen(["cat", mnt / "slow"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        until(lambda: waits(reader), 5, "cat waits")
        with Stopwatch() as watch:
            mnt.kill_worker()
            out, errors = reader.communicate(timeout=20)
    assert reader.returncode == 0 and out == b"x" * 300_000, errors
    assert watch.seconds < 4  # the request of the worker that died is not waited for


def test_a_file_being_written_goes_on(mnt, space):
    space.put("old", b"the whole old file")
    data = os.urandom(30 << 20)
    with open(mnt / "new", "wb", buffering=0) as new, open(mnt / "old", "r+b", buffering=0) as old, \
            open(mnt / "old", "rb", buffering=0) as reader, open(mnt / "large", "wb", buffering=0) as large, \
            open(mnt / "gone", "w+b", buffering=0) as gone:
        new.write(b"one")
        old.write(b"THE")
        large.write(data[:20 << 20])
        gone.write(b"unlinked")
        os.unlink(mnt / "gone")
        mnt.kill_worker()
        new.write(b" and two")
        assert reader.read() == b"THE whole old file"
        old.truncate(9)
        large.write(data[20 << 20:])
        gone.write(b" and open")
        gone.seek(0)
        assert gone.read() == b"unlinked and open"
        assert os.fstat(new.fileno()).st_size == 11
    assert space.get("new") == b"one and two"
    assert space.get("old") == b"THE whole"
    assert space.get("large") == data
    assert not space.exists("gone")
    until(lambda: space.uploads() == [], 10, "the parts that the first worker had sent are gone")


@pytest.mark.parametrize("size", [0, 100])
def test_a_fork_after_it_does_not_publish_half_a_file(mnt, space, size):
    """The child closes what it has inherited, and no worker has seen who opened the file but the one that is gone."""
    with open(mnt / "f", "wb", buffering=0) as file:
        file.write(b"x" * size)
        mnt.kill_worker()
        file.write(b"half")
        mnt.kill_worker()
        subprocess.run(["true"], check=True)
        assert "f" not in space.names()
        file.write(b" and half")
    assert space.get("f") == b"x" * size + b"half and half"


def test_what_was_synced_is_not_lost(mnt, space):
    with open(mnt / "log", "wb", buffering=0) as log:
        log.write(b"one")
        os.fsync(log.fileno())
        mnt.kill_worker()
        log.write(b" two")
    assert space.get("log") == b"one two"


def test_a_reader_never_gets_a_mixture_of_versions(mnt, space):
    old, new = b"o" * 3_000_000, b"n" * 3_000_000
    space.put("file", old)
    with open(mnt / "file", "rb", buffering=0) as file:
        assert file.read(4096) == old[:4096]
        space.put("file", new)
        mnt.kill_worker()
        until(lambda: (mnt / "file").read_bytes() == new, 10, "the new version is seen")
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        with fails_with(ESTALE):
            os.pread(file.fileno(), 4096, 2_000_000)


def test_handles_live_through_many_workers(mnt, space):
    space.put("file", bytes(range(256)) * 4000)
    with open(mnt / "file", "rb", buffering=0) as file:
        for turn in range(3):
            mnt.kill_worker()
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
            assert os.pread(file.fileno(), 256, 256 * turn * 1000) == bytes(range(256))
            with open(mnt / "file", "rb", buffering=0) as another:
                assert another.read(256) == bytes(range(256))


def test_deleting_a_directory_while_workers_die(mnt, space):
    for number in range(400):
        space.put(f"many/{number:04}")  # before the mount is there
    assert len(os.listdir(mnt / "many")) == 400
    remover = subprocess.Popen(["rm", "-r", mnt / "many"], stderr=subprocess.PIPE)
    for _ in range(2):
        time.sleep(0.3)
        mnt.kill_worker()
    _, errors = remover.communicate(timeout=60)
    assert remover.returncode == 0, errors
    assert space.names("many/") == []


def test_a_request_that_kills_three_workers_is_given_up(devs3, mnt, space):
    space.put("poison", b"x" * 300_000)
    (mnt / "poison").stat()
    with devs3.fault("GetObject", space.key("poison"), "latency", count=100, ms=60_000):
        reader = subprocess.Popen(["cat", mnt / "poison"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for turn in range(3):
            until(lambda: waits(reader), 5, "cat waits")
            until(lambda: taken_over(mnt) == turn, 10, "the worker serves")
            time.sleep(0.5)  # it has read the request by then
            assert reader.poll() is None
            mnt.kill_worker()
        _, errors = reader.communicate(timeout=20)
    assert reader.returncode == 1 and b"Input/output error" in errors
    assert "was in hand when 3 workers died" in mnt.log()
    assert len(os.listdir(mnt.path)) == 1  # the mount goes on


# The supervisor.

def test_a_worker_that_dies_at_once_again_and_again_is_not_started_without_pause(mnt, large):
    def kill_and_see_a_long_pause():
        for pid in mnt.workers():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return " in 800 ms" in mnt.log()

    until(kill_and_see_a_long_pause, 60, "the pause has been doubled three times")  # one that lives for a second, on a busy machine, begins anew
    assert " in 100 ms" in mnt.log()
    assert (mnt / "large").stat().st_size == 24 << 20  # it is waited for
    assert mnt.stop() == 0


def test_umount_while_no_worker_is_there(mnt):
    for _ in range(4):
        until(mnt.workers, 10, "there is a worker")
        mnt.kill_worker()
    until(lambda: not mnt.workers(), 10, "the last one is dead")
    assert mount.unmount(mnt.path)
    # 2: the last worker did not end in order. 0: umount(8) has looked at the directory, and waited for one that did.
    assert mnt.process.wait(10) in (0, 2)


def test_the_supervisor_is_killed(mnt, space):
    """The worker ends as it does at SIGTERM: what is open is stored, nobody hangs, and the directory can be mounted again."""
    writer = open(mnt / "file", "wb", buffering=0)
    writer.write(b"not closed")
    worker = mnt.worker()
    mnt.process.kill()
    until(lambda: not mount.alive(worker) and not mount.mounted_at(mnt.path), 15, "the worker ends and unmounts")
    assert space.get("file") == b"not closed"
    with pytest.raises(OSError):
        writer.write(b"x")
    with contextlib.suppress(OSError):
        writer.close()
    mnt.start()
    assert (mnt / "file").read_bytes() == b"not closed"


def test_both_are_killed_and_nobody_hangs(mnt):
    (mnt / "file").write_bytes(b"x")
    reader = open(mnt / "file", "rb", buffering=0)
    mnt.kill()
    with contextlib.suppress(OSError):  # the kernel may have its page
        reader.read(1)
    with contextlib.suppress(OSError):
        reader.close()
    mnt.start()
    assert (mnt / "file").read_bytes() == b"x"


def test_sigterm_to_the_worker_ends_the_mount_in_order(mnt, space):
    writer = open(mnt / "file", "wb", buffering=0)
    writer.write(b"not closed")
    os.kill(mnt.worker(), signal.SIGTERM)
    assert mnt.process.wait(15) == 0
    assert space.get("file") == b"not closed" and not mount.mounted_at(mnt.path)
    with contextlib.suppress(OSError):
        writer.close()


def test_the_process_list_shows_no_secret(mnt):
    for pid in (mnt.process.pid, mnt.worker()):
        words = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes()
        assert b"secret" not in words.lower() and words.split(b"\0")[1] == mnt.source.encode()
    assert "prefixfs-worker" in pathlib.Path(f"/proc/{mnt.worker()}/comm").read_text()


def test_out_of_memory_spares_the_supervisor_only(mnt):
    machine.require_root()
    usual = int(pathlib.Path("/proc/self/oom_score_adj").read_text())
    score = lambda pid: int(pathlib.Path(f"/proc/{pid}/oom_score_adj").read_text())
    if score(mnt.process.pid) == usual:
        machine.skip("no right to lower oom_score_adj")
    assert score(mnt.process.pid) == -1000 and score(mnt.worker()) == usual


# Upgrade.

def upgrade(mnt, program=None):
    return subprocess.run([program or paths.PREFIXFS, "upgrade", mnt.path], capture_output=True, text=True, timeout=50)


@pytest.fixture
def original():
    return paths.PREFIXFS


@pytest.fixture
def installed(original, tmp_path, monkeypatch):
    """A copy of the program, which may be replaced."""
    program = tmp_path / "installed-prefixfs"
    shutil.copy2(original, program)
    monkeypatch.setattr(paths, "PREFIXFS", program)
    return program


def replace_program(path, source):
    shutil.copy2(source, f"{path}.new")
    os.rename(f"{path}.new", path)


def test_an_upgrade_under_load_costs_no_error(installed, mnt, large, programs, space):
    running = programs(mnt)
    (mnt / "kept-open").write_bytes(b"one")
    with open(mnt / "kept-open", "ab", buffering=0) as log:
        for name, body, *arguments in (("reader", READER, large), ("names", NAMES), ("files", FILES)):
            running.start(name, body, *arguments)
        for _ in range(3):
            time.sleep(LIVES_LONG)
            before = mnt.worker()
            replace_program(installed, installed)
            done = upgrade(mnt)
            assert done.returncode == 0, done.stderr
            assert mnt.worker() != before
            assert os.readlink(f"/proc/{mnt.worker()}/exe") == str(installed)
            log.write(b" more")
            os.fsync(log.fileno())
        seen = running.end()
    assert all(each["problems"] == [] and each["turns"] > 3 for each in seen.values()), seen
    assert space.get("kept-open") == b"one" + b" more" * 3
    assert mnt.stop() == 0


def test_a_program_that_does_not_start_is_followed_by_the_one_before(installed, original, mnt, large):
    before = mnt.worker()
    replace_program(installed, "/bin/false")
    done = upgrade(mnt, original)
    assert done.returncode == 2 and "the one before goes on" in done.stderr
    assert mnt.worker() != before and (mnt / "large").stat().st_size == 24 << 20


def test_an_upgrade_waits_for_what_is_being_written(mnt, space):
    with open(mnt / "file", "wb", buffering=0) as file:
        file.write(b"half")
        asking = subprocess.Popen([paths.PREFIXFS, "upgrade", mnt.path], stderr=subprocess.PIPE, text=True)
        time.sleep(1)
        assert asking.poll() is None
        file.write(b" and half")
    assert asking.wait(20) == 0, asking.stderr.read()
    assert space.get("file") == b"half and half"


def test_an_upgrade_of_what_is_no_mount_is_refused(tmp_path):
    done = subprocess.run([paths.PREFIXFS, "upgrade", tmp_path], capture_output=True, text=True)
    assert done.returncode == 1 and "no prefixfs is mounted" in done.stderr
