"""The tables, the facts of the machine, and the sections of results in bench/README.md."""

import datetime
import os
import platform
import re

END = "<!-- end of results -->"
MB_SHOWN = 1_000_000  # bytes beside the requests where there are more
LATER_SECONDS = 0.1


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


def _seconds(value):
    return f"{value:.2f}" if value >= 0.1 else f"{value:.3f}"


def _cells(figures, reference):
    """`reference`: of prefixfs; None where these are prefixfs's own, or it has none."""
    if figures.problem:
        return [figures.problem, "", "", "", ""]

    def cell(value, form, of):
        return "" if value is None else (form(value) if callable(form) else format(value, form)) + (_ratio(value, of(reference)) if reference else "")

    return [cell(figures.requests, ",", lambda other: other.requests),
            cell(figures.seconds, _seconds, lambda other: other.seconds),
            cell(figures.stored_seconds, ".2f", lambda other: other.stored_seconds),
            cell(figures.cpu_seconds, ".2f", lambda other: other.cpu_seconds),
            cell(figures.peak_bytes and figures.peak_bytes / (1 << 20), ".0f", lambda other: other.peak_bytes / (1 << 20))]


def rows(results):
    """`results`: (title, {tool name: Figures}) in order."""
    for title, by_tool in results:
        reference = by_tool.get("prefixfs")
        usable = reference if reference and not reference.problem else None
        for name, figures in by_tool.items():
            yield [title if name == next(iter(by_tool)) else "", name,
                   *_cells(figures, None if name == "prefixfs" else usable)]


def _markdown(head, numbers, lines):
    """`numbers`: how many columns at the end are numbers."""
    rule = ["---"] * (len(head) - numbers) + ["---:"] * numbers
    return "\n".join("| " + " | ".join(line) + " |" for line in [head, rule, *lines])


def table(results):
    return _markdown(["workload", "tool", "requests", "seconds", "in the bucket after", "CPU seconds", "peak MiB"], 5, rows(results))


def _operation_cell(figures, reference, busy):
    if figures.problem:
        return figures.problem
    compared = reference if reference and not reference.problem else None
    kinds = " ".join(f"{count:,} {kind}" for kind, count in sorted(figures.by_kind.items(), key=lambda pair: (-pair[1], pair[0])))
    requests = "none" if not figures.requests else kinds if len(figures.by_kind) == 1 else f"{figures.requests:,}: {kinds}"
    moved = f", {figures.bytes_moved / 1e6:.0f} MB" if figures.bytes_moved >= MB_SHOWN else ""
    remark = f"; {figures.remark}" if figures.remark else ""
    ratio = _ratio(figures.requests, compared.requests) if compared else ""
    return f"{requests}{ratio}{moved}{'' if busy else _seconds_text(figures, compared)}{remark}"


def _seconds_text(figures, compared):
    ratio = _ratio(figures.seconds, compared.seconds) if compared else ""
    late = figures.stored_seconds is not None and figures.stored_seconds > figures.seconds + LATER_SECONDS
    return f"; {figures.seconds:.2f} s{ratio}" + (f", stored after {figures.stored_seconds:.2f} s" if late else "")


def operations_table(results, busy):
    """One column for each tool: what the operation costs, or what becomes of it. `busy`: without seconds."""
    names = list(results[0][1])
    lines = [[title, *(_operation_cell(by_tool[name], None if name == "prefixfs" else by_tool.get("prefixfs"), busy) for name in names)]
             for title, by_tool in results]
    return _markdown(["operation", *names], 0, lines)


def costs_table(costs):
    """Memory and threads of each process, where there are two."""
    def line(cost):
        sizes = " + ".join(f"{size / (1 << 20):.0f}" for size in cost.resident_bytes)
        return [cost.name, cost.problem or f"{cost.seconds * 1e3:.0f}", sizes, " + ".join(map(str, cost.threads))]

    return _markdown(["tool", "ms to the mount", "MiB resident, unused", "threads"], 3, map(line, costs))


def crowd_table(readings, busy):
    def line(reading):
        first = "" if reading.first_seconds is None else f"{reading.first_seconds:.2f}"
        times = ["", "", ""] if busy else [first, f"{reading.seconds:.1f}", f"{reading.cpu_seconds:.1f}"]
        said = [f"all, once{reading.told}", *reading.problems] if reading.complete else reading.problems
        return [reading.title, "; ".join(said), str(reading.latency_ms), f"{reading.requests:,}", f"{reading.listings:,}", *times,
                f"{reading.peak_bytes / (1 << 20):.0f}", f"{reading.private_bytes / (1 << 20):.0f}"]

    return _markdown(["what", "names", "latency, ms", "requests", "listings", "first names after s", "seconds", "CPU seconds", "peak MiB",
                      "private MiB at the end"], 8, map(line, readings))


def listing_table(floor, floor_title, readings, busy):
    """`floor`: None where it is not known."""
    def line(reading):
        title = "; ".join([reading.title, *reading.problems])
        compared = f"{reading.seconds / floor.seconds:.1f}x" if floor else ""
        times = ["", "", ""] if busy else [f"{reading.seconds:.2f}", compared, f"{reading.cpu_seconds:.2f}"]
        return [title, f"{reading.requests:,}", *times, f"{reading.peak_bytes / (1 << 20):.0f}"]

    alone = [] if busy or not floor else [[floor_title, f"{floor.requests:,}", f"{floor.seconds:.2f}", "1.0x", f"{floor.cpu_seconds:.2f}", ""]]
    return _markdown(["what", "requests", "seconds", "beside the pages alone", "CPU seconds", "peak MiB"], 5, [*alone, *map(line, readings)])


def load_table(readings):
    """Ratios are to the first."""
    def line(reading):
        done = [f"{count / reading.seconds:,.1f}{_ratio(count, readings[0].done[kind] * reading.seconds / readings[0].seconds)}" for kind, count in reading.done.items()]
        return [reading.title, "; ".join(reading.problems) or "none", f"{reading.seconds:.0f}", *done, f"{reading.cpu_seconds:.0f}", f"{reading.peak_bytes / (1 << 20):.0f}"]

    return _markdown(["S3", "errors and differences", "seconds", *(f"{kind} a second" for kind in readings[0].done), "CPU seconds", "peak MiB"], 7, map(line, readings))


def operations(results):
    """Which requests, where there is more than a handful of kinds to guess from."""
    lines = []
    for title, by_tool in results:
        for name, figures in by_tool.items():
            if figures.by_operation:
                kinds = ", ".join(f"{count:,} {kind}" for kind, count in sorted(figures.by_operation.items(), key=lambda pair: -pair[1]))
                lines.append(f"- {title}, {name}: {kinds}")
    return "\n".join(lines)


def write(readme, part, text):
    """Replaces the section of that part between its two marks."""
    begin = f"<!-- {part}: written by scripts/bench -->"
    old = readme.read_text()
    pattern = re.compile(re.escape(begin) + ".*?" + re.escape(END), re.DOTALL)
    if not pattern.search(old):
        raise RuntimeError(f"{readme} has no section {part}")
    readme.write_text(pattern.sub(lambda _: f"{begin}\n{text}\n{END}", old))
