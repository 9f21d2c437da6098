"""What no mount can be much better than: the same requests by curl alone."""

import shutil

import curl
import measure
from measure import Figures
from tools import Tool


class Bound(Tool):
    """Stands in the table as a tool does, in those rows where it has something to say."""

    def bounds(self, step):
        raise NotImplementedError

    def run_step(self, step, endpoint, directory):
        raise NotImplementedError


class CurlAlone(Bound):
    version_word = "--version"

    def bounds(self, step):
        return step.floor is not None

    def run_step(self, step, endpoint, directory):
        endpoint.clear_log()
        alone, figures = curl.Curl(self.program, endpoint, self.prefix, directory), Figures(peak_bytes=None)
        figures.problem, _ = measure.problem_of(step.floor, alone)
        figures.seconds, figures.cpu_seconds = alone.seconds, alone.cpu_seconds
        for record in endpoint.log():
            figures.count(record)
            if record["status"] >= 300:
                figures.problem = f"fails: {record['operation']} {record['status']}"
        return figures


def run(workload, bound, endpoint, directory):
    """One Figures for each step, or None."""
    directory.mkdir()
    try:
        measure.fill(workload, bound, endpoint)
        return [bound.run_step(step, endpoint, directory) if bound.bounds(step) else None for step in workload.steps]
    finally:
        measure.remove_large(workload, bound, endpoint)
        shutil.rmtree(directory, ignore_errors=True)


def find():
    return [tool for tool in [CurlAlone("curl alone", shutil.which("curl"))] if tool.program]
