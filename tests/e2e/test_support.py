"""The tests' own tools do what they say; a test that counts requests is worth as much as its counter."""

import pytest
from botocore.exceptions import ClientError

from support import bulk
from support.wait import until


def test_the_log_counts_requests_of_one_prefix(devs3, space, record):
    recording = record()
    space.put("file", b"content")
    assert space.get("file") == b"content"
    assert space.names() == ["file"]
    assert not space.exists("missing")
    devs3.client().put_object(Bucket="e2e", Key="elsewhere", Body=b"x")
    assert recording.counts() == {"PutObject": 1, "GetObject": 1, "ListObjectsV2": 1, "HeadObject": 1}
    # How much of an answer got through is noted once it has been sent.
    until(lambda: recording.requests().of("GetObject").bytes_out() == 7, 5, "the bytes of the answer are counted")
    assert recording.requests().of("PutObject").bytes_in() == 7


def test_a_fault_lasts_as_long_as_its_block(devs3, space):
    with devs3.fault("PutObject", space.key("file"), "status", status=503, code="SlowDown", count=2):
        for _ in range(2):
            with pytest.raises(ClientError, match="SlowDown"):
                space.put("file", b"x")
        space.put("file", b"y")
    with devs3.fault("PutObject", space.key("file"), "status", status=403, code="AccessDenied"):
        pass
    space.put("file", b"z")
    assert space.get("file") == b"z"


def test_objects_survive_an_outage(make_devs3):
    server = make_devs3()
    server.client().put_object(Bucket="e2e", Key="file", Body=b"x")
    server.stop()
    server.start()
    assert server.client().get_object(Bucket="e2e", Key="file")["Body"].read() == b"x"


def test_bulk_puts_what_it_is_given(devs3, space):
    names = [f"{number:04} ü+&" for number in range(1200)]
    bulk.put_empty(devs3, space.bucket, [space.key(name) for name in names])
    assert space.names() == names


@pytest.mark.parametrize("server_name", ["versitygw", "moto"])
def test_real_servers_answer(request, server_name):
    server = request.getfixturevalue(server_name)
    client = server.client()
    client.put_object(Bucket="e2e", Key="file", Body=b"x")
    assert client.get_object(Bucket="e2e", Key="file")["Body"].read() == b"x"
