#!/usr/bin/env python3
"""Runs the same workloads on prefixfs, s3fs and rclone through one endpoint, and prints what each costs."""

import argparse
import contextlib
import pathlib
import shutil
import signal
import sys
import tempfile

import measure
import report
import takeover
import tools
import workloads
from endpoint import Endpoint

README = pathlib.Path(__file__).resolve().parents[1] / "README.md"


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--devs3", required=True)
    parser.add_argument("--prefixfs", required=True)
    parser.add_argument("--quick", action="store_true", help="a tenth of everything; bench/README.md stays as it is")
    parser.add_argument("--tool", action="append", choices=["prefixfs", "prefixfs commit=journal", "s3fs", "rclone"], help="only this one; may be given several times")
    parser.add_argument("--latency-ms", type=int, default=20)
    return parser.parse_args()


SIGNALS = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)


def stop(*_):
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)  # what follows unmounts, and must not be interrupted
    raise SystemExit(130)


def run_all(sizes, chosen, endpoint, directory):
    results = []
    for number, workload in enumerate(workloads.all_of(sizes)):
        found = {step.title: {} for step in workload.steps}
        for tool in chosen:
            print(f"{tool.name}: {', '.join(found)}", file=sys.stderr, flush=True)
            for step, figures in zip(workload.steps, measure.run(workload, tool, endpoint, directory / f"{tool.prefix}-{number}")):
                found[step.title][tool.name] = figures
        results += found.items()
    return results


def take_over(sizes, chosen, endpoint, directory):
    """What is to be said of it, and whether a program has seen an error."""
    lines, seen = [], False
    for tool in (tool for tool in chosen if tool.takes_over):
        print(f"{tool.name}: {sizes.kills} killed workers", file=sys.stderr, flush=True)
        pauses, problem = takeover.measure(tool, endpoint, directory / f"{tool.prefix}-takeover", sizes.kills)
        lines.append(takeover.sentence(tool, pauses, problem))
        seen = seen or problem is not None
    return "\n".join(lines), seen


def main():
    options = arguments()
    for number in SIGNALS:
        signal.signal(number, stop)
    chosen = [tool for tool in tools.find(options.prefixfs) if not options.tool or tool.name in options.tool]
    if not chosen:
        sys.exit("bench: none of the tools is there")
    with contextlib.ExitStack() as cleanup:
        directory = pathlib.Path(tempfile.mkdtemp(prefix="prefixfs-bench-"))
        # Not through a mount that could not be ended.
        cleanup.callback(lambda: any(map(tools.is_mounted, directory.glob("*/mnt"))) or shutil.rmtree(directory, ignore_errors=True))
        endpoint = Endpoint(options.devs3, directory, options.latency_ms)
        cleanup.callback(endpoint.stop)
        sizes = workloads.QUICK if options.quick else workloads.FULL
        results = run_all(sizes, chosen, endpoint, directory)
        pauses, error_seen = take_over(sizes, chosen, endpoint, directory)
    table = report.table(results)
    facts = report.machine(chosen, options.latency_ms)
    text = f"{facts}\n\n{table}\n\nWhen the worker is killed:\n\n{pauses}\n\nThe requests by kind:\n\n{report.operations(results)}"
    print(f"\n{text}")
    if not options.quick and not options.tool:
        report.write(README, text)
    return 1 if error_seen or any(figures.problem for _, by_tool in results for figures in by_tool.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
