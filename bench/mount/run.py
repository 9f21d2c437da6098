#!/usr/bin/env python3
"""Runs the same workloads or operations on prefixfs, s3fs and rclone through one endpoint, and prints what each costs."""

import argparse
import contextlib
import pathlib
import shutil
import signal
import sys
import tempfile

import bounds
import costs
import listing
import load
import million
import operations
import report
import rounds
import takeover
import tools
import workloads
from endpoint import Endpoint
from workload import FULL, QUICK, ROUNDS

README = pathlib.Path(__file__).resolve().parents[1] / "README.md"


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--devs3", required=True)
    parser.add_argument("--prefixfs", required=True)
    parser.add_argument("--rclone", metavar="PROGRAM", help="another one than Debian's, which is measured too, where it is there")
    part = parser.add_mutually_exclusive_group()
    part.add_argument("--operations", action="store_true", help="what each operation costs, and whether it holds")
    part.add_argument("--million", action="store_true", help="a million files in one directory, on prefixfs")
    part.add_argument("--listing", action="store_true", help="ls -l, find and du of 100,000 files, on prefixfs")
    part.add_argument("--load", action="store_true", help="64 programs for ten minutes, undisturbed and while S3 fails, on prefixfs")
    parser.add_argument("--seconds", type=int, help="of each half of --load; ten minutes")
    parser.add_argument("--only", metavar="WORD", default="", help="only the rows that have it in their title")
    parser.add_argument("--quick", action="store_true", help="a tenth of everything, once; bench/README.md stays as it is")
    parser.add_argument("--tool", action="append", metavar="NAME", help="only this one; may be given several times")
    parser.add_argument("--rounds", type=int, help=f"of each workload, at most; {ROUNDS}, with --quick 1")
    parser.add_argument("--busy", action="store_true", help="leave the seconds of operations, of the million and of the listing out: others use the machine too")
    parser.add_argument("--latency-ms", type=int, default=20)
    return parser.parse_args()


SIGNALS = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)


def stop(*_):
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)  # what follows unmounts, and must not be interrupted
    raise SystemExit(130)


def run_all(every, chosen, endpoint, directory, most):
    """(title, {tool name: Figures}) for each step. `every`: {a word for the workload: Workload}; `most`: rounds."""
    results = []
    for place, workload in every.items():
        results += zip((step.title for step in workload.steps), rounds.run(workload, place, chosen, endpoint, directory, most))
    return results


def has(word, workload):
    return any(word in step.title for step in workload.steps)


COSTS = "What a mount costs that nobody uses"
TEN_TIMES = "Ten times as many files"
KILLED = "When the worker is killed"


def take_over(sizes, chosen, endpoint, directory):
    """What is to be said of it, and whether a program has seen an error."""
    lines, seen = [], False
    for tool in (tool for tool in chosen if tool.takes_over):
        print(f"{tool.name}: {sizes.kills} killed workers", file=sys.stderr, flush=True)
        pauses, problem = takeover.measure(tool, endpoint, directory / f"{tool.prefix}-takeover", sizes.kills)
        lines.append(takeover.sentence(tool, pauses, problem))
        seen = seen or problem is not None
    return "\n".join(lines), seen


def workloads_part(options, sizes, chosen, endpoint, directory):
    """What is to be written, and whether something was wrong."""
    every = {f"workload-{number}": workload for number, workload in enumerate(workloads.all_of(sizes)) if has(options.only, workload)}
    results = run_all(every, chosen, endpoint, directory, options.rounds or (1 if options.quick else ROUNDS))
    failed = any(figures.problem for _, by_tool in results for figures in by_tool.values())
    texts = [report.table(results)] if results else []
    if options.only in COSTS:
        mounted = [tool for tool in chosen if not isinstance(tool, bounds.Bound)]
        texts.append(f"{COSTS}:\n\n{report.costs_table([costs.of_mount(tool, endpoint, directory) for tool in mounted])}")
    if options.only in TEN_TIMES:
        for tool in [tool for tool in chosen if tool.commits_later]:
            sentence, wrong = costs.linear(tool, endpoint, directory, sizes.few_and_many)
            texts.append(f"{TEN_TIMES}:\n\n{sentence}")
            failed = failed or wrong
    if options.only in KILLED:
        pauses, error_seen = take_over(sizes, chosen, endpoint, directory)
        texts.append(f"{KILLED}:\n\n{pauses}")
        failed = failed or error_seen
    if results:
        texts.append(f"The requests by kind:\n\n{report.operations(results)}")
    return "\n\n".join(texts), failed


def operations_part(options, sizes, chosen, endpoint, directory):
    """That a tool refuses something is no failure of the benchmark."""
    every = {f"operation-{number}": workload for number, workload in enumerate(operations.all_of(sizes)) if has(options.only, workload)}
    return report.operations_table(run_all(every, chosen, endpoint, directory, 1), options.busy), False


def million_part(options, sizes, chosen, endpoint, directory):
    readings = million.measure(chosen[0], endpoint, directory, sizes.crowd, options.latency_ms, options.only)
    return f"{sizes.crowd:,} files.\n\n{report.crowd_table(readings, options.busy)}", any(reading.problems for reading in readings)


def listing_part(options, sizes, chosen, endpoint, directory):
    floor, readings = listing.measure(chosen[0], endpoint, directory, sizes.long_list, options.only)
    return (f"{sizes.long_list:,} files.\n\n{report.listing_table(floor, listing.FLOOR, readings, options.busy)}",
            any(reading.problems for reading in readings))


def load_part(options, sizes, chosen, endpoint, directory):
    readings = load.measure(chosen[0], endpoint, directory, options.seconds or sizes.load_seconds)
    return report.load_table(readings), any(reading.problems for reading in readings)


PARTS = {"operations": operations_part, "million": million_part, "listing": listing_part, "load": load_part}
ALONE = ("million", "listing", "load")  # on prefixfs


def main():
    options = arguments()
    for number in SIGNALS:
        signal.signal(number, stop)
    part, measured = next((part for part in PARTS.items() if getattr(options, part[0], False)), ("results", workloads_part))
    chosen = [tool for tool in [*tools.find(options.prefixfs, options.rclone), *bounds.find()] if not options.tool or tool.name in options.tool]
    chosen = chosen[:1] if part in ALONE else chosen
    if not chosen:
        sys.exit("bench: no such tool is here")
    with contextlib.ExitStack() as cleanup:
        directory = pathlib.Path(tempfile.mkdtemp(prefix="prefixfs-bench-"))
        # Not through a mount that could not be ended.
        cleanup.callback(lambda: any(map(tools.is_mounted, directory.glob("*/mnt"))) or shutil.rmtree(directory, ignore_errors=True))
        endpoint = Endpoint(options.devs3, directory, options.latency_ms)
        cleanup.callback(endpoint.stop)
        text, failed = measured(options, QUICK if options.quick else FULL, chosen, endpoint, directory)
    text = f"{report.machine(chosen, options.latency_ms)}{' Others used the machine too, so the seconds are left out.' if options.busy else ''}\n\n{text}"
    print(f"\n{text}")
    if not options.quick and not options.tool and not options.only and not options.rounds:
        report.write(README, part, text)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
