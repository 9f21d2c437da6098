"""Random operations on a file of a mount and on a local one, which must do the same (exerciser/README.md). The seeds are printed; PREFIXFS_SEED gives
another one, PREFIXFS_EXERCISER_STEPS another length."""

import os
import pathlib
import random
import signal

import pytest

from exerciser.guard import guarded
from exerciser.place import LocalPlace, oracle_directory
from exerciser.plan import generate
from exerciser.run import Run, run_plan
from model.checks import Difference
from support import admin, machine

SEED = int(os.environ.get("PREFIXFS_SEED", random.SystemRandom().randrange(1 << 31)))
FIXED = 1000
STEPS = int(os.environ.get("PREFIXFS_EXERCISER_STEPS", "750"))
LARGE_STEPS = 60

KINDS = [("close", True), ("close", False), ("journal", True), ("journal", False)]


def run(plan, directory, server, space):
    machine.require_fuse()
    print(f"PREFIXFS_SEED={plan['seed']}, options: {plan['options']}")
    failure = run_plan(plan, directory, server, space.prefix)
    if failure:
        pytest.fail(failure, pytrace=False)


@pytest.mark.parametrize(("commit", "mappings"), KINDS, ids=[f"{commit}-{'mmap' if mappings else 'no-mmap'}" for commit, mappings in KINDS])
@pytest.mark.parametrize("seed", [FIXED, SEED], ids=["fixed", "fresh"])
def test_a_file_is_what_a_local_one_is(tmp_path, devs3, space, seed, commit, mappings):
    run(generate(seed, STEPS, commit, mappings), tmp_path, devs3, space)


@pytest.mark.parametrize("commit", ["close", "journal"])
def test_a_large_file_is_what_a_local_one_is(tmp_path, devs3, space, commit):
    run(generate(SEED, LARGE_STEPS, commit, large=True), tmp_path, devs3, space)


def test_a_cut_to_nothing_of_what_only_the_journal_has_is_stored_by_close(make_mount, space, devs3):
    mnt = make_mount(commit="journal")
    devs3.latency(300)
    try:
        other = os.open(mnt / "file", os.O_CREAT | os.O_RDWR)
        (mnt / "file").write_bytes(b"acknowledged")
        os.close(os.open(mnt / "file", os.O_RDWR | os.O_TRUNC))
        assert admin.prefixfs("drain", mnt.path, "--timeout", "60s").status == 0
        content = space.get("file")
        os.close(other)
    finally:
        devs3.latency(0)
    assert content == b""


class Spoiled(Run):
    """Of a file system that loses one bit."""

    def do_spoil(self, op):
        with open(self.twins.paths()[0], "r+b") as file:
            file.seek(op["offset"])
            byte = file.read(1)[0]
            file.seek(op["offset"])
            file.write(bytes([byte ^ 1]))


def test_a_wrong_bit_is_found_and_told(tmp_path):
    operations = [{"do": "open", "slot": "a", "flags": os.O_CREAT | os.O_RDWR}, {"do": "write", "slot": "a", "offset": 0, "size": 10_000, "tag": 1},
                  {"do": "spoil", "offset": 4321}, {"do": "read_all", "slot": "a"}]
    place = LocalPlace(tmp_path)
    with pytest.raises(Difference, match="first difference is at offset 4321"):
        Spoiled({"seed": 1, "options": {}, "operations": operations}, place, oracle_directory(tmp_path), print).execute()


def test_a_process_that_dies_of_a_signal_is_told(tmp_path):
    assert "SIGBUS" in guarded(lambda: os.kill(os.getpid(), signal.SIGBUS), tmp_path / "story", pathlib.Path(tmp_path / "mnt"))
