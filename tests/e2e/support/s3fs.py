"""s3fs (the Debian package), which keeps modes, owners and times in the words that `posix_metadata=s3fs` writes."""

import os

from .mount import Mount


def command(bucket, prefix, path, url, passwords, **options):
    """In the foreground. `prefix` without a slash at either end; `passwords`: the file that `write_passwords` makes."""
    words = {"url": url, "use_path_request_style": True, "passwd_file": passwords, **options}
    return ["s3fs", f"{bucket}:/{prefix}", path, "-f",
            "-o", ",".join(name if value is True else f"{name}={value}" for name, value in words.items())]


def write_passwords(path, access, secret):
    """s3fs refuses a file that others may read."""
    path.touch(mode=0o600)
    path.write_text(f"{access}:{secret}\n")
    return path


class S3fsMount(Mount):
    """One life of s3fs after the other on one directory; each knows only what S3 says."""

    def __init__(self, server, space, directory, **options):
        super().__init__(space.source, directory)
        self.options = options
        self._server, self._space = server, space
        self._passwords = write_passwords(self.directory / "passwd-s3fs", server.access, server.secret)

    def command(self):
        return command(self._space.bucket, self._space.prefix.strip("/"), self.path, self._server.endpoint, self._passwords, **self.options)

    def start(self, timeout=30):
        super().start(timeout)
        os.statvfs(self.path)  # waits until it has asked S3; it ends when it may not use the bucket
        return self
