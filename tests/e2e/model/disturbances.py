"""What goes wrong around a host: killed processes, a cut line, faults, upgrades, restarts."""

import contextlib
import os
import signal
import threading
import time

from support.admin import prefixfs
from support.wait import until

from .checks import Difference, Skip

DRAIN = "60s"


def _fault(action, probability, operation="*", **more):
    return {"operation": operation, "action": action, "probability": probability, "count": -1, **more}


# Not CreateMultipartUpload: an upload whose id was told to nobody is ended by the bucket's lifecycle rule (src/sync/README.md).
LOSE = ("PutObject", "DeleteObject", "CopyObject", "DeleteObjects", "CompleteMultipartUpload")

FAULTS = {
    "errors": [_fault("status", 0.15, status=503, code="SlowDown"), _fault("status", 0.1, status=500, code="InternalError")],
    "resets": [_fault("reset", 0.15), _fault("reset_mid_body", 0.1, "GetObject"), _fault("truncate", 0.1, "ListObjectsV2")],
    "lost": [_fault("lost_answer", 0.3, operation) for operation in LOSE],
    "slow": [_fault("latency", 0.3, ms=30), _fault("slow_body", 0.1, bytes_per_second=4 << 20)],
}


class Disturbances:
    def do_faults(self, op):
        rules = [{**rule, "seed": op["seed"] + place} for kind in op["kinds"] for place, rule in enumerate(FAULTS[kind])]
        self.had_outage = True
        self.world.set_faults(rules)
        for host in self.world.hosts:
            self.reference.hosts[host].disturbed = True

    def do_calm(self, op):
        """No more faults, and all lines are whole; what the hosts have not sent yet is on its way."""
        self.world.set_faults([])
        for host in self.world.hosts.values():
            if host.cut:
                host.link.heal()
                host.cut = False

    def do_cut(self, op):
        host = self.world.hosts[op["host"]]
        self.had_outage = True
        host.link.cut()
        host.cut = True
        self.reference.hosts[op["host"]].disturbed = True

    def do_heal(self, op):
        host = self.world.hosts[op["host"]]
        host.link.heal()
        host.cut = False

    def do_drain(self, op):
        self.drain(op["host"])

    def drain(self, name):
        host = self.world.hosts[name]
        if host.cut or self.world.faults:
            raise Skip
        self.join_killers()
        host.wait_connected()
        said = prefixfs("drain", host.mount.path, "--timeout", DRAIN, timeout=90)
        if said.status != 0:
            raise Difference(f"drain of host {name}: {said}")
        self.reference.drained(name)

    def do_kill_worker(self, op):
        """The next operations go on at once, or (`after`, in ms) are in full swing."""
        host = self.world.hosts[op["host"]]
        after = op.get("after", 0)
        self.join_killers()
        self.reference.worker_replaced(op["host"])

        def kill():
            time.sleep(after / 1000)  # into the middle of something: not a wait for a state
            with contextlib.suppress(ProcessLookupError):
                os.kill(host.mount.worker(), signal.SIGKILL)

        killer = threading.Thread(target=kill)
        killer.start()
        if after:
            self.killers.append(killer)
        else:
            killer.join()

    def join_killers(self):
        for killer in self.killers:
            killer.join()
        self.killers.clear()

    def do_crash(self, op):
        """kill -9 of all processes of a host: what was closed is there afterwards, what was not is gone."""
        self.join_killers()
        host = self.world.hosts[op["host"]]
        host.mount.kill()
        host.close_all()
        self.forget_handles(op["host"])
        self.reference.crashed(op["host"])
        host.start()

    def do_remount(self, op):
        host = self.world.hosts[op["host"]]
        if host.cut:
            raise Skip  # the daemon would go on until all is delivered
        self.close_handles(op["host"])
        self.join_killers()
        status = host.mount.stop()
        if status != 0:
            raise Difference(f"the daemon of host {op['host']} ended with status {status}")
        host.start()

    def do_upgrade(self, op):
        host = self.world.hosts[op["host"]]
        if any(inode.dirty or inode.broken or inode.path is None for inode in self.reference.hosts[op["host"]].inodes):
            raise Skip  # it waits until nothing is open that is not stored
        self.join_killers()
        self.reference.worker_replaced(op["host"])
        said = until(lambda: self._asked_to_upgrade(host), 20, f"host {op['host']} has a worker that serves")
        if said.status != 0:
            raise Difference(f"upgrade of host {op['host']}: {said}")

    @staticmethod
    def _asked_to_upgrade(host):
        """None: a worker was killed a moment ago, and the next one does not serve yet."""
        said = prefixfs("upgrade", host.mount.path)
        return None if "try again" in said.err else said

    def forget_handles(self, host):
        for key in [key for key in self.slots if key[0] == host]:
            del self.slots[key]

    def close_handles(self, host):
        for key in sorted(key for key in self.slots if key[0] == host):
            self.committed(*key, close=True)
