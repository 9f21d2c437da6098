"""Which cases there are. A case is a function of a fresh directory; its id is `<file>.<function>`, and its name says what must hold."""

import dataclasses
import importlib
import os
import pathlib
import pkgutil

from . import cases as _package

ROOT, ORDINARY = "root", "ordinary"


@dataclasses.dataclass(frozen=True)
class Case:
    id: str
    function: object
    user: str | None  # who must run it; None: either
    guard: float | None  # seconds in a process of its own, for what could hang


def case(function=None, *, user=None, guard=None):
    """@case or @case(user=ROOT, guard=10) before a function of a directory (a pathlib.Path)."""
    def mark(marked):
        marked.case = Case(f"{marked.__module__.rpartition('.')[2]}.{marked.__name__}", marked, user, guard)
        return marked

    return mark(function) if function else mark


def calls():
    """The names of the files in cases/."""
    return sorted(module.name for module in pkgutil.iter_modules([str(pathlib.Path(_package.__file__).parent)]))


def cases_of(*names):
    """All cases of these files (of all, when none is named), in the order in which they are written. Imports the files."""
    found = []
    for name in names or calls():
        module = importlib.import_module(f"{_package.__name__}.{name}")
        found += [thing.case for thing in vars(module).values() if isinstance(getattr(thing, "case", None), Case)]
    return found


def selected(found):
    """Those which the user of this process can run."""
    user = ROOT if os.geteuid() == 0 else ORDINARY
    return [each for each in found if each.user in (None, user)]
