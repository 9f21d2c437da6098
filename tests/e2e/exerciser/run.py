"""One plan, run; and the command line that runs one by its seed. See README.md."""

import argparse
import json
import pathlib
import sys

from model.checks import Difference, Skip
from support import machine
from support.devs3 import ACCESS, SECRET, Devs3
from support.servers import RealServer

from . import abilities, place
from .content import Stock
from .data_operations import DataOperations
from .guard import guarded
from .handle_operations import HandleOperations
from .map_operations import MapOperations
from .plan import generate
from .twins import Twins

LAST = 40  # operations that a failure shows
CONFIG = {"keys": [{"access": ACCESS, "secret": SECRET}], "buckets": [{"name": "e2e"}]}


class Run(HandleOperations, DataOperations, MapOperations):
    """`tell(line)`: of the head and each operation, before it is made."""

    def __init__(self, plan, place, oracle, tell):
        self.plan, self.place, self._tell = plan, place, tell
        self.abilities = abilities.Abilities(abilities.ask(place.path), abilities.ask(oracle))
        self.twins = Twins(place, oracle, Stock(plan["seed"]))
        self.left_out = 0

    def execute(self):
        """Raises what differs as an AssertionError or OSError."""
        self._tell(f"options: {self.plan['options']}; {self.abilities}")
        for operation in self.plan["operations"]:
            self._tell(json.dumps(operation))
            self.twins.drains = operation.get("drain", True)
            try:
                getattr(self, f"do_{operation['do']}")(operation)
            except Skip:
                self.left_out += 1
        self._tell(f'{{"do": "finish", "left out": {self.left_out}}}')
        self.finish()


def run_plan(plan, directory, server=None, prefix="exerciser/"):
    """None, or what a failure has to tell. `server` None: on a plain directory. The plan is run by a process of its own, which a mapping of a
    file that is shorter than it should be may kill."""
    directory = pathlib.Path(directory)
    where = place.make(directory, server, prefix, plan["options"])
    oracle = place.oracle_directory(directory)
    story = directory / "story"

    def work():
        with open(story, "w", buffering=1) as lines:
            where.start()
            Run(plan, where, oracle, lambda line: print(line, file=lines)).execute()
            where.end()

    problem = guarded(work, story, where.path)
    return problem and "\n".join([f"seed {plan['seed']}: {problem}", *last_lines(story)])


def last_lines(story):
    lines = story.read_text().splitlines() if story.exists() else []
    return lines if len(lines) <= LAST else [lines[0], "...", *lines[-LAST:]]


def parse(arguments):
    parser = argparse.ArgumentParser(prog="python -m exerciser.run", description="Random operations on one file of a mount and one local file.")
    parser.add_argument("directory", type=pathlib.Path, metavar="DIRECTORY", help="made; mount, cache, log and story stay there after a failure")
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--commit", choices=["close", "journal"], default="close")
    parser.add_argument("--no-mmap", action="store_true")
    parser.add_argument("--large", action="store_true", help="files of some 40 MiB, parts of 5 MiB")
    parser.add_argument("--server", choices=["devs3", "versitygw"], default="devs3")
    parser.add_argument("--local", action="store_true", help="on a plain directory in DIRECTORY instead of a mount: tries the exerciser itself")
    parser.add_argument("--plan", type=pathlib.Path, help="a file with a plan, instead of one that is made from the seed")
    return parser.parse_args(arguments)


def plan_of(options):
    if options.plan:
        return json.loads(options.plan.read_text())
    return generate(options.seed, options.steps, options.commit, not options.no_mmap, options.large)


def start_server(name, directory):
    if name == "devs3":
        return Devs3(directory / "devs3", CONFIG).start()
    server = RealServer(name, directory / name)
    server.client().create_bucket(Bucket="e2e")
    return server


def main(arguments):
    options = parse(arguments)
    if not options.local and (problem := machine.fuse_problem()):
        print(f"exerciser: {problem}", file=sys.stderr)
        return 2
    options.directory.mkdir(parents=True, exist_ok=True)
    server = None if options.local else start_server(options.server, options.directory)
    try:
        plan = plan_of(options)
        failure = run_plan(plan, options.directory, server)
    finally:
        if server:
            server.stop()
    print(failure or f"{len(plan['operations'])} operations without a difference\n" + last_lines(options.directory / "story")[0])
    return 1 if failure else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
