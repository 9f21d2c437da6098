"""The other S3 client, which knows nothing of mounts."""

import stat

import botocore.exceptions

from .checks import Expectation
from .reference import FIFO, LINK, OUTSIDE


class OutsideOperations:
    def do_put(self, op):
        with self.world.undisturbed():
            content = self.content(op["size"])
            self.world.space.put(op["path"], content)
        self.reference.changed(OUTSIDE, op["path"], content)

    def do_delete(self, op):
        with self.world.undisturbed():
            self.world.space.delete(op["path"])
        self.reference.changed(OUTSIDE, op["path"], None)

    def do_get(self, op):
        with self.world.undisturbed():
            content = get_or_none(self.world.space, op["path"])
        expected = Expectation(f"the object {op['path']}").value(*self.reference.views(OUTSIDE, op["path"]))
        _, content = expected.check(("value", content))
        self.reference.observed(OUTSIDE, op["path"], content)

    def do_keys(self, op):
        with self.world.undisturbed():
            names = set(self.world.space.names())
        Expectation("unknown keys").value(set()).check(("value", names - set(self.reference.names)))
        for path in self.reference.names:
            seen = self.reference.views(OUTSIDE, path)
            Expectation(f"the bucket has {path}").value(*{content is not None for content in seen}).check(("value", path in names))


def get_or_none(space, path):
    """The object, as the reference has it."""
    try:
        answer = space.client.get_object(Bucket=space.bucket, Key=space.key(path))
    except botocore.exceptions.ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] == 404:
            return None
        raise
    body, mode = answer["Body"].read(), int(answer["Metadata"].get("file-permissions", "0"), 8)
    return LINK + body if stat.S_ISLNK(mode) else FIFO if stat.S_ISFIFO(mode) else body
