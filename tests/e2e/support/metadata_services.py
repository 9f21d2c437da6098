"""The places where machines at AWS find their credentials, as strict as the real ones."""

import datetime
import json

from .http_service import HttpService, QuietHandler


def answer_for(access, secret, token, expires_in=6 * 3600):
    expiration = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=expires_in)
    return {"AccessKeyId": access, "SecretAccessKey": secret, "Token": token, "Expiration": expiration.strftime("%Y-%m-%dT%H:%M:%SZ")}


class _Service(HttpService):
    """Subclasses answer(method, path, headers) -> (status, text). `credentials` may be exchanged while it runs."""

    down = False  # starting: 503 to everything

    def __init__(self, credentials):
        self.credentials, self.requests = credentials, []
        service = self

        class Handler(QuietHandler):
            def handle_any(self):
                service.requests.append(f"{self.command} {self.path}")
                status, text = (503, "") if service.down else service.answer(self.command, self.path, self.headers)
                body = text.encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_PUT = do_POST = handle_any

        super().__init__(Handler)


class InstanceMetadata(_Service):
    """IMDSv2 (EC2 User Guide, "Use the Instance Metadata Service"): a session token first, nothing without it."""

    TOKEN, ROLE = "AQAEtoken==", "app-role"
    region = "us-east-1"

    def answer(self, method, path, headers):
        if path == "/latest/api/token":
            ttl = headers.get("X-aws-ec2-metadata-token-ttl-seconds", "")
            if method != "PUT":
                return 405, ""
            return (200, self.TOKEN) if ttl.isdigit() and 1 <= int(ttl) <= 21600 else (400, "")
        if method != "GET" or headers.get("X-aws-ec2-metadata-token") != self.TOKEN:
            return 401, ""
        base = "/latest/meta-data/iam/security-credentials/"
        if path == base:
            return 200, self.ROLE
        if path == base + self.ROLE:
            return 200, json.dumps({"Code": "Success", "Type": "AWS-HMAC", "LastUpdated": "2026-01-01T00:00:00Z", **self.credentials})
        if path == "/latest/meta-data/placement/region":
            return 200, self.region
        return 404, ""


class ContainerCredentials(_Service):
    """ECS and EKS: one URL, and an authorization token that is read from a file each time."""

    authorization = "first-token"

    def answer(self, method, path, headers):
        if method != "GET" or path != "/v1/credentials":
            return 404, ""
        if headers.get("Authorization") != self.authorization:
            return 401, json.dumps({"code": "AccessDenied"})
        return 200, json.dumps({"RoleArn": "arn:aws:iam::123456789012:role/task", **self.credentials})
