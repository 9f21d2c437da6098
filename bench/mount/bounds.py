"""What no mount can be much better than: the same requests by curl alone, the same files on the local disk."""

import os
import shutil
import subprocess
import tempfile
import time

import curl
import measure
from measure import Figures
from tools import Tool


class Bound(Tool):
    """Stands in the table as a tool does, in those rows where it has something to say."""

    def bounds(self, step):
        raise NotImplementedError

    def prepare(self, workload, endpoint, directory):
        raise NotImplementedError

    def run_step(self, step, endpoint, directory):
        raise NotImplementedError


class CurlAlone(Bound):
    version_word = "--version"

    def bounds(self, step):
        return step.floor is not None

    def prepare(self, workload, endpoint, directory):
        measure.fill(workload, self, endpoint)

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


class LocalDisk(Bound):
    """The file system that the caches of the others are on."""

    def bounds(self, step):
        return step.local

    def version(self):
        kind = subprocess.run([self.program, "--file-system", "--format", "%T", tempfile.gettempdir()], capture_output=True, text=True, timeout=20).stdout
        return f"{self.name} ({kind.strip()})"

    def prepare(self, workload, endpoint, directory):
        for name, body in workload.objects.items():
            (directory / name).parent.mkdir(parents=True, exist_ok=True)
            with open(directory / name, "wb") as file:
                file.writelines([body] if isinstance(body, bytes) else body)
                os.fsync(file.fileno())

    def run_step(self, step, endpoint, directory):
        figures = Figures(requests=None, cpu_seconds=None, peak_bytes=None)
        if step.before:
            figures.problem, _ = measure.problem_of(step.before, directory)
        began = time.monotonic()
        if not figures.problem:
            figures.problem, _ = measure.problem_of(step.run, directory)
        figures.seconds = time.monotonic() - began
        return figures


def run(workload, bound, endpoint, directory):
    """One Figures for each step, or None."""
    directory.mkdir()
    try:
        bound.prepare(workload, endpoint, directory)
        return [bound.run_step(step, endpoint, directory) if bound.bounds(step) else None for step in workload.steps]
    finally:
        measure.remove_large(workload, bound, endpoint)
        shutil.rmtree(directory, ignore_errors=True)


def find():
    return [bound for bound in [CurlAlone("curl alone", shutil.which("curl")), LocalDisk("local disk", shutil.which("stat"))] if bound.program]
