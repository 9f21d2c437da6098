"""The power fails while S3 does not answer: whatever the disk may hold then, everything acknowledged before is in S3 afterwards. See tests/crash/README.md."""

import os
import random
import shutil
from concurrent.futures import ThreadPoolExecutor

import pytest

from support import crash, power
from support.clients import Space
from support.crash import LIST, append, chmod, mkdir, patch, rename, rmdir, unlink, write

IMAGES = int(os.environ.get("PREFIXFS_POWER_IMAGES", "60"))  # for each scenario
SEED = int(os.environ.get("PREFIXFS_TEST_SEED", random.randrange(1 << 32)))
OBJECTS = {"a": 5000, "b": 5000}

SCENARIOS = {
    "files": [write("new", "n", 5000), write("a", "again", 3000), append("a", "more", 700), patch("b", 100, "p", 50)],
    "names": [write("t.tmp", "t", 5000), rename("t.tmp", "final"), rename("a", "c"), unlink("b"), write("b", "anew", 6000), unlink("final")],
    "directories": [mkdir("d"), write("d/x", "x", 5000), unlink("d/x"), rmdir("d"), chmod("a", "600"), mkdir("e"), write("e/y", "y", 9000)],
}
NO_ENDPOINT = type("NoEndpoint", (), {"endpoint": "http://127.0.0.1:9"})  # discard: nobody listens


@pytest.fixture
def recorded(devs3, tmp_path, request):
    """A run whose every change is written down: (changes, before, acts, the directory before)."""
    acts = SCENARIOS[request.param]
    base, directory = tmp_path / "base", tmp_path / "cache"
    # What is known of the names comes from a run that could ask S3.
    space = Space(devs3.client(), "e2e", "power-base/")
    for name, size in OBJECTS.items():
        space.put(name, crash.pattern(name, size))
    assert crash.run(devs3, space.prefix, base, [LIST], commit="journal").whole
    shutil.copytree(base, directory)
    record = tmp_path / "record"
    done = crash.run(NO_ENDPOINT, space.prefix, directory, acts, {"FILE_CALLS_RECORD": str(record)}, commit="journal")
    assert done.answers() == ["ok"] * len(acts), (done.lines, done.errors)
    return power.read(record), acts, base, directory


@pytest.mark.parametrize("recorded", SCENARIOS, indirect=True)
def test_what_was_acknowledged_is_there_after_the_power_has_failed(devs3, recorded, tmp_path):
    print(f"PREFIXFS_TEST_SEED={SEED}")
    changes, acts, base, directory = recorded
    disk, client, rng = power.Disk(base, directory), devs3.client(), random.Random(SEED)
    before = {name: crash.pattern(name, size) for name, size in OBJECTS.items()}
    ends = sorted(rng.sample(range(1, len(changes) + 1), min(len(changes), IMAGES // 3)))
    ways = [(end, way) for end in ends for way in power.losses(changes[:end], SEED + end, 3)]

    def experiment(number):
        end, (cut, missing) = ways[number]
        said = b"".join(change.data for change in changes[:end] if change.kind == "say").decode().splitlines()
        image = tmp_path / f"image-{number}"
        disk.image(changes[:end], lambda at: at <= cut, lambda at: at not in missing, image)
        space = Space(client, "e2e", f"power-{os.path.basename(tmp_path)}-{number}/")
        for name, data in before.items():
            space.put(name, data)
        second = crash.run(devs3, space.prefix, image, [crash.DRAIN], commit="journal", boot="after the power loss")
        told = f"seed {SEED}, after {end} of {len(changes)} changes, names up to {cut}, without {sorted(missing)}: {said} then {second.lines} {second.errors}"
        assert second.whole and second.lines[:2] == ["ok", "owed 0"], told
        found = {name: space.get(name) for name in space.names()}
        states = crash.Run(said, None).states(before, acts)
        assert found in states, f"{told}: {({name: (len(data), data[:12]) for name, data in found.items()})}"
        assert crash.left_behind(image) == [] and crash.kept(image) == [] and space.uploads() == [], told
        shutil.rmtree(image)

    with ThreadPoolExecutor(3) as threads:
        list(threads.map(experiment, range(len(ways))))
    assert len(ways) >= 20
