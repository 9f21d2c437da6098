"""The table, the facts of the machine, and the results section of bench/README.md."""

import datetime
import os
import platform
import re

BEGIN, END = "<!-- results: written by scripts/bench -->", "<!-- end of results -->"


def machine(tools, latency_ms):
    model = memory = "?"
    with open("/proc/cpuinfo") as cpus:
        model = next((line.split(":")[1].strip() for line in cpus if line.startswith("model name")), model)
    with open("/proc/meminfo") as facts:
        memory = f"{int(facts.readline().split()[1]) / (1 << 20):.0f} GiB"
    kernel = platform.release().split("-")[0]
    return (f"{datetime.date.today().isoformat()}; {os.cpu_count()} cores ({model}), {memory} of memory, Linux {kernel}; "
            f"{', '.join(tool.version() for tool in tools)}; every answer of the endpoint {latency_ms} ms late.")


def _ratio(value, reference):
    return f" ({value / reference:.1f}x)" if reference else ""


def _cells(figures, reference):
    """`reference`: of prefixfs; None where these are prefixfs's own, or it has none."""
    if figures.problem:
        return [f"failed: {figures.problem}", "", "", "", ""]

    def cell(value, form, of):
        return "" if value is None else format(value, form) + (_ratio(value, of(reference)) if reference else "")

    return [cell(figures.requests, ",", lambda other: other.requests),
            cell(figures.seconds, ".2f", lambda other: other.seconds),
            cell(figures.stored_seconds, ".2f", lambda other: other.stored_seconds),
            cell(figures.cpu_seconds, ".2f", lambda other: other.cpu_seconds),
            cell(figures.peak_bytes / (1 << 20), ".0f", lambda other: other.peak_bytes / (1 << 20))]


def rows(results):
    """`results`: (title, {tool name: Figures}) in order."""
    for title, by_tool in results:
        reference = by_tool.get("prefixfs")
        usable = reference if reference and not reference.problem else None
        for name, figures in by_tool.items():
            yield [title if name == next(iter(by_tool)) else "", name,
                   *_cells(figures, None if name == "prefixfs" else usable)]


def table(results):
    head = ["workload", "tool", "requests", "seconds", "in the bucket after", "CPU seconds", "peak MiB"]
    lines = [head, ["---", "---", *["---:"] * 5], *rows(results)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def operations(results):
    """Which requests, where there is more than a handful of kinds to guess from."""
    lines = []
    for title, by_tool in results:
        for name, figures in by_tool.items():
            if figures.by_operation:
                kinds = ", ".join(f"{count:,} {kind}" for kind, count in sorted(figures.by_operation.items(), key=lambda pair: -pair[1]))
                lines.append(f"- {title}, {name}: {kinds}")
    return "\n".join(lines)


def write(readme, text):
    """Replaces the section between the two marks."""
    old = readme.read_text()
    pattern = re.compile(re.escape(BEGIN) + ".*?" + re.escape(END), re.DOTALL)
    if not pattern.search(old):
        raise RuntimeError(f"{readme} has no results section")
    readme.write_text(pattern.sub(lambda _: f"{BEGIN}\n{text}\n{END}", old))
