"""Fixtures: one devs3 and the real servers for the session, a mount where a test wants one. See README.md."""

import functools
import inspect
import itertools
import os
import pathlib
import shutil
import tempfile
import threading

import pytest

from support import machine, mount, paths, servers
from support.clients import Space
from support.devs3 import ACCESS, SECRET, Devs3, Recording
from support.place import LOCAL, LocalPlace, MountedPlace

WATCHDOG_SECONDS = 100

RESUME_RIGHTS = ["s3:PutObject", "s3:GetObject", "s3:DeleteObject"]
CONFIG = {
    "keys": [
        {"access": ACCESS, "secret": SECRET},
        # The policy of the resume system: its own prefix, and no s3:ListBucket.
        {"access": "resumes", "secret": "resumessecret", "allow": RESUME_RIGHTS, "resources": ["starscreen-resumes-prod/resumes/*"]},
        {"access": "reader", "secret": "readersecret", "allow": ["s3:GetObject", "s3:ListBucket"]},
        {"access": "nobody", "secret": "nobodysecret", "allow": []},
    ],
    "buckets": [
        {"name": "e2e", "acls": True},
        {"name": "starscreen-resumes-prod", "require_sse": "AES256"},
        {"name": "auto-bio-illustrations"},
        {"name": "elsewhere", "region": "eu-central-1"},
    ],
}

_numbers = itertools.count(1)



@pytest.hookimpl
def pytest_runtest_logreport(report):
    if report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2].removeprefix("Skipped: ")
        if not reason.startswith(machine.PREFIX):
            _refused.append(f"{report.nodeid}: {reason}")


_refused = []


def pytest_terminal_summary(terminalreporter):
    for line in _refused:
        terminalreporter.write_line(f"not acceptable as a skip: {line}")


def pytest_sessionfinish(session):
    if _refused and session.exitstatus == 0:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.fixture(autouse=True)
def watchdog():
    """A system call that hangs on a mount ends when its daemon does; the test then fails by itself, and cleans up."""
    timer = threading.Timer(WATCHDOG_SECONDS, mount.kill_all)
    timer.daemon = True
    timer.start()
    yield
    timer.cancel()


@pytest.fixture(scope="session", autouse=True)
def usual_umask():
    """Modes in the tests are those of a usual login."""
    before = os.umask(0o022)
    yield
    os.umask(before)


@pytest.fixture(scope="session")
def devs3(tmp_path_factory):
    """Shared by all tests that do not stop it, turn its clock or slow it down."""
    server = Devs3(tmp_path_factory.mktemp("devs3"), CONFIG).start()
    yield server
    server.stop()


@pytest.fixture
def make_devs3(tmp_path):
    """devs3 of one test's own: make_devs3(config, *arguments) -> Devs3, started."""
    made = []

    def make(config=None, *arguments):
        made.append(Devs3(tmp_path / f"devs3-{len(made)}", config or CONFIG, *arguments).start())
        return made[-1]

    yield make
    for server in made:
        server.stop()


def _real_server(name, tmp_path_factory):
    try:
        server = servers.RealServer(name, tmp_path_factory.mktemp(name))
    except servers.Unavailable as reason:
        machine.skip(f"{name}: {reason}")
    server.client().create_bucket(Bucket="e2e")
    return server


@pytest.fixture(scope="session")
def versitygw(tmp_path_factory):
    server = _real_server("versitygw", tmp_path_factory)
    yield server
    server.stop()


@pytest.fixture(scope="session")
def moto(tmp_path_factory):
    server = _real_server("moto", tmp_path_factory)
    yield server
    server.stop()


def fresh_prefix():
    return f"t{next(_numbers)}/"


DEVS3_ONLY = {"devs3", "make_devs3", "record"}  # its faults, its clock, its log


def pytest_generate_tests(metafunc):
    """What needs nothing of devs3 but S3 runs once more on a server that others wrote."""
    if "server" in metafunc.fixturenames and not DEVS3_ONLY & set(inspect.signature(metafunc.function).parameters):
        metafunc.parametrize("server", ["devs3", "versitygw"], indirect=True)


@pytest.fixture
def server(request):
    """The S3 of a test."""
    return request.getfixturevalue(getattr(request, "param", "devs3"))


@pytest.fixture
def space(server):
    """A prefix of its own in bucket e2e, as another client sees it."""
    return Space(server.client(), "e2e", fresh_prefix())


class Mounts:
    """Makes mounts and ends them all."""

    def __init__(self, directory):
        self.directory, self._made = directory, []

    def prepare(self, source, endpoint, access=ACCESS, secret=SECRET, environment=None, **options):
        """A Mount that is not started."""
        machine.require_fuse()
        if not paths.PREFIXFS.exists():
            raise FileNotFoundError(f"{paths.PREFIXFS} is not there; scripts/build makes it")
        directory = self.directory / f"mount-{len(self._made)}"
        self._made.append(mount.Mount(source, directory, endpoint, access, secret, options, environment))
        return self._made[-1]

    def start(self, *arguments, **options):
        return self.prepare(*arguments, **options).start()

    def end(self):
        problems = []
        for made in reversed(self._made):
            try:
                made.stop()
            except AssertionError as problem:
                problems.append(str(problem))
        assert not problems, "\n".join(problems)


@pytest.fixture
def mounts(tmp_path):
    made = Mounts(tmp_path)
    yield made
    made.end()


@pytest.fixture
def public_mounts():
    """As `mounts`, in a directory that every user may enter."""
    directory = pathlib.Path(tempfile.mkdtemp(prefix="prefixfs-e2e."))
    directory.chmod(0o755)
    made = Mounts(directory)
    yield made
    made.end()
    shutil.rmtree(directory)


@pytest.fixture
def make_mount(mounts, server, space):
    """make_mount(**options) -> Mount of `space`, started and connected. Several calls: several hosts."""
    return lambda **options: mounts.start(space.source, server.endpoint, server.access, server.secret, **options).wait_connected()


class MountOnFirstUse:
    """Starts when a test first touches it: what the test has put into the bucket by then is there from the beginning. (A running mount
    knows the listing of its root for a second, and would have to be waited for.)"""

    def __init__(self, make):
        self._make, self._mount, self._lock = make, None, threading.Lock()

    def _started(self):
        with self._lock:
            self._mount = self._mount or self._make()
        return self._mount

    def __getattr__(self, name):
        return getattr(self._started(), name)

    def __truediv__(self, name):
        return self._started() / name


@pytest.fixture
def mnt(make_mount):
    """A mount of `space` with the default options."""
    return MountOnFirstUse(make_mount)


@pytest.fixture
def place(request, tmp_path):
    """Where a program of others works, once, on devs3: another server would tell nothing new; with the options of the mark `mount_options`. See support/place.py."""
    if LOCAL:
        return LocalPlace(tmp_path / "place")
    marked = request.node.get_closest_marker("mount_options")
    return MountedPlace(functools.partial(request.getfixturevalue("make_mount"), **(marked.kwargs if marked else {})))


@pytest.fixture
def record(devs3, space):
    """record() starts a recording of the requests about `space`; .counts(), .requests()."""
    return lambda: Recording(devs3, space.prefix)


@pytest.fixture(scope="module", params=["devs3", "versitygw"])
def module_mount(request, tmp_path_factory):
    """(Mount, Space) shared by a module's tests that only need a directory: once on devs3, once on an S3 server that others wrote."""
    server = request.getfixturevalue(request.param)
    shared = Space(server.client(), "e2e", fresh_prefix())
    made = Mounts(tmp_path_factory.mktemp("shared"))
    yield made.start(shared.source, server.endpoint, server.access, server.secret), shared
    made.end()


@pytest.fixture
def folder(module_mount):
    """A new directory in the shared mount."""
    path = module_mount[0] / f"d{next(_numbers)}"
    path.mkdir()
    return path


@pytest.fixture
def folder_space(module_mount, folder):
    """The same directory, as another client sees it."""
    shared = module_mount[1]
    return Space(shared.client, shared.bucket, f"{shared.prefix}{folder.name}/")
