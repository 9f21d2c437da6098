"""Runs of crash_mount (tests/crash): a file system that dies, or whose calls fail, at a place that is counted; and what must be there afterwards."""

import os
import pathlib
import shutil
import subprocess

from . import paths

PROGRAM = paths.PREFIXFS.parent / "tests/crash_mount"
FILE_CALLS = paths.PREFIXFS.parent / "tests/libfile_calls.so"


def pattern(seed, size):
    text = f"{seed}|".encode()
    return (text * (size // len(text) + 1))[:size]


class Act:
    """One command of the scenario: its words, and what it makes of the names (a dict of name -> bytes; None where it cannot be done)."""

    def __init__(self, words, apply):
        self.words, self.apply = words, apply

    def __repr__(self):
        return self.words


def _changed(state, name, data):
    return {**state, name: data}


def write(name, seed, size):
    return Act(f"write {name} 0 {seed} {size}", lambda state: _changed(state, name, pattern(seed, size)))


def append(name, seed, size):
    return Act(f"append {name} 0 {seed} {size}", lambda state: _changed(state, name, state.get(name, b"") + pattern(seed, size)))


def patch(name, offset, seed, size):
    def apply(state):
        if name not in state:
            return None
        old = state[name]
        return _changed(state, name, old[:offset] + pattern(seed, size) + old[offset + size:])

    return Act(f"patch {name} {offset} {seed} {size}", apply)


def unlink(name):
    return Act(f"unlink {name}", lambda state: {key: data for key, data in state.items() if key != name} if name in state else None)


def rename(name, to):
    return Act(f"rename {name} {to}", lambda state: {**{key: data for key, data in state.items() if key != name}, to: state[name]} if name in state else None)


def rename_directory(name, to):
    def apply(state):
        moved = {key.replace(f"{name}/", f"{to}/", 1) if key.startswith(f"{name}/") else key: data for key, data in state.items()}
        return moved if moved != state else None
    return Act(f"rename {name} {to}", apply)


def chmod(name, mode):
    return Act(f"chmod {name} {mode}", lambda state: state if name in state else None)


def mkdir(name):
    return Act(f"mkdir {name}", lambda state: _changed(state, name + "/", b""))


def rmdir(name):
    return Act(f"rmdir {name}", lambda state: {key: data for key, data in state.items() if key != name + "/"})


def elsewhere(name, seed, size):
    return Act(f"elsewhere {name} {seed} {size}", lambda state: _changed(state, name, pattern(seed, size)))


LIST = Act("list .", lambda state: state)
DRAIN = Act("drain", lambda state: state)


class Run:
    """One life of crash_mount: what it has said, and how it ended."""

    def __init__(self, lines, status, errors=""):
        self.lines, self.status, self.errors = lines, status, errors
        self.refused = bool(lines) and lines[0].startswith("refused")

    @property
    def whole(self):
        return self.status == 0 and self.lines[-1:] == ["end"]

    def answers(self):
        return [line for line in self.lines if line == "ok" or line.startswith("error")]

    def states(self, before, acts):
        """All that may be in S3 once everything acknowledged is: an act that was not acknowledged may have taken place or not."""
        possible = [before]
        answers = self.answers()
        for act, answer in zip(acts, answers + [None]):
            after = [changed for state in possible if (changed := act.apply(state)) is not None]
            possible = after if answer == "ok" else possible + [state for state in after if state not in possible]
        return possible


def run(server, prefix, directory, acts, environment=None, **settings):
    """`settings`: arguments of crash_mount; `environment`: that of libfile_calls."""
    words = [f"{name}={value}" for name, value in settings.items()]
    loaded = {"LD_PRELOAD": str(FILE_CALLS), "FILE_CALLS_BELOW": f"{directory}/", **environment} if environment else {}
    done = subprocess.run([PROGRAM, f"endpoint={server.endpoint}", "bucket=e2e", f"prefix={prefix}", f"dir={directory}", *words],
                          input="".join(f"{act}\n" for act in acts), capture_output=True, text=True, timeout=60, env={**os.environ, **loaded})
    return Run(done.stdout.splitlines(), done.returncode, done.stderr)


def copy_of(template, directory):
    shutil.copytree(template, directory, symlinks=True)
    return directory


def left_behind(directory):
    """What still is in the cache directory besides its own records."""
    return [str(path) for part in ("stage", "open") for path in pathlib.Path(directory, part).glob("*")]


def kept(directory):
    return [path.read_bytes() for path in pathlib.Path(directory, "kept").glob("*") if path.suffix != ".why"]
