"""What curl alone asks of the endpoint, with presigned URLs, so that no secret is in a list of processes; and what that takes."""

import hashlib
import os
import re
import subprocess
import tempfile
import time

from endpoint import BUCKET, path_of

PAGE_NAMES = 1_000  # of a listing
OF_EACH = 'silent\nshow-error\nfail\nhttp1.1\nheader = "Expect:"\nheader = "Content-Type:"\n'  # a body follows its request at once, as with the others


def ranges(size, piece):
    return [(begin, min(begin + piece, size) - 1) for begin in range(0, size, piece)]


class Curl:
    """Each call is one program that asks for one thing after another on one connection, or for `at_once` beside each other."""

    def __init__(self, program, endpoint, prefix, directory):
        self._program, self._signer, self._prefix, self._directory = program, endpoint.signer, prefix, directory
        self.seconds = self.cpu_seconds = 0

    def get(self, names, at_once=1):
        self._run(OF_EACH + "".join(map(self._get, names)), at_once)

    def get_ranges(self, name, places, at_once=1):
        """`places`: first and last byte of each."""
        self._run("next\n".join(f'{OF_EACH}{self._get(name)}range = "{first}-{last}"\n' for first, last in places), at_once)

    def put(self, names, body, at_once=1):
        with self._file(body) as file:
            self._run(OF_EACH + "".join(_put(self._url("PUT", name), file) for name in names), at_once)

    def put_parts(self, name, body, at_once):
        """A multipart upload of `body`, which is a Repeated."""
        begun = self._run(f'{OF_EACH}request = "POST"\nurl = "{self._url("POST", name, {"uploads": ""})}"\n')
        upload = re.search("<UploadId>(.+?)</UploadId>", begun).group(1)
        numbers, tag = range(1, body.count + 1), hashlib.md5(body.block).hexdigest()
        with self._file(body.block) as file:
            self._run(OF_EACH + "".join(_put(self._url("PUT", name, {"partNumber": str(number), "uploadId": upload}), file) for number in numbers), at_once)
        parts = "".join(f"<Part><PartNumber>{number}</PartNumber><ETag>{tag}</ETag></Part>" for number in numbers)
        with self._file(f"<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>".encode()) as file:
            self._run(f'{OF_EACH}request = "POST"\nurl = "{self._url("POST", name, {"uploadId": upload})}"\ndata-binary = "@{file.name}"\n')

    def list_pages(self, folder, names):
        """`names`: all that are in the folder, sorted; so each page is asked for by the last name of the one before."""
        folder = f"{self._prefix}/{folder}/"
        known = {"list-type": "2", "delimiter": "/", "prefix": folder}
        pages = [known, *({**known, "start-after": folder + names[last]} for last in range(PAGE_NAMES - 1, len(names) - 1, PAGE_NAMES))]
        self._run(OF_EACH + "".join(_get(self._signer.url("GET", f"/{BUCKET}", page)) for page in pages))

    def _url(self, method, name, query=None):
        return self._signer.url(method, path_of(f"{self._prefix}/{name}"), query)

    def _get(self, name):
        return _get(self._url("GET", name))

    def _file(self, body):
        file = tempfile.NamedTemporaryFile(dir=self._directory)
        file.write(body)
        file.flush()
        return file

    def _run(self, settings, at_once=1):
        """What it writes. Time is counted while curl runs alone."""
        beside = f"parallel\nparallel-immediate\nparallel-max = {at_once}\n" if at_once > 1 else ""
        with self._file((beside + settings).encode()) as asked, self._file(b"") as said, self._file(b"") as complained:
            asked.seek(0)
            began = time.monotonic()
            with subprocess.Popen([self._program, "--disable", "--config", "-"], stdin=asked, stdout=said, stderr=complained) as process:
                _, status, used = os.wait4(process.pid, 0)
                process.returncode = os.waitstatus_to_exitcode(status)
            self.seconds += time.monotonic() - began
            self.cpu_seconds += used.ru_utime + used.ru_stime
            complained.seek(0)
            if process.returncode != 0:
                raise RuntimeError(f"curl: {complained.read().decode(errors='replace').strip() or process.returncode}")
            said.seek(0)
            return said.read().decode(errors="replace")


def _get(url):
    return f'url = "{url}"\noutput = "/dev/null"\n'


def _put(url, file):
    return f'{_get(url)}upload-file = "{file.name}"\n'
