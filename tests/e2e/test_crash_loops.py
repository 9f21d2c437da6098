"""The program dies at its 1st, 2nd, 3rd ... call of S3 and of the local file system, or that call fails, until a run passes untouched. After the next start everything
acknowledged is in S3, nothing else is, and nothing is owed. See tests/crash/README.md."""

import itertools
import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from errno import EIO, ENOSPC

import pytest

from support import crash
from support.clients import Space
from support.crash import DRAIN, LIST, append, chmod, elsewhere, mkdir, patch, rename, rename_directory, rmdir, unlink, write

SMALL = 5000
LARGE = 11 << 20  # three parts

# name -> (objects that are there before, what is done)
SCENARIOS = {
    "new file": ({}, [LIST, write("new", "n", SMALL)]),
    "overwrite": ({"a": SMALL}, [LIST, write("a", "again", 3000)]),
    "append": ({"a": SMALL}, [LIST, append("a", "more", 700), append("a", "evenmore", 70)]),
    "multipart": ({"large": LARGE}, [LIST, write("huge", "h", LARGE), patch("large", 6 << 20, "p", 1000)]),
    "rename": ({"a": SMALL, "b": SMALL}, [LIST, rename("a", "c"), rename("c", "b"), write("t.tmp", "t", SMALL), rename("t.tmp", "final")]),
    "delete": ({"a": SMALL, "b": SMALL}, [LIST, unlink("a"), write("x", "x", SMALL), unlink("x"), unlink("b"), write("b", "anew", SMALL)]),
    "mkdir": ({}, [LIST, mkdir("d"), write("d/x", "x", SMALL), unlink("d/x"), rmdir("d"), mkdir("e")]),
    "rename directory": ({"d/a": SMALL, "d/s/b": SMALL}, [LIST, write("d/new", "n", 300), rename_directory("d", "e"), write("e/a", "again", 300)]),
    "chmod": ({"a": SMALL}, [LIST, chmod("a", "600"), rename("a", "b"), chmod("b", "640")]),
}
CONFLICT = ({"a": SMALL}, [LIST, elsewhere("a", "theirs", 4000), patch("a", 0, "mine", 9)])

RUNS_AT_ONCE = 3
THOROUGH = bool(os.environ.get("PREFIXFS_THOROUGH"))  # each place also where a run is slow

_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def template(devs3, tmp_path_factory):
    """A cache directory that was in use before, so that making one is not counted each time."""
    directory = tmp_path_factory.mktemp("template") / "cache"
    made = crash.run(devs3, "crash-template/", directory, [], commit="journal")
    assert made.whole, (made.lines, made.errors)
    return directory


class Laboratory:
    def __init__(self, server, template, directory):
        self.server, self.template, self.directory = server, template, directory
        self.client = server.client()

    def experiment(self, scenario, commit, environment=None, **settings):
        """One run that may die, the next start, and the checks. True: the run was not touched."""
        objects, acts = scenario
        number = next(_numbers)
        space = Space(self.client, "e2e", f"crash{number}/")
        before = {name: crash.pattern(name, size) for name, size in objects.items()}
        for name, data in before.items():
            space.put(name, data)
        directory = crash.copy_of(self.template, self.directory / str(number))
        acts = [*acts, DRAIN]
        first = crash.run(self.server, space.prefix, directory, acts, environment, commit=commit, **settings)
        second = crash.run(self.server, space.prefix, directory, [DRAIN], commit=commit)
        told = f"{acts} commit={commit} {environment} {settings}: {first.lines} {first.errors} then {second.lines} {second.errors}"
        assert second.whole and second.lines[:2] == ["ok", "owed 0"], told
        self.check(space, first.states(before, acts), first, directory, told)
        shutil.rmtree(directory)
        return first.whole

    def check(self, space, states, first, directory, told):
        found = {name: space.get(name) for name in space.names()}
        assert found in states, f"{told}: {({name: (len(data), data[:12]) for name, data in found.items()})}"
        assert space.uploads() == [], told
        assert crash.left_behind(directory) == [], told
        errors = [answer for answer in first.answers() if answer != "ok"]
        assert errors or not crash.kept(directory), f"{told}: {crash.kept(directory)}"

    def until_untouched(self, make, step=1, most=3000):
        """`make(n)` does the run that is disturbed at its call n. How many were."""
        with ThreadPoolExecutor(RUNS_AT_ONCE) as threads:
            for begin in range(1, most, RUNS_AT_ONCE * 2 * step):
                outcomes = list(threads.map(make, range(begin, begin + RUNS_AT_ONCE * 2 * step, step)))
                if all(outcomes):
                    return (begin - 1) // step
        raise AssertionError("no run passes untouched")


@pytest.fixture
def laboratory(devs3, template, tmp_path):
    return Laboratory(devs3, template, tmp_path)


@pytest.fixture(params=SCENARIOS)
def scenario(request):
    return SCENARIOS[request.param]


@pytest.mark.parametrize("commit", ["close", "journal"])
def test_killed_at_each_call_of_s3(laboratory, scenario, commit):
    killed = laboratory.until_untouched(lambda n: laboratory.experiment(scenario, commit, kill_before=n))
    killed += laboratory.until_untouched(lambda n: laboratory.experiment(scenario, commit, kill_after=n))
    assert killed >= 2


def test_killed_at_each_change_of_a_local_file(laboratory, scenario):
    step = 1 if THOROUGH or LARGE not in scenario[0].values() else 7
    killed = laboratory.until_untouched(lambda n: laboratory.experiment(scenario, "journal", {"FILE_CALLS_KILL": str(n)}), step)
    assert killed >= 12


@pytest.mark.parametrize("commit", ["close", "journal"])
def test_each_call_of_s3_fails(laboratory, scenario, commit):
    for n in range(1, 13):
        laboratory.experiment(scenario, commit, fail=n)


def test_each_change_of_a_local_file_fails(laboratory, scenario):
    """Also where the disk is full. What could not be acknowledged is an error, and what was acknowledged is there."""
    step = 1 if THOROUGH or LARGE not in scenario[0].values() else 11
    changes = laboratory.until_untouched(lambda n: laboratory.experiment(scenario, "journal", {"FILE_CALLS_KILL": str(n)}), step * 8) * step * 8
    with ThreadPoolExecutor(RUNS_AT_ONCE) as threads:
        for number in (EIO, ENOSPC):
            list(threads.map(lambda n: laboratory.experiment(scenario, "journal", {"FILE_CALLS_FAIL": f"{n}:{number}"}), range(1, changes, step)))


class ConflictLaboratory(Laboratory):
    """Another client has changed what the mount changes: its version stays, and what was acknowledged here is kept."""

    def check(self, space, states, first, directory, told):
        answers = first.answers()
        theirs, mine = crash.pattern("theirs", 4000), crash.pattern("mine", 9) + crash.pattern("a", SMALL)[9:]
        written = answers[1:2] == ["ok"]
        assert space.get("a") in ([theirs] if written else [theirs, crash.pattern("a", SMALL), mine]), told
        if written and answers[2:3] == ["ok"]:
            assert mine in crash.kept(directory), told
        assert crash.left_behind(directory) == [] and space.uploads() == [], told


@pytest.mark.parametrize("commit", ["close", "journal"])
def test_both_versions_of_a_conflict_outlive_each_crash(devs3, template, tmp_path, commit):
    laboratory = ConflictLaboratory(devs3, template, tmp_path)
    laboratory.until_untouched(lambda n: laboratory.experiment(CONFLICT, commit, kill_before=n))
    laboratory.until_untouched(lambda n: laboratory.experiment(CONFLICT, commit, kill_after=n))
    laboratory.until_untouched(lambda n: laboratory.experiment(CONFLICT, commit, {"FILE_CALLS_KILL": str(n)}))


def test_the_first_start_is_killed_at_each_change_of_a_local_file(devs3, tmp_path):
    """A cache directory that was half made is made."""
    empty = tmp_path / "empty"
    empty.mkdir()
    laboratory = Laboratory(devs3, empty, tmp_path)
    killed = laboratory.until_untouched(lambda n: laboratory.experiment(({}, []), "journal", {"FILE_CALLS_KILL": str(n)}))
    assert killed >= 12
