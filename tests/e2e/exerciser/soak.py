"""New seeds until time is up or one fails. See scripts/soak."""

import itertools
import json
import pathlib
import shutil

from model.shrink import Shrinker
from support.paths import REPOSITORY

from .plan import generate
from .run import run_plan

STEPS, LARGE_STEPS = 1500, 150
LARGE_EACH = 5  # every fifth run is one of large files
SHRINK_SECONDS = 600
FAILURES = REPOSITORY / "build/exerciser"


def plan_for(seed, steps=None):
    """Of all kinds in turn: both commits, with and without mappings, large files."""
    large = seed % LARGE_EACH == 0
    return generate(seed, steps or (LARGE_STEPS if large else STEPS), commit="journal" if seed % 2 else "close", mappings=seed % 3 != 0, large=large)


class FileRuns:
    """Each in a directory of its own, which stays after a failure."""

    def __init__(self, server, directory):
        self._server, self._directory, self._numbers = server, pathlib.Path(directory), itertools.count()

    def run(self, plan):
        """None, or what the failure has to tell."""
        number = next(self._numbers)
        where = self._directory / f"files-{number}"
        where.mkdir()
        failure = run_plan(plan, where, self._server, f"files-{number}/")
        shutil.rmtree(where)
        return failure

    def shorten(self, plan):
        """Writes the shortest plan found that still fails, and says how it is replayed."""
        def fails(candidate):
            return len(candidate["operations"]) if self.run(candidate) else None

        short = Shrinker(fails, SHRINK_SECONDS).shrink(plan)
        FAILURES.mkdir(parents=True, exist_ok=True)
        path = FAILURES / f"seed-{plan['seed']}.json"
        operations = ",\n  ".join(json.dumps(operation) for operation in short["operations"])
        path.write_text(f'{{"seed": {plan["seed"]},\n "options": {json.dumps(plan["options"])},\n "operations": [\n  {operations}\n ]}}\n')
        return f"{len(short['operations'])} operations that fail are in {path}; again: scripts/soak --files --replay {path}"
