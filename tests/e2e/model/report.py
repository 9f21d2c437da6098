"""What a failing run leaves behind: its story, and the shortest plan that fails."""

import json
import os
import pathlib

from support.paths import REPOSITORY

LAST = 40  # operations that a failure shows


def story_of(failure):
    lines = "\n".join(failure.story[-LAST:])
    return (f"seed {failure.plan.get('seed')}, step {failure.step}: {failure.difference}\nhosts: {failure.plan['hosts']}\n"
            f"last operations:\n{lines}")


def case_file(plan):
    """Writes it down, and says how it is replayed."""
    directory = pathlib.Path(os.environ.get("PREFIXFS_MODEL_FAILURES", REPOSITORY / "build/model"))
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / f"seed-{plan.get('seed')}.json"
    path.write_text(as_text(plan))
    return f"{len(plan['operations'])} operations that fail are in {path}; again: scripts/soak --replay {path}"


def as_text(plan):
    """JSON with one operation a line."""
    operations = ",\n  ".join(json.dumps(operation) for operation in plan["operations"])
    return f'{{"seed": {json.dumps(plan.get("seed"))},\n "hosts": {json.dumps(plan["hosts"])},\n "operations": [\n  {operations}\n ]}}\n'
