"""python -m conformance.run DIRECTORY [CALL...]: runs the cases, each in a fresh directory in DIRECTORY, and writes one line of JSON for each."""

import argparse
import json
import os
import pathlib
import sys

from . import processes, registry


def run_case(case, directory):
    """{"id", "outcome": "pass" or "fail", "detail"}."""
    try:
        os.umask(0o022)
        directory.mkdir()
        if case.guard:
            processes.in_child(lambda: case.function(directory), case.guard)
        else:
            case.function(directory)
    except Exception as error:
        return {"id": case.id, "outcome": "fail", "detail": processes.story_of(error)}
    finally:
        os.chdir("/")
    return {"id": case.id, "outcome": "pass", "detail": ""}


def parse(arguments):
    parser = argparse.ArgumentParser(prog="python -m conformance.run", description="Runs the cases of POSIX's calls in a directory.")
    parser.add_argument("--user", type=int, metavar="UID", help="become this user and group first (root only)")
    parser.add_argument("--list", action="store_true", help="only say which cases would run")
    parser.add_argument("directory", type=pathlib.Path)
    parser.add_argument("calls", nargs="*", metavar="CALL", help="a file in cases/, or one case's id; all when none is given")
    return parser.parse_args(arguments)


def wanted(words):
    files = dict.fromkeys(word.partition(".")[0] for word in words)
    found = registry.cases_of(*files)
    return [case for case in found if not words or case.id in words or case.id.partition(".")[0] in words]


def main(arguments):
    options = parse(arguments)
    found = wanted(options.calls)  # imported before the user changes, who may be unable to read them
    if options.user is not None:
        processes.become(options.user, options.user)
    failures = 0
    for case in registry.selected(found):
        if options.list:
            print(case.id)
            continue
        line = run_case(case, options.directory / case.id)
        failures += line["outcome"] == "fail"
        print(json.dumps(line), flush=True)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
