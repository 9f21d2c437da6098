"""Where the keys come from, that they rotate without a remount, and that they go nowhere else."""

import threading

import pytest

from support.clients import Space
from support.devs3 import Devs3
from support.metadata_services import ContainerCredentials, InstanceMetadata, answer_for
from support.proxy import RefusingProxy
from support.wait import until

PERMANENT = ("devs3", "devs3secret")
CONFIG = {
    "keys": [
        {"access": PERMANENT[0], "secret": PERMANENT[1]},
        {"access": "ASIAONE", "secret": "secret-one", "session_token": "token-one"},
        {"access": "ASIATWO", "secret": "secret-two", "session_token": "token-two"},
        {"access": "ASIAOLD", "secret": "secret-old", "session_token": "token-old", "expires": "2020-01-01T00:00:00Z"},
    ],
    "buckets": [{"name": "e2e"}],
}
ONE, TWO, OLD = [(f"ASIA{name.upper()}", f"secret-{name}", f"token-{name}") for name in ("one", "two", "old")]


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory):
    server = Devs3(tmp_path_factory.mktemp("credentials"), CONFIG).start()
    yield server
    server.stop()


@pytest.fixture
def start(mounts, endpoint):
    """start(environment, files={name below the home: text}, **options): a mount with no keys but those."""
    def begin(environment, files=None, **options):
        mnt = mounts.prepare("s3://e2e/credentials", endpoint.endpoint, access=None, secret=None, environment=environment, **options)
        for name, text in (files or {}).items():
            path = mnt.directory / "home" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return mnt.start()

    return begin


def works(mnt, endpoint, name="file"):
    (mnt / name).write_bytes(b"x")
    return Space(endpoint.client(), "e2e", "credentials/").get(name) == b"x"


@pytest.fixture
def imds():
    service = InstanceMetadata(answer_for(*ONE))
    yield service
    service.stop()


@pytest.fixture
def container():
    service = ContainerCredentials(answer_for(*ONE))
    yield service
    service.stop()


def test_environment(start, endpoint):
    assert works(start({"AWS_ACCESS_KEY_ID": PERMANENT[0], "AWS_SECRET_ACCESS_KEY": PERMANENT[1]}), endpoint)


def test_environment_with_a_session_token(start, endpoint):
    keys = {"AWS_ACCESS_KEY_ID": ONE[0], "AWS_SECRET_ACCESS_KEY": ONE[1], "AWS_SESSION_TOKEN": ONE[2]}
    assert works(start(keys), endpoint)


FILE = """[default]
aws_access_key_id = wrong
aws_secret_access_key = wrong

[resumes]
aws_access_key_id=devs3
aws_secret_access_key=devs3secret
"""
GOOD_FILE = "[default]\naws_access_key_id = devs3\naws_secret_access_key = devs3secret\n"


def test_the_shared_credentials_file(start, endpoint):
    assert works(start({}, {".aws/credentials": GOOD_FILE}), endpoint)


def test_a_profile_by_option_and_by_environment(start, endpoint):
    assert works(start({}, {".aws/credentials": FILE}, profile="resumes"), endpoint)
    assert works(start({"AWS_PROFILE": "resumes"}, {".aws/credentials": FILE}), endpoint)


def test_a_profile_of_the_config_file(start, endpoint):
    config = "[profile resumes]\nregion = us-east-1\naws_access_key_id = devs3\naws_secret_access_key = devs3secret\n"
    assert works(start({"AWS_PROFILE": "resumes"}, {".aws/config": config}), endpoint)


def test_the_instance_role(start, endpoint, imds):
    mnt = start({"AWS_EC2_METADATA_DISABLED": "false", "AWS_EC2_METADATA_SERVICE_ENDPOINT": imds.url})
    assert works(mnt, endpoint)
    assert "PUT /latest/api/token" in imds.requests


def test_the_instance_role_recovers_from_keys_that_s3_refuses(start, endpoint, imds):
    """Keys that have expired before the time that was said: the service is asked again, until it has better ones."""
    imds.credentials = answer_for(*OLD)
    mnt = start({"AWS_EC2_METADATA_DISABLED": "false", "AWS_EC2_METADATA_SERVICE_ENDPOINT": imds.url})
    until(lambda: len(imds.requests) >= 3, 10, "the first keys are fetched")
    imds.credentials = answer_for(*TWO)
    until(lambda: works(mnt, endpoint), 20, "the new keys are used")


def test_the_instance_role_rotates(start, endpoint, imds):
    """Keys about to end are exchanged while programs write; none of them notices."""
    imds.credentials = answer_for(*ONE, expires_in=20)  # exchanged halfway
    mnt = start({"AWS_EC2_METADATA_DISABLED": "false", "AWS_EC2_METADATA_SERVICE_ENDPOINT": imds.url})
    assert works(mnt, endpoint, "before")
    asked = len(imds.requests)
    imds.credentials = answer_for(*TWO, expires_in=20)
    until(lambda: works(mnt, endpoint, "while") and len(imds.requests) > asked, 60, "the service was asked again")
    assert works(mnt, endpoint, "after")


def test_the_metadata_service_is_not_asked_where_it_is_switched_off(start, imds):
    mnt = start({"AWS_EC2_METADATA_DISABLED": "true", "AWS_EC2_METADATA_SERVICE_ENDPOINT": imds.url}, outage_timeout="1s", outage="error")
    with pytest.raises(OSError):
        (mnt / "file").write_bytes(b"x")
    assert imds.requests == []


def test_the_metadata_service_that_is_ready_after_the_mount(start, endpoint):
    """At boot it may answer later than the mount begins."""
    late = InstanceMetadata({"Code": "Failed"})  # a role that is not attached yet
    mnt = start({"AWS_EC2_METADATA_DISABLED": "false", "AWS_EC2_METADATA_SERVICE_ENDPOINT": late.url}, outage_timeout="1s", outage="error")
    with pytest.raises(OSError):
        (mnt / "file").write_bytes(b"x")
    late.credentials = answer_for(*ONE)
    until(lambda: works(mnt, endpoint), 20, "the keys are found")
    late.stop()


@pytest.fixture
def proxy():
    service = RefusingProxy()
    yield service
    service.stop()


def test_the_region_of_the_instance_is_the_first_guess(mounts, imds, proxy):
    """There may be no way from EC2 to us-east-1."""
    imds.region = "eu-west-1"
    mounts.start("s3://e2e/region", None, None, None, outage_timeout="1s", environment={
        "AWS_EC2_METADATA_DISABLED": "false", "AWS_EC2_METADATA_SERVICE_ENDPOINT": imds.url, "https_proxy": proxy.url})
    until(lambda: proxy.wanted, 10, "S3 is asked")
    assert set(proxy.wanted) == {"e2e.s3.eu-west-1.amazonaws.com:443"}
    assert "GET /latest/meta-data/placement/region" in imds.requests


def test_a_metadata_service_that_is_down_is_waited_for(start, endpoint):
    """A call that comes before the service tries again for outage_timeout, and does not say EACCES."""
    service = InstanceMetadata(answer_for(*ONE))
    service.down = True
    mnt = start({"AWS_EC2_METADATA_DISABLED": "false", "AWS_EC2_METADATA_SERVICE_ENDPOINT": service.url}, outage_timeout="20s")
    threading.Timer(2, lambda: setattr(service, "down", False)).start()
    assert works(mnt, endpoint)
    service.stop()


@pytest.fixture
def task(container, tmp_path):
    token = tmp_path / "authorization"
    token.write_text("first-token")
    return token, {"AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{container.url}/v1/credentials",
                   "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": str(token)}


def test_the_task_role(start, endpoint, container, task):
    assert works(start(task[1]), endpoint)
    assert container.requests and set(container.requests) == {"GET /v1/credentials"}


def test_the_task_role_rotates_and_so_does_its_authorization(start, endpoint, container, task):
    container.credentials = answer_for(*ONE, expires_in=60)
    mnt = start(task[1])
    assert works(mnt, endpoint, "before")
    container.authorization = "second-token"
    task[0].write_text("second-token")
    container.credentials = answer_for(*TWO)
    assert works(mnt, endpoint, "after")


def test_the_environment_comes_before_everything_else(start, endpoint, imds):
    keys = {"AWS_ACCESS_KEY_ID": PERMANENT[0], "AWS_SECRET_ACCESS_KEY": PERMANENT[1], "AWS_EC2_METADATA_DISABLED": "false",
            "AWS_EC2_METADATA_SERVICE_ENDPOINT": imds.url}
    assert works(start(keys, {".aws/credentials": "[default]\naws_access_key_id = wrong\naws_secret_access_key = wrong\n"}), endpoint)
    assert not any("security-credentials" in request for request in imds.requests)


def test_a_credentials_file_that_is_corrected_needs_no_remount(start, endpoint):
    mnt = start({}, {".aws/credentials": GOOD_FILE.replace("devs3\n", "no-such-key\n", 1)}, outage_timeout="1s", outage="error")
    with pytest.raises(OSError):
        (mnt / "file").write_bytes(b"x")
    (mnt.directory / "home/.aws/credentials").write_text(GOOD_FILE)
    until(lambda: works(mnt, endpoint), 20, "the new keys are used")


def test_no_secret_in_the_log(start, endpoint, imds):
    mnt = start({"AWS_EC2_METADATA_DISABLED": "false", "AWS_EC2_METADATA_SERVICE_ENDPOINT": imds.url}, log_level="debug")
    assert works(mnt, endpoint)
    for secret in ("secret-one", "token-one", imds.TOKEN):
        assert secret not in mnt.log()
