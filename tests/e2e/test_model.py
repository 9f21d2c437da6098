"""Random operations of two mounts and another client, each held against a reference model (model/README.md). The seeds are printed; PREFIXFS_SEED
gives another first one, PREFIXFS_MODEL_STEPS another length. A failure is written, shortened, to build/model/."""

import json
import os
import pathlib

import pytest

from model.generate import generate, host_options_of
from model.report import case_file, story_of
from model.run import CONFIG, Failure, run_plan
from model.shrink import shrink
from model.threads import run_threads
from model.world import World
from support import machine

FIRST_SEED = int(os.environ.get("PREFIXFS_SEED", "1000"))
STEPS = int(os.environ.get("PREFIXFS_MODEL_STEPS", "350"))
SHRINK_SECONDS = 40
CASES = sorted((pathlib.Path(__file__).parent / "model" / "cases").glob("*.json"))


@pytest.fixture
def own(make_devs3):
    machine.require_fuse()
    return make_devs3(CONFIG)


def run(plan, server, directory):
    print(f"PREFIXFS_SEED={plan['seed']}, hosts: {plan['hosts']}")
    try:
        return run_plan(plan, server, directory)
    except Failure as failure:
        short = shrink(failure, server, directory, SHRINK_SECONDS)
        pytest.fail(f"{story_of(failure)}\n{case_file(short)}", pytrace=False)


@pytest.mark.parametrize("number", range(3))
def test_in_calm_each_call_does_exactly_what_posix_says(own, tmp_path, number):
    run(generate(FIRST_SEED + number, STEPS, disturb=False), own, tmp_path)


@pytest.mark.parametrize("number", range(4))
def test_through_faults_crashes_and_outages_nothing_acknowledged_is_lost(own, tmp_path, number):
    run(generate(FIRST_SEED + 100 + number, STEPS), own, tmp_path)


@pytest.mark.parametrize("number", range(3))
def test_two_hosts_at_once_lose_nothing_and_see_no_mixture(own, tmp_path, number):
    seed = FIRST_SEED + 200 + number
    options = host_options_of(seed)
    print(f"PREFIXFS_SEED={seed}, hosts: {options}")
    world = World(tmp_path, own, options)
    try:
        run_threads(world.start(), seed, STEPS, kill=number % 2 == 1)
    finally:
        world.end()


@pytest.mark.parametrize("case", CASES, ids=[case.stem for case in CASES])
def test_what_failed_once(own, tmp_path, case):
    run_plan(json.loads(case.read_text()), own, tmp_path)
