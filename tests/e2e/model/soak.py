"""Runs new seeds until time is up or one fails. See scripts/soak."""

import argparse
import json
import pathlib
import random
import sys
import tempfile
import time

from exerciser.soak import FileRuns, plan_for
from support import machine

from .generate import generate, host_options_of
from .report import case_file, story_of
from .run import Failure, run_plan, with_server
from .shrink import shrink
from .threads import run_threads
from .world import World

STEPS = 600
SHRINK_SECONDS = 600
THREADS_EACH = 4  # every fourth run is one of both hosts at once


def parse(arguments):
    parser = argparse.ArgumentParser(prog="scripts/soak")
    parser.add_argument("--hours", type=float, default=1.0)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--steps", type=int)
    parser.add_argument("--files", action="store_true")
    parser.add_argument("--replay", type=pathlib.Path)
    parser.add_argument("--times", type=int, default=1)
    return parser.parse_args(arguments)


def run_one(seed, steps, server, directory):
    if seed % THREADS_EACH:
        run_plan(generate(seed, steps), server, directory)
        return
    world = World(pathlib.Path(tempfile.mkdtemp(dir=directory)), server, host_options_of(seed))
    try:
        run_threads(world.start(), seed, steps, kill=seed % (2 * THREADS_EACH) == 0)
    finally:
        world.end()


def fails(server, directory, run, shorten):
    """Whether it does; then it has been told."""
    try:
        run()
    except Failure as failure:
        print(story_of(failure), flush=True)
        if shorten:
            print(case_file(shrink(failure, server, directory, SHRINK_SECONDS)), flush=True)
        return True
    except AssertionError as difference:
        print(f"both hosts at once: {difference}", flush=True)
        return True
    return False


class ModelRuns:
    def __init__(self, server, directory, steps):
        self._server, self._directory, self._steps = server, directory, steps or STEPS

    def fails(self, seed):
        return fails(self._server, self._directory, lambda: run_one(seed, self._steps, self._server, self._directory), True)

    def replay_fails(self, plan):
        return fails(self._server, self._directory, lambda: run_plan(plan, self._server, self._directory), False)


class ExerciserRuns:
    def __init__(self, server, directory, steps):
        self._runs, self._steps = FileRuns(server, directory), steps

    def fails(self, seed):
        plan = plan_for(seed, self._steps)
        failure = self._runs.run(plan)
        if failure:
            print(failure, flush=True)
            print(self._runs.shorten(plan), flush=True)
        return failure is not None

    def replay_fails(self, plan):
        failure = self._runs.run(plan)
        if failure:
            print(failure)
        return failure is not None


def soak(options, runs):
    """The exit status."""
    if options.replay:
        plan = json.loads(options.replay.read_text())
        for _ in range(options.times):
            if runs.replay_fails(plan):
                return 1
        print(f"{len(plan['operations'])} operations without a difference, {options.times} times")
        return 0
    seed = options.seed if options.seed is not None else random.SystemRandom().randrange(1 << 31)
    end, done = time.monotonic() + options.hours * 3600, 0
    while time.monotonic() < end:
        print(f"--seed {seed}", flush=True)
        if runs.fails(seed):
            words = (" --files" if options.files else "") + (f" --steps {options.steps}" if options.steps else "")
            print(f"again: scripts/soak --seed {seed}{words}")
            return 1
        seed, done = seed + 1, done + 1
    print(f"{done} runs without a difference")
    return 0


def main(arguments):
    options = parse(arguments)
    if problem := machine.fuse_problem():
        print(f"soak: {problem}", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="prefixfs-soak.") as directory:
        server = with_server(directory)
        try:
            kind = ExerciserRuns if options.files else ModelRuns
            return soak(options, kind(server, directory, options.steps))
        finally:
            server.stop()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
