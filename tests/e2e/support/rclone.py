"""rclone (the Debian package), set up by its environment alone."""

REMOTE = "tests"


def environment(endpoint, access, secret, region="us-east-1", remote=REMOTE):
    """`remote:bucket/prefix` names what is at this endpoint."""
    settings = {"TYPE": "s3", "PROVIDER": "Other", "ENDPOINT": endpoint, "ACCESS_KEY_ID": access, "SECRET_ACCESS_KEY": secret, "REGION": region}
    return {f"RCLONE_CONFIG_{remote.upper()}_{name}": value for name, value in settings.items()}
