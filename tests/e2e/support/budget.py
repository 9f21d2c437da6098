"""Tables of what each thing costs: a row is what a program does and the exact requests of it, with commit=close and with commit=journal."""

import dataclasses
import itertools
import os
import time
from collections.abc import Callable

import pytest

from . import admin
from .clients import Space
from .devs3 import ACCESS, SECRET, Recording, Requests
from .wait import Stopwatch, until

MODES = ("close", "journal")
SETTLES = 60  # seconds
TRIES = 10
WITHIN = "10m"  # a freshness window that no machine is too slow for
LATER = 1.1  # seconds after which what was learnt is no longer fresh, where the window is the usual one

PUT, GET, HEAD, LIST = "PutObject", "GetObject", "HeadObject", "ListObjectsV2"
COPY, DELETE, DELETE_MANY = "CopyObject", "DeleteObject", "DeleteObjects"
CREATE_UPLOAD, PART, COPY_PART, COMPLETE = "CreateMultipartUpload", "UploadPart", "UploadPartCopy", "CompleteMultipartUpload"

ANSWERS = "S3 answers"  # in the log, when the daemon has put its own first questions
_numbers = itertools.count(1)


def up_to(most):
    """Where the number depends on how fast the machine is."""
    return range(most + 1)


@dataclasses.dataclass(frozen=True)
class Row:
    does: str  # what a program does
    before: Callable  # before(at): what is there, not counted
    calls: Callable  # calls(at): how it does it
    close: dict  # operation -> how many, or a range
    journal: dict | None = None  # None: the same
    later: bool = False  # after the freshness window
    within: float | None = None  # seconds that the calls may take: what is owed lingers so long, to go together with what comes next
    options: dict = dataclasses.field(default_factory=dict)  # of the mount
    listing: bool = True  # the right s3:ListBucket
    also: Callable | None = None  # also(requests, at): what must be of them besides
    above: dict = dataclasses.field(default_factory=dict)  # mode -> why it is still more than that

    def expected(self, mode):
        return self.close if mode == "close" or self.journal is None else self.journal


def table(rows):
    """Each row in both modes, as parameters `row` and `mode`."""
    def parameters(row, mode):
        marks = [pytest.mark.xfail(reason=row.above[mode], strict=True)] if mode in row.above else []
        return pytest.param(row, mode, id=f"{row.does} [{mode}]", marks=marks)

    return pytest.mark.parametrize("row, mode", [parameters(row, mode) for row in rows for mode in MODES])


class At:
    """Where a row happens: a fresh prefix as another client sees it, and a mount of it that starts when it is first used."""

    def __init__(self, mounts, devs3, row, mode):
        self._mounts, self._row, self._mode, self._mnt = mounts, row, mode, None
        self.devs3 = devs3
        self.keys = {"access": ACCESS, "secret": SECRET}
        if row.listing:
            self.space = Space(devs3.client(), "e2e", f"budget-{next(_numbers)}/")
        else:
            self.space = Space(devs3.client(), "starscreen-resumes-prod", f"resumes/budget-{next(_numbers)}/")
            self.keys = {"access": "resumes", "secret": "resumessecret"}

    @property
    def mnt(self):
        if self._mnt is None:
            options = {"commit": self._mode, **({} if self._row.later else {"ttl": WITHIN}), **self._row.options}
            self._mnt = self._mounts.start(self.space.source, self.devs3.endpoint, **self.keys, **options)
            self._wait_connected(1)
        return self._mnt

    def path(self, name=""):
        return os.path.join(self.mnt.path, name)

    def put(self, name, body=b"x"):
        """By another client."""
        self.space.put(name, body, **({} if self._row.listing else {"ServerSideEncryption": "AES256"}))

    def forget(self):
        """The mount is another host's now: it knows nothing."""
        times = self.mnt.log().count(ANSWERS)
        self.mnt.remount(cold=True)
        self._wait_connected(times + 1)

    def settle(self):
        """What is owed is counted too."""
        until(lambda: admin.status(self.mnt)["owed"] == [], SETTLES, "nothing is owed")

    def _wait_connected(self, times):
        """Its own first questions are not the row's."""
        until(lambda: self._mnt.log().count(ANSWERS) >= times, SETTLES, "the daemon reaches S3")


def measure(row, at):
    """The requests of a row, when nothing is owed any more, and how long the calls took."""
    row.before(at)
    at.settle()
    if row.later:
        time.sleep(LATER)  # the time is the point
    recording = Recording(at.devs3, "")
    with Stopwatch() as watch:
        row.calls(at)
    at.settle()
    # What an earlier test has left waiting may be answered now; DeleteObjects is about no key.
    ours = Requests(request for request in recording.requests() if not request.about or request.about.startswith(at.space.prefix))
    return ours, watch.seconds


def check(row, mode, make_at):
    """`make_at(row, mode)`: an At. A machine that is too busy for what must be quick is asked again."""
    for _ in range(TRIES):
        at = make_at(row, mode)
        requests, seconds = measure(row, at)
        if row.within is None or seconds < row.within:
            break
    else:
        raise AssertionError(f"{row.does}: the calls took {seconds:.2f} s, and may take {row.within} s")
    expected, counts = row.expected(mode), requests.counts()
    wrong = {operation for operation in {*expected, *counts} if not _fits(counts.get(operation, 0), expected.get(operation, 0))}
    log = "\n".join(f"  {request.time_ms % 100_000} {request.operation} {request.about} {request.query} {request.status}" for request in requests[:30])
    assert not wrong, f"{row.does}, commit={mode}: {counts}, not {expected}\n{log}"
    if row.also is not None:
        row.also(requests, at)


def _fits(count, expected):
    return count in expected if isinstance(expected, range) else count == expected
