"""devs3: the strict S3 endpoint of this project, with its request log and its faults."""

import contextlib
import json
import urllib.parse
import urllib.request

from . import clients, paths
from .process import Process, answers, free_port

ACCESS, SECRET = "devs3", "devs3secret"
REGION = "us-east-1"


class Request(dict):
    """One line of devs3's log."""

    def __getattr__(self, name):
        return self[name]

    @property
    def parameters(self):
        query = self["query"]
        return dict(urllib.parse.parse_qsl(query, keep_blank_values=True)) if isinstance(query, str) else dict(query)

    @property
    def about(self):
        """The key, or the prefix that is listed."""
        return self["key"] or self.parameters.get("prefix", "")

    def header(self, name):
        return {key.lower(): value for key, value in dict(self["headers"]).items()}.get(name.lower())


class Requests(list):
    def counts(self):
        """{"PutObject": 2, ...}"""
        found = {}
        for request in self:
            found[request.operation] = found.get(request.operation, 0) + 1
        return found

    def of(self, *operations):
        return Requests(request for request in self if request.operation in operations)

    def bytes_out(self):
        """Bytes that the server sent as bodies."""
        return sum(request.bytes_out for request in self)

    def bytes_in(self):
        return sum(request.bytes_in for request in self)


class Recording:
    """The requests about one prefix, since it was made."""

    def __init__(self, devs3, prefix):
        self._devs3, self._prefix = devs3, prefix
        self._since = devs3.last_seq()

    def requests(self):
        return Requests(request for request in self._devs3.log(self._since) if request.about.startswith(self._prefix))

    def counts(self):
        return self.requests().counts()


class Devs3:
    """`config`: keys and buckets, as in devs3 --help; the default keys have all rights."""

    access, secret = ACCESS, SECRET

    def __init__(self, directory, config=None, *arguments):
        directory.mkdir(parents=True, exist_ok=True)
        self.directory = directory
        self.port = free_port()
        self.config = config or {}
        self._arguments = arguments
        self.process = None
        self._seen = 0

    @property
    def endpoint(self):
        return f"http://127.0.0.1:{self.port}"

    def start(self):
        self._seen = 0
        config_path = self.directory / "config.json"
        config_path.write_text(json.dumps(self.config))
        command = [paths.DEVS3, "--root", self.directory / "data", "--listen", f"127.0.0.1:{self.port}", "--config", config_path,
                   "--control", *self._arguments]
        self.process = Process(command, self.directory / "devs3.log")
        self.process.wait_until(lambda: answers(self.port), f"devs3 answers on port {self.port}")
        return self

    def stop(self):
        """An outage; start() ends it, and nothing is lost."""
        self.process.stop()

    def client(self, access=ACCESS, secret=SECRET, **more):
        return clients.make_client(self.endpoint, access, secret, **more)

    def _control(self, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.endpoint}/_devs3/{path}", data=data, method="GET" if body is None else "POST")
        with urllib.request.urlopen(request, timeout=30) as answer:
            text = answer.read()
        return json.loads(text) if text.strip() else None

    def log(self, since=0):
        return Requests(Request(line) for line in self._control(f"log?since={since}"))

    def last_seq(self):
        self._seen = max((request.seq for request in self.log(self._seen)), default=self._seen)
        return self._seen

    def clear_log(self):
        self._control("log/clear", {})
        self._seen = 0

    def faults(self, *faults):
        """Replaces all faults; none: no fault."""
        self._control("faults", list(faults))

    @contextlib.contextmanager
    def fault(self, operation, key, action, count=1, **more):
        """One fault for the length of a block: `count` requests whose key has `key` in it fail, after `skip` that do not."""
        self.faults({"operation": operation, "key": key, "action": action, "count": count, **more})
        try:
            yield
        finally:
            self.faults()

    def hits(self):
        """How many requests the faults have met."""
        return sum(fault["hits"] for fault in self._control("faults"))

    def latency(self, ms):
        self._control("latency", {"ms": ms})

    @contextlib.contextmanager
    def far_away(self, ms):
        """For the length of a block every answer comes so much later."""
        self.latency(ms)
        try:
            yield
        finally:
            self.latency(0)

    def clock(self, offset_seconds):
        self._control("clock", {"offset_seconds": offset_seconds})

    def uploads(self):
        return self._control("uploads")

    def finish_restore(self, bucket, key):
        """What S3 needs hours for: the restored copy is there."""
        self._control("objects/finish-restore", {"bucket": bucket, "key": key})

    def expire(self, bucket, key):
        """As a lifecycle rule does."""
        self._control("objects/expire", {"bucket": bucket, "key": key})
