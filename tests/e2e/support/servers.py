"""Real S3 servers from package registries: versitygw (strict) and moto (keeps every header)."""

import os
import shutil
import subprocess
import sys

from . import clients, paths
from .process import Process, answers, free_port

VERSITYGW = "github.com/versity/versitygw/cmd/versitygw@v1.8.0"


class Unavailable(Exception):
    """This machine cannot run the server; the text says why."""


def versitygw_binary():
    """Installs it into build/servers once."""
    binary = paths.SERVERS / "versitygw"
    if binary.exists():
        return binary
    if shutil.which("go") is None:
        raise Unavailable("no go, which installs versitygw")
    paths.SERVERS.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(["go", "install", VERSITYGW], env={**os.environ, "GOBIN": str(paths.SERVERS)}, capture_output=True, text=True)
    if done.returncode != 0:
        raise Unavailable(f"go install of versitygw failed: {done.stderr.strip().splitlines()[-1]}")
    return binary


class RealServer:
    """Started once for a session, stopped by its pid."""

    access, secret, region = "serverkey", "serversecret", "us-east-1"

    def __init__(self, name, directory, certificate=None):
        """`certificate` (tls.Certificate): speaks https; versitygw only."""
        self.name = name
        self.port = free_port()
        self.certificate = certificate
        self.endpoint = f"{'https' if certificate else 'http'}://127.0.0.1:{self.port}"
        directory.mkdir(parents=True, exist_ok=True)
        command = getattr(self, f"_command_{name}")(directory)
        self.process = Process(command, directory / f"{name}.log")
        self.process.wait_until(lambda: answers(self.port), f"{name} answers", timeout=30)

    def _command_versitygw(self, directory):
        for part in ("buckets", "iam", "versions"):
            (directory / part).mkdir()
        tls = ["--cert", self.certificate.path, "--key", self.certificate.key] if self.certificate else []
        return [versitygw_binary(), "--port", f"127.0.0.1:{self.port}", "--access", self.access, "--secret", self.secret,
                "--region", self.region, *tls, "--iam-dir", directory / "iam", "posix", "--versioning-dir", directory / "versions",
                directory / "buckets"]

    def _command_moto(self, _):
        return [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(self.port)]

    def client(self):
        verify = str(self.certificate.path) if self.certificate else None
        return clients.make_client(self.endpoint, self.access, self.secret, self.region, verify=verify)

    def stop(self):
        self.process.stop()
