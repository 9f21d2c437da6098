"""devs3, the one S3 endpoint of all tools, and a small client that fills it (SigV4 as in the S3 API Reference, "Authenticating
Requests: Using the Authorization Header")."""

import concurrent.futures
import datetime
import hashlib
import hmac
import http.client
import json
import os
import urllib.parse
import urllib.request

from processes import Process, until

ACCESS, SECRET, REGION, BUCKET = "devs3", "devs3secret", "us-east-1", "bench"
SIGNED = "host;x-amz-content-sha256;x-amz-date"


def _digest(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def _headers(method, host, path, body):
    now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
    scope = f"{now[:8]}/{REGION}/s3/aws4_request"
    payload = hashlib.sha256(body).hexdigest()
    canonical = f"{method}\n{path}\n\nhost:{host}\nx-amz-content-sha256:{payload}\nx-amz-date:{now}\n\n{SIGNED}\n{payload}"
    key = ("AWS4" + SECRET).encode()
    for word in (now[:8], REGION, "s3", "aws4_request"):
        key = _digest(key, word)
    signature = _digest(key, f"AWS4-HMAC-SHA256\n{now}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}").hex()
    return {"Host": host, "x-amz-content-sha256": payload, "x-amz-date": now,
            "Authorization": f"AWS4-HMAC-SHA256 Credential={ACCESS}/{scope}, SignedHeaders={SIGNED}, Signature={signature}"}


class Endpoint:
    def __init__(self, program, directory, latency_ms):
        self.latency_ms = latency_ms
        port_file = directory / "port"
        command = [program, "--root", directory / "buckets", "--listen", "127.0.0.1:0", "--port-file", port_file, "--bucket", BUCKET,
                   "--control", "--allow-unsigned-payload"]
        self.process = Process(command, directory / "devs3.log", dict(os.environ))
        try:
            until(lambda: port_file.exists() or not self.process.is_alive(), 10, "devs3 listens")
            self.host = f"127.0.0.1:{int(port_file.read_text())}"
        except (OSError, RuntimeError):
            self.process.stop()
            raise RuntimeError(f"devs3 did not start: {self.process.last_lines()}") from None

    @property
    def url(self):
        return f"http://{self.host}"

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
        self._control("latency", {"ms": self.latency_ms})
        self.clear_log()

    def _put_all(self, objects):
        connection = http.client.HTTPConnection(self.host)
        for key, body in objects:
            path = f"/{BUCKET}/{urllib.parse.quote(key, safe='/-_.~')}"
            connection.request("PUT", path, body, _headers("PUT", self.host, path, body))
            answer = connection.getresponse()
            text = answer.read()
            if answer.status != 200:
                raise RuntimeError(f"PUT {key}: {answer.status} {text[:200]}")
        connection.close()

    def clear_log(self):
        self._control("log/clear", {})

    def log(self, since=0):
        return self._control(f"log?since={since}")
