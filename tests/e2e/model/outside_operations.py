"""The other S3 client, which knows nothing of mounts."""

import botocore.exceptions

from .checks import Expectation
from .reference import OUTSIDE


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
    try:
        return space.get(path)
    except botocore.exceptions.ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] == 404:
            return None
        raise
