"""flock and fcntl locks between hosts (locks=s3): two mounts of one prefix are two hosts. Each runs on devs3 and on a server that others wrote."""

import contextlib
import fcntl
import os
import signal
import struct
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from errno import EAGAIN, EINTR, EINVAL, EIO, ENOENT

import pytest

import test_posix
from support.clients import Space
from support.errnos import fails_with
from support.wait import Stopwatch, until

DIRECTORY = ".prefixfs-locks/"
EXCLUSIVE, SHARED, UNLOCK, TRY = fcntl.LOCK_EX, fcntl.LOCK_SH, fcntl.LOCK_UN, fcntl.LOCK_NB

# Says "held" once it has the lock, and keeps it until its input ends.
HOLDER = "import fcntl, sys; f = open(sys.argv[1], 'r+'); fcntl.{call}(f, fcntl.LOCK_EX); print('held', flush=True); sys.stdin.read()"

COUNTER = """
import fcntl, os, sys
path, rounds, how = sys.argv[1], int(sys.argv[2]), sys.argv[3]
def once(file):
    os.lseek(file, 0, os.SEEK_SET)
    value = int(os.read(file, 20) or b"0") + 1
    os.lseek(file, 0, os.SEEK_SET)
    os.write(file, b"%d" % value)
for _ in range(rounds):
    if how == "beside":
        lock = os.open(path + ".lock", os.O_RDWR | os.O_CREAT)
        fcntl.flock(lock, fcntl.LOCK_EX)
        file = os.open(path, os.O_RDWR | os.O_CREAT)
        once(file)
        os.close(file)
        fcntl.flock(lock, fcntl.LOCK_UN)
        os.close(lock)
        continue
    file = os.open(path, os.O_RDWR | os.O_CREAT)
    call = getattr(fcntl, how)
    call(file, fcntl.LOCK_EX)
    once(file)
    if _ % 2:
        call(file, fcntl.LOCK_UN)
    os.close(file)
"""


def leases(space):
    return [name for name in space.names() if name.startswith(DIRECTORY)]


def python(code, *arguments, **more):
    return subprocess.Popen([sys.executable, "-c", code, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **more)


@contextlib.contextmanager
def holder(path, call="flock"):
    """A program that has the file locked."""
    program = python(HOLDER.format(call=call), path, stdin=subprocess.PIPE)
    try:
        assert program.stdout.readline() == "held\n", program.stderr.read()
        yield program
    finally:
        if program.poll() is None:
            program.stdin.close()
            program.wait(30)
        program.stdout.close()
        program.stderr.close()


def is_locked(call, file):
    """Whether somebody else has it locked; if not, nobody has afterwards."""
    try:
        call(file, EXCLUSIVE | TRY)
    except OSError as error:
        assert error.errno == EAGAIN, error
        return True
    call(file, UNLOCK)
    return False


def who_is_in_the_way(file, start):
    """F_GETLK of all from `start` on: (type, start, length, pid)."""
    form = "hhqqi4x"  # struct flock
    asked = struct.pack(form, fcntl.F_WRLCK, os.SEEK_SET, start, 0, 0)
    kind, _, begin, length, pid = struct.unpack(form, fcntl.fcntl(file, fcntl.F_GETLK, asked))
    return kind, begin, length, pid


@pytest.fixture
def hosts(make_mount, space):
    space.put("file", b"0123456789")
    return [make_mount(locks="s3") for _ in range(2)]


@pytest.fixture
def files(hosts):
    with open(hosts[0] / "file", "r+b") as one, open(hosts[1] / "file", "r+b") as two:
        yield one, two


@pytest.mark.parametrize("call", [fcntl.flock, fcntl.lockf])
def test_an_exclusive_lock_keeps_the_other_host_out(files, space, call):
    one, two = files
    call(one, EXCLUSIVE)
    assert len(leases(space)) == 1
    for mode in (EXCLUSIVE, SHARED):
        with fails_with(EAGAIN):
            call(two, mode | TRY)
    call(one, UNLOCK)
    call(two, EXCLUSIVE | TRY)
    with fails_with(EAGAIN):
        call(one, SHARED | TRY)
    call(two, UNLOCK)
    assert leases(space) == [] or all(b"\nhost " not in space.get(name) for name in leases(space))


@pytest.mark.parametrize("call", [fcntl.flock, fcntl.lockf])
def test_hosts_share_a_shared_lock(files, call):
    one, two = files
    call(one, SHARED)
    call(two, SHARED | TRY)
    with fails_with(EAGAIN):
        call(two, EXCLUSIVE | TRY)
    call(one, UNLOCK)
    call(two, EXCLUSIVE | TRY)
    with fails_with(EAGAIN):
        call(one, SHARED | TRY)


def test_ranges_of_bytes_are_locked_by_different_hosts(files):
    one, two = files
    fcntl.lockf(one, EXCLUSIVE, 10, 0)
    fcntl.lockf(two, EXCLUSIVE | TRY, 10, 10)
    with fails_with(EAGAIN):
        fcntl.lockf(two, EXCLUSIVE | TRY, 2, 9)
    fcntl.lockf(one, UNLOCK, 5, 5)
    fcntl.lockf(two, EXCLUSIVE | TRY, 5, 5)
    with fails_with(EAGAIN):
        fcntl.lockf(one, SHARED | TRY, 0, 19)  # to the end, wherever that is
    fcntl.lockf(one, SHARED | TRY, 0, 20)


def test_getlk_tells_who_is_in_the_way(hosts, files):
    one, two = files
    fcntl.lockf(one, EXCLUSIVE, 10, 5)
    assert who_is_in_the_way(two, 0) == (fcntl.F_WRLCK, 5, 10, 0), "a process of another host has no number here"
    assert who_is_in_the_way(two, 15)[0] == fcntl.F_UNLCK
    assert who_is_in_the_way(one, 0)[0] == fcntl.F_UNLCK, "nobody is in one's own way"
    fcntl.lockf(one, UNLOCK)
    with holder(hosts[0] / "file", "lockf") as program:
        assert who_is_in_the_way(one, 0) == (fcntl.F_WRLCK, 0, 0, program.pid)


@pytest.mark.parametrize("call", ["flock", "lockf"])
def test_programs_of_one_host_exclude_each_other_too(hosts, call):
    with holder(hosts[0] / "file", call) as program, open(hosts[0] / "file", "r+b") as file:
        with fails_with(EAGAIN):
            getattr(fcntl, call)(file, EXCLUSIVE | TRY)
        program.kill()
        program.wait(10)
        getattr(fcntl, call)(file, EXCLUSIVE)


@pytest.mark.parametrize("call", [fcntl.flock, fcntl.lockf])
def test_a_close_unlocks(hosts, files, call):
    one, two = files
    with open(hosts[0] / "file", "r+b") as more:
        call(more, EXCLUSIVE)
        assert is_locked(call, two)
    until(lambda: not is_locked(call, two), 10, "the close has unlocked")


def test_closing_any_descriptor_of_a_file_ends_the_fcntl_locks_of_the_process(hosts, files):
    one, two = files
    fcntl.lockf(one, EXCLUSIVE)
    os.close(os.open(hosts[0] / "file", os.O_RDONLY))
    fcntl.lockf(two, EXCLUSIVE | TRY)


@pytest.mark.parametrize("call", ["flock", "lockf"])
def test_who_waits_gets_it_when_the_other_host_unlocks(hosts, call):
    with holder(hosts[0] / "file", call) as program, open(hosts[1] / "file", "r+b") as file, ThreadPoolExecutor(1) as threads:
        waits = threads.submit(getattr(fcntl, call), file, EXCLUSIVE)
        with pytest.raises(TimeoutError):
            waits.result(0.5)  # so long nothing comes
        program.stdin.close()
        with Stopwatch() as watch:
            waits.result(20)
        assert watch.seconds < 10


@pytest.mark.parametrize("call", ["flock", "lockf"])
def test_a_wait_is_interrupted(hosts, call):
    code = f"""
import fcntl, signal, sys
def on_alarm(*_): raise InterruptedError
signal.signal(signal.SIGALRM, on_alarm)
f = open(sys.argv[1], "r+")
signal.setitimer(signal.ITIMER_REAL, 0.5)
try:
    fcntl.{call}(f, fcntl.LOCK_EX)
except InterruptedError:
    print("interrupted")
"""
    with holder(hosts[0] / "file", call):
        program = python(code, hosts[1] / "file")
        out, errors = program.communicate(timeout=20)
        assert out == "interrupted\n", errors
        killed = python(HOLDER.format(call=call), hosts[1] / "file", stdin=subprocess.PIPE)
        waiting_in = f"/proc/{killed.pid}/wchan"
        until(lambda: "fuse" in open(waiting_in).read() or "request" in open(waiting_in).read(), 10, "it waits")
        with Stopwatch() as watch:
            killed.kill()
            killed.communicate(timeout=20)
        assert watch.seconds < 10


def test_a_hundred_that_wait_leave_the_mount_to_others(hosts):
    """More than libfuse has threads."""
    files = [open(hosts[1] / "file", "r+b") for _ in range(100)]
    with ThreadPoolExecutor(len(files)) as threads:
        with holder(hosts[0] / "file"):
            waits = [threads.submit(fcntl.flock, file, SHARED) for file in files]
            for number in range(20):
                (hosts[1] / f"other{number}").write_bytes(b"x")
            assert not any(wait.done() for wait in waits)
        for wait in waits:
            wait.result(60)
    for file in files:
        file.close()


@pytest.mark.parametrize("how", ["flock", "lockf", "beside"])
@pytest.mark.parametrize("commit", ["close", "journal"])
def test_two_hosts_count_to_two_hundred(make_mount, space, how, commit):
    """Lock, read, write, unlock. A host that reads an old number, or whose number comes late, makes the sum smaller."""
    rounds = 100
    hosts = [make_mount(locks="s3", commit=commit) for _ in range(2)]
    programs = [python(COUNTER, host / "counter", rounds, how) for host in hosts]
    for program in programs:
        _, errors = program.communicate(timeout=90)
        assert program.returncode == 0, errors
    until(lambda: space.exists("counter"), 10, "the counter is stored")
    assert int(space.get("counter")) == 2 * rounds


def test_what_was_open_before_the_lock_is_read_anew(files, space):
    one, two = files
    assert os.pread(two.fileno(), 20, 0) == b"0123456789"
    fcntl.flock(one, EXCLUSIVE)
    os.pwrite(one.fileno(), b"longer than before", 0)
    fcntl.flock(one, UNLOCK)
    assert space.get("file") == b"longer than before"
    fcntl.flock(two, SHARED)
    assert os.pread(two.fileno(), 20, 0) == b"longer than before"
    assert os.fstat(two.fileno()).st_size == 18
    fcntl.flock(two, UNLOCK)
    fcntl.flock(one, EXCLUSIVE)
    os.pwrite(one.fileno(), b"the same size of x", 0)
    fcntl.flock(one, UNLOCK)
    fcntl.flock(two, SHARED)
    assert os.pread(two.fileno(), 20, 0) == b"the same size of x"


def test_the_locks_of_a_killed_host_are_taken_over(make_mount, space):
    space.put("file", b"x")
    first, second = (make_mount(locks="s3", lock_lease="2s") for _ in range(2))
    program = python(HOLDER.format(call="flock"), first / "file", stdin=subprocess.PIPE)
    assert program.stdout.readline() == "held\n"
    with open(second / "file", "r+b") as file:
        assert is_locked(fcntl.flock, file)
        first.kill()
        with Stopwatch() as watch:
            fcntl.flock(file, EXCLUSIVE)
        assert 1 < watch.seconds < 15, "not before it has expired"
        fcntl.flock(file, UNLOCK)
    program.kill()
    program.communicate()


def test_a_host_that_lives_keeps_its_lock_beyond_the_lease(make_mount, space):
    space.put("file", b"x")
    first, second = (make_mount(locks="s3", lock_lease="1s") for _ in range(2))
    with open(first / "file", "r+b") as one, open(second / "file", "r+b") as two:
        fcntl.flock(one, EXCLUSIVE)
        with Stopwatch() as watch, pytest.raises(AssertionError):
            until(lambda: not is_locked(fcntl.flock, two), 4, "it is lost")  # four leases
        assert watch.seconds >= 4
        os.pwrite(one.fileno(), b"y", 0)
        fcntl.flock(one, UNLOCK)
        assert not is_locked(fcntl.flock, two)
    assert space.get("file") == b"y"


def test_who_could_not_renew_writes_no_more(make_devs3, mounts):
    server = make_devs3()
    space = Space(server.client(), "e2e", "lost/")
    space.put("file", b"before")
    mnt = mounts.start(space.source, server.endpoint, server.access, server.secret, locks="s3", lock_lease="2s", outage_timeout="1s").wait_connected()
    file = os.open(mnt / "file", os.O_RDWR)
    try:
        fcntl.flock(file, EXCLUSIVE)
        os.pwrite(file, b"under the lock", 0)
        server.stop()
        until(lambda: "are lost" in mnt.log(), 15, "the lock is lost")
        with fails_with(EIO):
            os.pwrite(file, b"without it", 0)
        server.start()
        with fails_with(EIO):
            fcntl.flock(file, EXCLUSIVE)
    finally:
        with fails_with(EIO):
            os.close(file)
    assert space.get("file") == b"before"
    until(lambda: b"under the lock" in mnt.kept_files(), 10, "what was written is kept")
    with open(mnt / "file", "r+b") as again:
        until(lambda: fcntl.flock(again, EXCLUSIVE) is None, 15, "the lock is there once S3 answers again")


def test_another_worker_goes_on_with_the_locks(hosts, files):
    one, two = files
    fcntl.lockf(one, EXCLUSIVE)
    for _ in range(3):
        before = hosts[0].kill_worker()
        until(lambda: hosts[0].workers() and hosts[0].worker() != before, 20, "another worker serves")
        os.stat(hosts[0] / "file")
        assert is_locked(fcntl.lockf, two)
    os.pwrite(one.fileno(), b"after", 0)
    fcntl.lockf(one, UNLOCK)
    fcntl.lockf(two, EXCLUSIVE)
    assert os.pread(two.fileno(), 5, 0) == b"after"


def test_a_wait_outlives_the_worker(hosts):
    with holder(hosts[0] / "file") as program, open(hosts[1] / "file", "r+b") as file, ThreadPoolExecutor(1) as threads:
        waits = threads.submit(fcntl.flock, file, EXCLUSIVE)
        with pytest.raises(TimeoutError):
            waits.result(0.3)  # it has begun to wait
        before = hosts[1].kill_worker()
        until(lambda: hosts[1].workers() and hosts[1].worker() != before, 20, "another worker serves")
        assert not waits.done()
        program.stdin.close()
        waits.result(20)


def test_the_end_of_a_mount_unlocks(make_mount, space):
    space.put("file", b"x")
    first, second = (make_mount(locks="s3") for _ in range(2))
    program = python(HOLDER.format(call="flock"), first / "file", stdin=subprocess.PIPE)
    assert program.stdout.readline() == "held\n"
    first.process.signal(signal.SIGTERM)
    first.process.wait(30)
    with open(second / "file", "r+b") as file:
        fcntl.flock(file, EXCLUSIVE | TRY)
    program.kill()
    program.communicate()


def test_lease_objects_are_no_files(hosts, files, make_mount, space):
    fcntl.flock(files[0], EXCLUSIVE)
    assert len(leases(space)) == 1
    for host in (*hosts, make_mount()):  # also where locks are local
        assert os.listdir(host.path) == ["file"]
        with fails_with(ENOENT):
            os.stat(host / DIRECTORY)
        with fails_with(EINVAL):
            os.mkdir(host / DIRECTORY.rstrip("/"))
        with fails_with(EINVAL):
            (host / DIRECTORY.rstrip("/")).write_bytes(b"x")


def test_a_lock_costs_a_put_and_a_delete(make_mount, space, record):
    space.put("file", b"x")
    mnt = make_mount(locks="s3")
    with open(mnt / "file", "r+b") as file:
        fcntl.flock(file, EXCLUSIVE)  # the first one asks whether the endpoint honours conditions
        fcntl.flock(file, UNLOCK)
        recording = record()
        fcntl.flock(file, EXCLUSIVE)
        fcntl.flock(file, UNLOCK)
        assert recording.counts() == {"PutObject": 1, "DeleteObject": 1}
        fcntl.lockf(file, SHARED)
        assert os.pread(file.fileno(), 1, 0) == b"x"
        fcntl.lockf(file, UNLOCK)
        assert recording.counts() == {"PutObject": 2, "DeleteObject": 2, "GetObject": 1}


def test_local_locks_cost_nothing(mnt, space, record):
    space.put("file", b"x")
    with open(mnt / "file", "r+b") as file, open(mnt / "file", "r+b") as other:
        recording = record()
        fcntl.flock(file, EXCLUSIVE)
        fcntl.lockf(file, EXCLUSIVE)
        with fails_with(EAGAIN):
            fcntl.flock(other, EXCLUSIVE | TRY)
        fcntl.flock(file, UNLOCK)
        fcntl.lockf(file, UNLOCK)
        assert recording.counts() == {}


def test_posix_holds_as_it_does_without(public_mounts, server, space, request):
    """All of the conformance cases, those of locks among them: the table of differences is the same, but for deadlocks, which nobody looks for."""
    test_posix.require(test_posix.registry.ROOT)
    name = request.node.callspec.params["server"]
    mnt = public_mounts.start(space.source, server.endpoint, server.access, server.secret, locks="s3", allow_other=True).wait_connected()
    results = test_posix.run_cases(mnt.path, test_posix.registry.ROOT)
    wrong = test_posix.disagreements(results, test_posix.table(name) + ["fcntl_locks.two_that_wait_for_each_other_are_edeadlk"], test_posix.known_cases())
    assert not wrong, "\n".join(wrong)
