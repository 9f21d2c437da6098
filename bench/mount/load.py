"""Writers, readers and listers beside each other, for minutes, once undisturbed and once while S3 fails or throttles one of twenty requests: whether a program
sees an error or wrong bytes, and how much is done in the same time."""

import dataclasses
import os
import random
import threading
import time

from tools import Mount

WRITERS, READERS, LISTERS = 24, 24, 16
FILES, LISTED = 500, 200
SIZES = [4_000, 100_000, 500_000]
KEPT = 20  # names of each writer
FAULTS = [{"probability": 0.02, "seed": 1, "action": "status", "status": 500, "code": "InternalError"},
          {"probability": 0.02, "seed": 2, "action": "status", "status": 503, "code": "SlowDown"},
          {"probability": 0.01, "seed": 3, "action": "reset"}]
KINDS = ["files written", "files read", "directories listed"]


@dataclasses.dataclass
class Reading:
    """One row of the table."""
    title: str
    seconds: float
    done: dict
    problems: list
    cpu_seconds: float
    peak_bytes: int


def content(name, size):
    """Who reads it can tell whether it is all of one version."""
    word = f"{name} {size} ".encode()
    return (word * (size // len(word) + 1))[:size]


class Worker(threading.Thread):
    """Does `once` over and over, until `stop` or an error."""

    def __init__(self, kind, once, stop):
        super().__init__(daemon=True)
        self.kind, self._once, self._stop_event, self.done, self.problem = kind, once, stop, 0, None

    def run(self):
        try:
            while not self._stop_event.is_set():
                self._once()
                self.done += 1
        except (OSError, AssertionError) as error:
            self.problem = f"{self.kind}: {error!r}"


class Writer:
    """New files, new bytes for old ones, appends, renames and removals, each in names of its own."""

    def __init__(self, path, number):
        self._path, self._random, self.holds = path / "written" / f"{number:02}", random.Random(number), {}
        self._path.mkdir(parents=True, exist_ok=True)

    def __call__(self):
        name = str(self._random.randrange(KEPT))
        path = self._path / name
        action = self._random.random()
        if name in self.holds and action < 0.1:
            path.unlink()
            del self.holds[name]
        elif name in self.holds and action < 0.2:
            path.rename(self._path / f"{name}.kept")
            self.holds[f"{name}.kept"] = self.holds.pop(name)
        elif name in self.holds and action < 0.3:
            with open(path, "ab") as file:
                file.write(b"one line more\n")
            self.holds[name] += b"one line more\n"
        else:
            text = content(name, self._random.choice(SIZES))
            path.write_bytes(text)
            self.holds[name] = text

    def differences(self, path):
        """Of what another mount shows at the end."""
        folder = path / "written" / self._path.name
        found = {entry.name: (folder / entry.name).read_bytes() for entry in os.scandir(folder)}
        return [f"{self._path.name}/{name} is not what was written" for name in found.keys() | self.holds.keys() if found.get(name) != self.holds.get(name)]


def _reader(path, number):
    numbers = random.Random(1_000 + number)

    def read():
        name = f"{numbers.randrange(FILES):03}"
        text = (path / "read" / name).read_bytes()
        if text != content(name, SIZES[1]):
            raise AssertionError(f"read/{name} has wrong bytes")

    return read


def _lister(path):
    def look():
        with os.scandir(path / "listed") as entries:
            sizes = [entry.stat().st_size for entry in entries]
        if len(sizes) != LISTED:
            raise AssertionError(f"listed/ has {len(sizes)} names, not {LISTED}")

    return look


def _objects(tool):
    return ([(f"{tool.prefix}/read/{number:03}", content(f"{number:03}", SIZES[1])) for number in range(FILES)] +
            [(f"{tool.prefix}/listed/{number:03}", b"x") for number in range(LISTED)])


def _reading(title, tool, endpoint, directory, seconds, faults):
    with Mount(tool, endpoint, directory / "first") as mount:
        stop = threading.Event()
        writers = [Writer(mount.path, number) for number in range(WRITERS)]
        workers = ([Worker(KINDS[0], writer, stop) for writer in writers] + [Worker(KINDS[1], _reader(mount.path, number), stop) for number in range(READERS)] +
                   [Worker(KINDS[2], _lister(mount.path), stop) for _ in range(LISTERS)])
        endpoint.set_faults(faults)
        began = time.monotonic()
        for worker in workers:
            worker.start()
        stop.wait(seconds)
        stop.set()
        for worker in workers:
            worker.join(120)
        took = time.monotonic() - began
        endpoint.set_faults([])
        problems = [worker.problem for worker in workers if worker.problem] + [f"{worker.kind}: a call does not end" for worker in workers if worker.is_alive()]
        cpu, peak = mount.process.cpu_seconds(), mount.process.peak_bytes()
    with Mount(tool, endpoint, directory / "second") as mount:
        for writer in writers if not problems else []:
            problems += writer.differences(mount.path)
    return Reading(title, took, {kind: sum(worker.done for worker in workers if worker.kind == kind) for kind in KINDS}, problems, cpu, peak)


def measure(tool, endpoint, directory, seconds):
    """Readings: undisturbed, and disturbed."""
    readings = []
    for number, (title, faults) in enumerate((("undisturbed", []), ("one of twenty requests fails", FAULTS))):
        own = tool.at(f"load-{number}")
        endpoint.fill(_objects(own))
        readings.append(_reading(title, own, endpoint, directory / f"load-{number}", seconds, faults))
    return readings
