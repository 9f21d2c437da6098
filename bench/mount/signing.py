"""How a request proves who sends it (SigV4 as in the S3 API Reference, "Authenticating Requests"): by a header, or by its URL."""

import datetime
import hashlib
import hmac
import urllib.parse

ALGORITHM, UNSIGNED = "AWS4-HMAC-SHA256", "UNSIGNED-PAYLOAD"
URL_SECONDS = 3600


def quoted(text, safe=""):
    return urllib.parse.quote(text, safe=f"{safe}-_.~")


class Signer:
    def __init__(self, access, secret, region, host):
        self._access, self._secret, self._region, self._host = access, secret, region, host

    def headers(self, method, path, payload, more=None):
        """`path` as it is sent; `payload`: the SHA-256 of the body in hexadecimal, or UNSIGNED; `more`: x-amz-* headers."""
        now = _now()
        headers = {"host": self._host, "x-amz-content-sha256": payload, "x-amz-date": now, **(more or {})}
        signed = ";".join(sorted(headers))
        return {**headers, "Authorization": f"{ALGORITHM} Credential={self._access}/{self._scope(now)}, SignedHeaders={signed}, "
                                            f"Signature={self._signature(now, method, path, '', headers, payload)}"}

    def url(self, method, path, query=None):
        """Who has it needs no secret, for an hour."""
        now = _now()
        words = {**(query or {}), "X-Amz-Algorithm": ALGORITHM, "X-Amz-Credential": f"{self._access}/{self._scope(now)}", "X-Amz-Date": now,
                 "X-Amz-Expires": str(URL_SECONDS), "X-Amz-SignedHeaders": "host"}
        text = "&".join(f"{quoted(name)}={quoted(value)}" for name, value in sorted(words.items()))
        return f"http://{self._host}{path}?{text}&X-Amz-Signature={self._signature(now, method, path, text, {'host': self._host}, UNSIGNED)}"

    def _scope(self, now):
        return f"{now[:8]}/{self._region}/s3/aws4_request"

    def _signature(self, now, method, path, query, headers, payload):
        lines = "".join(f"{name}:{headers[name]}\n" for name in sorted(headers))
        canonical = f"{method}\n{path}\n{query}\n{lines}\n{';'.join(sorted(headers))}\n{payload}"
        key = f"AWS4{self._secret}".encode()
        for word in self._scope(now).split("/"):
            key = _digest(key, word)
        return _digest(key, f"{ALGORITHM}\n{now}\n{self._scope(now)}\n{hashlib.sha256(canonical.encode()).hexdigest()}").hex()


def _digest(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def _now():
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
