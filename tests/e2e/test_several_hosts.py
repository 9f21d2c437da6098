"""Two hosts with one prefix: nobody overwrites anybody, nobody is told a wrong yes, and appends of both are there."""

import contextlib
import os
from concurrent.futures import ThreadPoolExecutor
from errno import EEXIST, ESTALE

import pytest

from support.errnos import fails_with
from support.wait import until

LINES = 1000


def append(path, line):
    with open(path, "ab", buffering=0) as file:
        assert file.write(line) == len(line)


def both(first, second):
    """Runs them beside each other, and passes on what they raise."""
    with ThreadPoolExecutor(2) as threads:
        return [done.result() for done in [threads.submit(first), threads.submit(second)]]


def drained(space, name, size):
    until(lambda: space.exists(name) and len(space.get(name)) == size, 60, f"{name} has {size} bytes in the bucket")


@pytest.fixture(params=["close", "journal"])
def commit(request):
    return request.param


@pytest.fixture
def hosts(make_mount, commit):
    return [make_mount(commit=commit) for _ in range(2)]


def test_a_thousand_lines_of_each_of_two_hosts_are_two_thousand(hosts, space):
    def write(host):
        for number in range(LINES):
            append(hosts[host] / "log", b"host %d line %d\n" % (host, number))

    both(lambda: write(0), lambda: write(1))
    wanted = sorted(b"host %d line %d\n" % (host, number) for host in range(2) for number in range(LINES))
    drained(space, "log", sum(map(len, wanted)))
    lines = space.get("log").splitlines(keepends=True)
    assert sorted(lines) == wanted
    for host in range(2):
        own = [line for line in lines if line.startswith(b"host %d " % host)]
        assert own == [b"host %d line %d\n" % (host, number) for number in range(LINES)], "each host's lines are in its order"
    assert space.uploads() == []


def test_logs_that_stay_open_are_merged_at_each_fsync(make_mount, space):
    first, second = make_mount(), make_mount()
    with open(first / "log", "ab", buffering=0) as one, open(second / "log", "ab", buffering=0) as two:
        for number in range(20):
            for log, name in ((one, b"one"), (two, b"two")):
                log.write(b"%s %d\n" % (name, number))
                os.fsync(log.fileno())
    lines = space.get("log").decode().splitlines()
    assert lines == [f"{name} {number}" for number in range(20) for name in ("one", "two")]


def test_appends_to_a_large_object_are_merged(make_mount, space):
    before = os.urandom(20 << 20)
    space.put("large.log", before)
    first, second = make_mount(), make_mount()
    with open(first / "large.log", "ab") as one, open(second / "large.log", "ab") as two:
        one.write(b"one\n")
        two.write(b"two\n")
    assert space.get("large.log") in (before + b"one\ntwo\n", before + b"two\none\n")
    assert space.uploads() == []


def race_for(hosts, names):
    """Who was told that it has made each of the names."""
    def take(host):
        won, lost = [], []
        for name in names:
            try:
                with open(hosts[host] / name, "xb") as file:
                    file.write(b"host %d" % host)
                won.append(name)
            except OSError as error:
                assert error.errno in (EEXIST, ESTALE), error
                lost.append(name)
        return won, lost

    return both(lambda: take(0), lambda: take(1))


@pytest.mark.parametrize("excl", ["open", "close"])
def test_of_two_hosts_one_gets_each_name(make_mount, space, excl):
    hosts = [make_mount(excl=excl) for _ in range(2)]
    names = [f"lock-{number}" for number in range(100)]
    (first, _), (second, _) = race_for(hosts, names)
    assert not set(first) & set(second) and set(first) | set(second) == set(names)
    for host, won in enumerate([first, second]):
        assert all(space.get(name) == b"host %d" % host for name in won)


def test_open_tells_who_comes_second(make_mount, space):
    first, second = make_mount(excl="open"), make_mount(excl="open")
    os.listdir(second.path)
    with open(first / "lock", "xb") as file:
        assert space.get("lock") == b""
        with fails_with(EEXIST):
            os.open(second / "lock", os.O_CREAT | os.O_EXCL | os.O_WRONLY)
        file.write(b"first")
    assert space.get("lock") == b"first"


def test_nobodys_bytes_vanish_when_both_read_modify_and_write(make_mount, space):
    """Each round adds a line by writing the whole file in place. Who is told 0 has its line in all that comes afterwards, who is told ESTALE has its bytes kept."""
    space.put("counter", b"start\n")
    hosts = [make_mount(coherence="ttl=0") for _ in range(2)]

    def add(path, line):
        """True: stored. False: refused after it was written. None: another host's change was seen before anything was written."""
        try:
            fd = os.open(path, os.O_RDWR)
        except OSError as error:
            assert error.errno == ESTALE, error
            return None
        written = False
        try:
            everything = os.pread(fd, 1 << 20, 0) + line
            written = os.pwrite(fd, everything, 0) == len(everything)
            os.fsync(fd)
            return True
        except OSError as error:
            assert error.errno == ESTALE, error
            return False if written else None
        finally:
            with contextlib.suppress(OSError):
                os.close(fd)

    def count(host):
        lines = {b"host %d round %d\n" % (host, number): None for number in range(60)}
        for line in lines:
            lines[line] = add(hosts[host] / "counter", line)
        return lines

    results = both(lambda: count(0), lambda: count(1))
    content = space.get("counter").splitlines(keepends=True)
    assert sorted(content) == sorted([b"start\n", *(line for lines in results for line, stored in lines.items() if stored)])
    for host, lines in enumerate(results):
        kept = b"".join(hosts[host].kept_files())
        assert all(line in kept for line, stored in lines.items() if stored is False)


def test_a_newer_version_survives_an_older_rename_and_removal(make_mount, space):
    space.put("moved", b"old")
    space.put("replaced", b"old")
    first, second = make_mount(), make_mount()
    for name in ("moved", "replaced"):
        assert (first / name).read_bytes() == b"old"
    (second / "moved").write_bytes(b"newer")
    try:
        os.rename(first / "moved", first / "elsewhere")
    except OSError as error:
        assert error.errno == ESTALE, error
        assert space.get("moved") == b"newer"
    else:
        assert b"newer" in (space.get("elsewhere"), space.exists("moved") and space.get("moved"))


def test_directories_and_names_of_one_host_are_those_of_the_other(make_mount, space):
    first, second = make_mount(coherence="ttl=0"), make_mount(coherence="ttl=0")
    os.makedirs(first / "a/b/c")
    (first / "a/b/file").write_bytes(b"text")
    assert sorted(os.listdir(second / "a/b")) == ["c", "file"]
    os.rmdir(second / "a/b/c")
    os.unlink(second / "a/b/file")
    until(lambda: os.listdir(first / "a/b") == [], 5, "the other host sees that it is empty")
    os.rmdir(first / "a/b")
    until(lambda: os.listdir(second / "a") == [], 5, "the other host sees that it is gone")
    assert space.exists("a/") and not space.exists("a/b/")
