"""One run: a plan's operations, each held against the reference."""

import json
import pathlib
import tempfile
import time

from support.devs3 import ACCESS, SECRET, Devs3

from .checks import Skip
from .directory_operations import DirectoryOperations
from .disturbances import Disturbances
from .file_operations import FileOperations
from .handle_operations import HandleOperations
from .name_operations import NameOperations
from .names import DIRECTORIES, FILES, LINKS, TEMPORARY
from .outside_operations import OutsideOperations
from .quiet import Quiet
from .reference import Host, Reference
from .special_operations import SpecialOperations
from .world import World

CONFIG = {"keys": [{"access": ACCESS, "secret": SECRET}], "buckets": [{"name": "e2e"}]}


class Failure(AssertionError):
    """A difference, with where and how it came about. report.story_of() tells it."""

    def __init__(self, plan, step, difference, story, left_out):
        super().__init__(f"seed {plan.get('seed')}, step {step}: {difference}")
        self.plan, self.step, self.difference, self.story, self.left_out = plan, step, difference, story, left_out


class Run(FileOperations, HandleOperations, NameOperations, SpecialOperations, DirectoryOperations, OutsideOperations, Disturbances, Quiet):
    def __init__(self, plan, world):
        self.plan, self.world = plan, world
        self.reference = Reference([Host(name, window_of(words), words.get("commit") == "journal") for name, words in plan["hosts"].items()],
                                   [*FILES, *TEMPORARY, *LINKS], DIRECTORIES)
        self.slots = {}  # (host, slot) -> (Inode, flags)
        self.kept_known = set()
        self.moves = []  # since the last quiet point
        self.killers, self.had_outage = [], False
        self.story = []
        self.step, self.left_out = 0, set()  # steps

    def execute(self):
        """Raises Failure."""
        operations = [*self.plan["operations"], {"do": "quiet"}]
        try:
            for self.step, operation in enumerate(operations):
                self.perform(operation)
        except (AssertionError, OSError) as difference:
            raise Failure(self.plan, self.step, difference, self.story, self.left_out) from difference
        finally:
            self.join_killers()
        return self

    def perform(self, operation):
        self.reference.now = time.monotonic()
        self.tag = b"%06d%c." % (operation.get("tag", self.step), ord(str(operation.get("host", "o"))[0]))
        self.story.append(f"{self.step} {json.dumps(operation)}")
        try:
            getattr(self, f"do_{operation['do']}")(operation)
        except Skip:
            self.left_out.add(self.step)
            self.story[-1] += " (left out)"

    def content(self, size):
        """Bytes that tell which operation has written them."""
        return (self.tag * (size // len(self.tag) + 1))[:size]


def window_of(words):
    return float(words.get("ttl", "1").rstrip("s"))


def run_plan(plan, server, directory):
    """A finished Run. Raises Failure."""
    world = World(pathlib.Path(tempfile.mkdtemp(dir=directory)), server, plan["hosts"])
    try:
        done = Run(plan, world.start()).execute()
    except BaseException:
        world.kill()  # it may have files open that nobody closes any more
        raise
    world.end()
    return done


def with_server(directory):
    return Devs3(pathlib.Path(directory) / "devs3", CONFIG).start()
