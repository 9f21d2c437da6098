"""A directory of 100,000 files: what programs that look at each of them cost, cold and when the mount has seen it, beside the pages of the listing alone."""

import dataclasses
import shutil
import subprocess
import sys

from curl import Curl
from measure import Wrong
from million import FOLDER, Reading, long_listing, measured, name_of
from tools import Mount

SECONDS_MAX = 180
FLOOR = "the pages alone, by curl one after another"


def _said(*words):
    """What the program writes. One that has got slow is not waited for."""
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=SECONDS_MAX)
    except subprocess.TimeoutExpired:
        raise Wrong(f"not done within {SECONDS_MAX} s") from None
    if done.returncode != 0:
        raise Wrong(f"{words[0]}: status {done.returncode}")
    return done.stdout


def _find(path, count):
    if (found := len(_said("find", path, "-type", "f", "-name", "*_cv.pdf", "-printf", "."))) != count:
        raise Wrong(f"find: {found:,} files")


def _du(path, count):
    """Each file has one byte, and the directory some of its own."""
    if (found := int(_said("du", "--summarize", "--bytes", path).split()[0])) < count:
        raise Wrong(f"du: {found:,} bytes")


def lives():
    """Of the mounts that are made: a word for the cache directory, options, and the rows (title, what is done, whether it is told)."""
    return [("cold", "", [("ls -l, cold", long_listing, True), ("ls -l again", long_listing, True)]),
            ("long", ",ttl=1h", [("ls -l, cold, ttl=1h", long_listing, False), ("ls -l again, ttl=1h", long_listing, True)]),
            ("long", ",ttl=1h", [("ls -l after a remount with the cache kept, ttl=1h", long_listing, True)]),
            ("find", "", [("find, cold", _find, True)]),
            ("du", "", [("du, cold", _du, True)])]


@dataclasses.dataclass
class Floor:
    seconds: float
    cpu_seconds: float
    requests: int


def _floor(tool, endpoint, directory, names):
    """None where there is no curl."""
    program = shutil.which("curl")
    if not program:
        return None
    print(FLOOR, file=sys.stderr, flush=True)
    directory.mkdir()
    endpoint.clear_log()
    alone = Curl(program, endpoint, tool.prefix, directory)
    alone.list_pages(FOLDER, names)
    return Floor(alone.seconds, alone.cpu_seconds, len(endpoint.log()))


def measure(tool, endpoint, directory, count, only):
    """The Floor, and a Reading for each row whose title has `only`."""
    names = [name_of(number) for number in range(count)]
    endpoint.fill_alike([f"{tool.prefix}/{FOLDER}/{name}" for name in names], b"x")
    floor, readings = _floor(tool, endpoint, directory / "floor", names), []
    wanted = {cache for cache, _, rows in lives() if any(only in title and told for title, _, told in rows)}
    for cache, options, rows in lives():
        if cache not in wanted:
            continue
        with Mount(tool.with_options(options), endpoint, directory / f"{tool.prefix}-{cache}", keeps=True) as mount:
            for title, program, told in rows:
                reading = measured(Reading(title, endpoint.latency_ms), mount, endpoint, lambda _, run=program: run(mount.path / FOLDER, count))
                readings += [reading] if told and only in title else []
    return floor, readings
