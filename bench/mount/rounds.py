"""How often a workload is run on each tool, and which figures count. In each round every tool has its turn, in a part of the bucket that nobody has used,
so that what else the machine does at some time is felt by all of them."""

import dataclasses
import statistics
import sys

import bounds
import measure

SLOW_SECONDS = 15  # a tool that takes longer for a workload is not asked again


def _took(runs):
    return sum(max(figures.seconds, figures.stored_seconds or 0) for figures in runs if figures)


def _run(workload, tool, endpoint, directory):
    """One Figures for each step; None for those of which the tool says nothing."""
    return (bounds if isinstance(tool, bounds.Bound) else measure).run(workload, tool, endpoint, directory)


def _enough(workload, tools):
    """Without those that another one of their kind stands for."""
    stand_ins = {}
    for tool in tools:
        if tool.kind not in stand_ins or tool.stands_in:
            stand_ins[tool.kind] = tool
    return [tool for tool in tools if tool.kind not in workload.one_of or stand_ins[tool.kind] is tool]


def _middle(runs):
    """The median of the times, the largest peak, and the requests of the run whose seconds are the median."""
    if wrong := next((figures for figures in runs if figures.problem), None):
        return wrong
    runs = sorted(runs, key=lambda figures: figures.seconds)

    def median(name):
        values = [getattr(figures, name) for figures in runs]
        return None if None in values else statistics.median(values)

    peaks = [figures.peak_bytes for figures in runs]
    return dataclasses.replace(runs[len(runs) // 2], peak_bytes=None if None in peaks else max(peaks),
                               **{name: median(name) for name in ("seconds", "stored_seconds", "cpu_seconds")})


def run(workload, place, tools, endpoint, directory, rounds):
    """{tool name: Figures} for each step of the workload. `place`: a word for it, that no other workload has."""
    tools = [tool for tool in _enough(workload, tools) if not isinstance(tool, bounds.Bound) or any(map(tool.bounds, workload.steps))]
    found = {tool.name: [] for tool in tools}
    for number in range(min(rounds, workload.rounds)):
        for tool in tools:
            earlier = found[tool.name]
            if earlier and (_took(earlier[0]) > SLOW_SECONDS or any(figures.problem for figures in earlier[-1] if figures)):
                continue
            print(f"{tool.name}: {', '.join(step.title for step in workload.steps)}", file=sys.stderr, flush=True)
            own = tool.at(f"{place}-{number}")
            earlier.append(_run(workload, own, endpoint, directory / own.prefix))
    return [{name: _middle([run[step] for run in runs]) for name, runs in found.items() if runs[0][step]} for step in range(len(workload.steps))]
