"""Programs that run beside the benchmark: started here, measured here, and ended by their pid in every case."""

import os
import signal
import subprocess
import time

TICKS = os.sysconf("SC_CLK_TCK")


def until(condition, seconds, what, nap=0.02):
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise RuntimeError(f"not within {seconds} s: {what}")
        time.sleep(nap)


class Process:
    def __init__(self, command, log_path, environment):
        self.log_path = log_path
        with open(log_path, "ab") as log:
            self._popen = subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                           env=environment, start_new_session=True)

    @property
    def pid(self):
        return self._popen.pid

    def is_alive(self):
        return self._popen.poll() is None

    def wait(self, seconds):
        """True when it has ended."""
        try:
            self._popen.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def stop(self, seconds=20):
        for number in (signal.SIGTERM, signal.SIGKILL):
            if self.is_alive():
                os.kill(self.pid, number)
            if self.wait(seconds):
                return

    def kill(self):
        if self.is_alive():
            os.kill(self.pid, signal.SIGKILL)

    def last_lines(self, count=5):
        with open(self.log_path, errors="replace") as log:
            return "".join(log.readlines()[-count:])

    def pids(self):
        """Its own and that of its child: prefixfs has a supervisor and a worker."""
        with open(f"/proc/{self.pid}/task/{self.pid}/children") as children:
            return [self.pid, *map(int, children.read().split())]

    def cpu_seconds(self):
        """User and system time, of all threads."""
        ticks = 0
        for pid in self.pids():
            with open(f"/proc/{pid}/stat") as stat:
                fields = stat.read().rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12])
        return ticks / TICKS

    def _facts(self, *names):
        """For each process the sum of these lines of its status."""
        sums = []
        for pid in self.pids():
            with open(f"/proc/{pid}/status") as status:
                sums.append(sum(int(line.split()[1]) for line in status if line.startswith(tuple(f"{name}:" for name in names))))
        return sums

    def peak_bytes(self):
        """The largest resident size since the start, or since forget_peak()."""
        return sum(self._facts("VmHWM")) * 1024

    def private_bytes(self):
        """What is resident now and not a page of a file: those of its database the kernel takes back when it needs them."""
        return sum(self._facts("RssAnon", "RssShmem")) * 1024

    def resident_bytes(self):
        """Of each process."""
        return [kib * 1024 for kib in self._facts("VmRSS")]

    def threads(self):
        """Of each process."""
        return self._facts("Threads")

    def forget_peak(self):
        for pid in self.pids():
            try:
                with open(f"/proc/{pid}/clear_refs", "w") as file:
                    file.write("5")
            except OSError:
                pass  # only root may for another process; then the peak is that of all workloads of this mount
