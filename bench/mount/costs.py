"""What a mount costs before it is used: how long until it is there, and the memory and threads of one that nobody uses. Whether ten times the files cost more
than ten times as much."""

import dataclasses
import statistics
import sys

import measure
from tools import Mount
from workload import Step, Workload, noise

STARTS = 5
FILE_BYTES = 1_000


@dataclasses.dataclass
class Cost:
    """One row of the table. The memory and threads of each process."""
    name: str
    seconds: float | None = None
    resident_bytes: list = dataclasses.field(default_factory=list)
    threads: list = dataclasses.field(default_factory=list)
    problem: str = ""


def of_mount(tool, endpoint, directory):
    """The first start warms the file cache, and does not count; each has an empty cache directory."""
    print(f"{tool.name}: {STARTS} starts", file=sys.stderr, flush=True)
    try:
        return _of_mount(tool.at("costs"), endpoint, directory)
    except (OSError, RuntimeError) as error:
        return Cost(tool.name, problem=f"fails: {error}")


def _of_mount(own, endpoint, directory):
    measure.fill(Workload([]), own, endpoint)
    seconds = []
    for number in range(STARTS + 1):
        with Mount(own, endpoint, directory / f"{own.prefix}-{number}") as mount:
            seconds.append(mount.seconds_to_start)
            if number == STARTS:
                measure.wait_until_quiet(endpoint)
                return Cost(own.name, statistics.median(seconds[1:]), mount.process.resident_bytes(), mount.process.threads())


def new_files(count):
    names, body = [f"new-{number:05}.pdf" for number in range(count)], noise(FILE_BYTES, 21)

    def run(path):
        for name in names:
            (path / name).write_bytes(body)

    return Workload([Step(f"{count:,} new files of 1 KB", run, stored=dict.fromkeys(names, FILE_BYTES))])


def linear(tool, endpoint, directory, counts):
    """A sentence, and whether it fails. `counts`: a few files, and ten times as many."""
    told, failed, first = [], False, None
    for count in counts:
        print(f"{tool.name}: {count} new files", file=sys.stderr, flush=True)
        own = tool.at(f"linear-{count}")
        figures, = measure.run(new_files(count), own, endpoint, directory / own.prefix)
        first, failed = first or figures, failed or bool(figures.problem)
        ratio = f" ({figures.requests / first.requests:.1f}x)" if first.requests and first is not figures else ""
        told.append(figures.problem or f"{count:,} new files of 1 KB are {figures.requests:,} requests{ratio} and {figures.peak_bytes / (1 << 20):.0f} MiB at most")
    return f"- {tool.name}: {'; '.join(told)}", failed
