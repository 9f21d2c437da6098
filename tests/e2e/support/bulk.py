"""Many objects, fast: an own signer, and requests sent without waiting for each answer (SigV4 as in the S3 API Reference,
"Authenticating Requests: Using the Authorization Header")."""

import concurrent.futures
import datetime
import hashlib
import hmac
import socket
import urllib.parse

from .devs3 import ACCESS, REGION, SECRET

SIGNED = "host;x-amz-content-sha256;x-amz-date"
PIPELINE = 50


def _digest(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


class Signer:
    def __init__(self, host):
        self.host = host
        self.time = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
        self.scope = f"{self.time[:8]}/{REGION}/s3/aws4_request"
        key = ("AWS4" + SECRET).encode()
        for word in (self.time[:8], REGION, "s3", "aws4_request"):
            key = _digest(key, word)
        self.key = key

    def put(self, bucket, key, body):
        path = f"/{bucket}/{urllib.parse.quote(key, safe='/-_.~')}"
        digest = hashlib.sha256(body).hexdigest()
        headers = f"host:{self.host}\nx-amz-content-sha256:{digest}\nx-amz-date:{self.time}\n"
        canonical = f"PUT\n{path}\n\n{headers}\n{SIGNED}\n{digest}"
        to_sign = f"AWS4-HMAC-SHA256\n{self.time}\n{self.scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
        signature = _digest(self.key, to_sign).hex()
        return (f"PUT {path} HTTP/1.1\r\nHost: {self.host}\r\nContent-Length: {len(body)}\r\nx-amz-content-sha256: {digest}\r\n"
                f"x-amz-date: {self.time}\r\nAuthorization: AWS4-HMAC-SHA256 Credential={ACCESS}/{self.scope}, "
                f"SignedHeaders={SIGNED}, Signature={signature}\r\n\r\n").encode() + body


def _put_batch(port, bucket, objects):
    signer = Signer(f"127.0.0.1:{port}")
    with socket.create_connection(("127.0.0.1", port)) as connection:
        answers = connection.makefile("rb")
        for start in range(0, len(objects), PIPELINE):
            batch = objects[start:start + PIPELINE]
            connection.sendall(b"".join(signer.put(bucket, key, body) for key, body in batch))
            for key, _ in batch:
                status = answers.readline()
                assert b" 200 " in status, (key, status)
                length = 0
                while (line := answers.readline().strip()):
                    if line.lower().startswith(b"content-length:"):
                        length = int(line.split(b":")[1])
                answers.read(length)


def put(devs3, bucket, objects):
    """`objects`: key -> body, small ones."""
    shares = [list(objects.items())[part::4] for part in range(4)]
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(_put_batch, devs3.port, bucket, share) for share in shares if share]:
            done.result()


def put_empty(devs3, bucket, keys):
    """Puts an empty object under each key."""
    put(devs3, bucket, dict.fromkeys(keys, b""))
