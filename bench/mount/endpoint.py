"""devs3, the one S3 endpoint of all tools, and a small client that fills it."""

import concurrent.futures
import hashlib
import http.client
import json
import os
import urllib.request

from processes import Process, until
from signing import UNSIGNED, Signer, quoted
from workload import Repeated

ACCESS, SECRET, REGION, BUCKET = "devs3", "devs3secret", "us-east-1", "bench"


def path_of(key):
    """Of an object, as it is sent."""
    return f"/{BUCKET}/{quoted(key, safe='/')}"


class Endpoint:
    def __init__(self, program, directory, latency_ms):
        self.latency_ms = latency_ms
        self._directory = directory
        self._shared = {}  # Repeated -> key of the object that has these bytes
        # With ACLs: rclone 1.60 sends one with every object.
        (directory / "devs3.json").write_text(json.dumps({"keys": [{"access": ACCESS, "secret": SECRET}], "buckets": [{"name": BUCKET, "acls": True}]}))
        self._command = [program, "--root", directory / "buckets", "--listen", "127.0.0.1:0", "--port-file", directory / "port",
                         "--config", directory / "devs3.json", "--control", "--allow-unsigned-payload"]
        self._start(10)

    def _start(self, seconds):
        port_file = self._directory / "port"
        port_file.unlink(missing_ok=True)
        self.process = Process(self._command, self._directory / "devs3.log", dict(os.environ))
        try:
            until(lambda: port_file.exists() or not self.process.is_alive(), seconds, "devs3 listens")
            self.host = f"127.0.0.1:{int(port_file.read_text())}"
        except (OSError, RuntimeError):
            self.process.stop()
            raise RuntimeError(f"devs3 did not start: {self.process.last_lines()}") from None

    @property
    def url(self):
        return f"http://{self.host}"

    @property
    def signer(self):
        return Signer(ACCESS, SECRET, REGION, self.host)

    def stop(self):
        self.process.stop()

    def _control(self, call, body=None):
        data = None if body is None else json.dumps(body).encode()
        with urllib.request.urlopen(urllib.request.Request(f"{self.url}/_devs3/{call}", data=data), timeout=60) as answer:
            return json.loads(answer.read() or b"null")

    def fill(self, objects):
        """Puts `objects` (key, bytes) without the latency, and forgets the log of it."""
        self._control("latency", {"ms": 0})
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            for done in [pool.submit(self._put_all, objects[share::4]) for share in range(4)]:
                done.result()
        self.set_latency(self.latency_ms)
        self.clear_log()

    def fill_alike(self, keys, body):
        """The same for so many objects that a request for each would take too long: one is put, and its line in devs3's index, which says what
        the object is, is repeated with the other keys while devs3 is down."""
        self.fill([(keys[0], body)])
        self.process.stop()
        index = self._directory / "buckets" / BUCKET / "index.jsonl"
        with open(index) as lines:
            before, after = next(line for line in lines if json.loads(line).get("put", {}).get("key") == keys[0]).split(json.dumps(keys[0]))
        with open(index, "a") as lines:
            lines.writelines(f"{before}{json.dumps(key)}{after}" for key in keys[1:])
        self._start(300)
        self.set_latency(self.latency_ms)

    def set_latency(self, ms):
        self.latency_ms = ms
        self._control("latency", {"ms": ms})

    def set_faults(self, rules):
        self._control("faults", rules)

    def _put_all(self, objects):
        connection = http.client.HTTPConnection(self.host)
        for key, body in objects:
            if isinstance(body, Repeated):
                self._put_copy(connection, key, body)
            else:
                self._put(connection, key, body, hashlib.sha256(body).hexdigest())
        connection.close()

    def _put_copy(self, connection, key, body):
        """Large bytes go over the wire once; devs3's copies share them."""
        if body not in self._shared:
            source = f"shared/{len(self._shared)}"
            self._put(connection, source, body, UNSIGNED)
            self._shared[body] = source
        self._put(connection, key, b"", hashlib.sha256(b"").hexdigest(), {"x-amz-copy-source": path_of(self._shared[body])})

    def _put(self, connection, key, body, payload, more=None):
        path = path_of(key)
        connection.request("PUT", path, body, {**self.signer.headers("PUT", path, payload, more), "content-length": str(len(body))})
        answer = connection.getresponse()
        text = answer.read()
        if answer.status != 200:
            raise RuntimeError(f"PUT {key}: {answer.status} {text[:200]}")

    def remove(self, keys):
        """As if they had expired: without a request of anybody."""
        for key in keys:
            self._control("objects/expire", {"bucket": BUCKET, "key": key})

    def clear_log(self):
        self._control("log/clear", {})

    def log(self, since=0):
        return self._control(f"log?since={since}")
