"""A million files in one directory: how soon the first names come, whether all come once, and what that takes."""

import dataclasses
import os
import subprocess
import sys
import threading
import time

from measure import Wrong, wait_until_quiet
from tools import Mount

MIB = 1 << 20
FIRST_SECONDS_MAX = 1.0
MEMORY_MAX = 300 * MIB
FOLDER = "many"
CHANGED = 500  # files that are renamed or removed, one after another, while the directory is read
CHANGERS = 8
NAMES, LONG, CHANGING = "names", "ls -l", "while it changes"


def lives(latency_ms):
    """Of the mounts that are made: latency, options, and the rows (title, what is done, whether it is told)."""
    default = [("all names, cold", NAMES, True), ("all names again", NAMES, True)]
    return [(0, "", default), (latency_ms, "", [*default, ("ls -l after them", LONG, True)]),
            (latency_ms, ",ttl=1h", [("all names, cold, ttl=1h", NAMES, False), ("all names again, ttl=1h", NAMES, True)]),
            (latency_ms, "", [("all names, cold, while others change", CHANGING, True)])]


@dataclasses.dataclass
class Reading:
    """One row of the table."""
    title: str
    latency_ms: int
    first_seconds: float | None = None
    seconds: float = 0
    requests: int = 0
    listings: int = 0
    cpu_seconds: float = 0
    peak_bytes: int = 0
    private_bytes: int = 0
    changes: int = 0
    complete: bool = False
    problems: list = dataclasses.field(default_factory=list)

    @property
    def told(self):
        return f"; {self.changes:,} changes meanwhile" if self.changes else ""


def name_of(number):
    return f"{number:07}_cv.pdf"


def read_names(path):
    """The names as a program gets them, and when it got the first."""
    began, names, first = time.monotonic(), [], None
    with os.scandir(path) as entries:
        for entry in entries:
            first = first or time.monotonic() - began
            names.append(entry.name)
    return names, first


def check_names(names, staying, passing):
    """What stays is seen exactly once, what changes meanwhile at most once, and nothing else is seen."""
    seen = set(names)
    if len(seen) != len(names):
        raise Wrong(f"{len(names) - len(seen):,} names are seen twice")
    if missing := len(staying - seen):
        raise Wrong(f"{missing:,} names are missing")
    if strangers := seen - staying - passing:
        raise Wrong(f"{len(strangers):,} names are none of the directory's, as {min(strangers)}")


class Changer(threading.Thread):
    """Makes, renames and removes names in the directory until it is told to stop. `passing`: those that it touches; `changing`: those of them that
    are there before."""

    def __init__(self, path, number, changing):
        super().__init__(daemon=True)
        self.path, self.number, self.changing = path, number, changing
        self.passing, self.changes, self.problem, self.stopping = set(changing), 0, None, threading.Event()

    def run(self):
        try:
            while not self.stopping.is_set():
                self._change(self.changes)
                self.changes += 1
        except OSError as error:
            self.problem = error

    def _change(self, count):
        made = f"{count:04}-made-by-{self.number}.pdf"
        again = f"again-{made}"
        self.passing |= {made, again}
        (self.path / made).write_bytes(b"x")
        if count % 3 == 1:
            os.rename(self.path / made, self.path / again)
        elif count % 3 == 2:
            os.unlink(self.path / made)
        if count < len(self.changing):
            old = self.changing[count]
            if count % 2:
                os.unlink(self.path / old)
            else:
                self.passing.add(f"renamed-{old}")
                os.rename(self.path / old, self.path / f"renamed-{old}")


def _read_and_check(path, staying):
    names, first = read_names(path)
    check_names(names, staying, set())
    return first


def long_listing(path, count):
    environment = {**os.environ, "LC_ALL": "C"}
    with subprocess.Popen(["ls", "-l", path], stdout=subprocess.PIPE, env=environment) as listing:
        lines = sum(1 for line in listing.stdout if line.endswith(b"_cv.pdf\n"))
    if listing.returncode != 0 or lines != count:
        raise Wrong(f"ls -l: status {listing.returncode}, {lines:,} lines")


def _read_while_it_changes(path, staying, changing, reading):
    changers = [Changer(path, number, changing[number::CHANGERS]) for number in range(CHANGERS)]
    for changer in changers:
        changer.start()
    try:
        names, first = read_names(path)
    finally:
        for changer in changers:
            changer.stopping.set()
        for changer in changers:
            changer.join(120)
    reading.changes = sum(changer.changes for changer in changers)
    if problem := next((changer.problem for changer in changers if changer.problem), None):
        raise Wrong(f"a program that changes names sees {problem}")
    check_names(names, staying, set().union(*(changer.passing for changer in changers)))
    return first


def measured(reading, mount, endpoint, work):
    """Runs `work`, which gives back when the first name came, and fills `reading`."""
    print(f"prefixfs: {reading.title}, {reading.latency_ms} ms", file=sys.stderr, flush=True)
    wait_until_quiet(endpoint)
    process = mount.process
    process.forget_peak()
    cpu, began = process.cpu_seconds(), time.monotonic()
    try:
        reading.first_seconds = work(reading)
        reading.complete = True
    except (Wrong, OSError) as error:
        reading.problems.append(str(error))
    reading.seconds = time.monotonic() - began
    reading.cpu_seconds = process.cpu_seconds() - cpu
    reading.peak_bytes, reading.private_bytes = process.peak_bytes(), process.private_bytes()
    log = endpoint.log()
    reading.requests, reading.listings = len(log), sum(record["operation"] == "ListObjectsV2" for record in log)
    if reading.first_seconds is not None and reading.first_seconds > FIRST_SECONDS_MAX:
        reading.problems.append(f"the first names came later than after {FIRST_SECONDS_MAX:g} s")
    if reading.peak_bytes > MEMORY_MAX:
        reading.problems.append(f"more than {MEMORY_MAX // MIB} MiB of memory")
    return reading


def _work_of(path, everything, changing):
    """For each kind of row what gives back when the first name came."""
    return {NAMES: lambda reading: _read_and_check(path, everything),
            LONG: lambda reading: long_listing(path, len(everything)),
            CHANGING: lambda reading: _read_while_it_changes(path, everything - set(changing), changing, reading)}


def measure(tool, endpoint, directory, count, latency_ms, only):
    """A Reading for each row whose title has `only`; the last one changes what is in the directory."""
    names = [name_of(number) for number in range(count)]
    changing = names[::max(count // CHANGED, 1)]
    endpoint.fill_alike([f"{tool.prefix}/{FOLDER}/{name}" for name in names], b"x")
    readings = []
    for number, (latency, options, rows) in enumerate(lives(latency_ms)):
        wanted = [place for place, (title, _, _) in enumerate(rows, 1) if only in title]
        if not wanted:
            continue
        endpoint.set_latency(latency)
        with Mount(tool.with_options(options), endpoint, directory / f"{tool.prefix}-{number}") as mount:
            work = _work_of(mount.path / FOLDER, frozenset(names), changing)
            for title, kind, shown in rows[:max(wanted)]:
                reading = measured(Reading(title, latency), mount, endpoint, work[kind])
                readings += [reading] if shown and only in title else []
    return readings
