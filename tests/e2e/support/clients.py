"""boto3 as another client of the same bucket: it sends each request once, and says what was answered."""

import boto3
import botocore.config
import botocore.exceptions


def make_client(endpoint, access, secret, region="us-east-1", token=None, verify=None):
    config = botocore.config.Config(
        signature_version="s3v4",
        retries={"total_max_attempts": 1},
        s3={"addressing_style": "path"},
        connect_timeout=5,
        read_timeout=60,
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )
    return boto3.session.Session().client("s3", endpoint_url=endpoint, region_name=region, aws_access_key_id=access,
                                          aws_secret_access_key=secret, aws_session_token=token, config=config, verify=verify)


class Space:
    """A bucket's prefix, as another client sees it. Names are relative to the prefix."""

    def __init__(self, client, bucket, prefix):
        self.client, self.bucket, self.prefix = client, bucket, prefix

    @property
    def source(self):
        return f"s3://{self.bucket}/{self.prefix}".rstrip("/")

    def key(self, name):
        return self.prefix + name

    def put(self, name, body=b"", **headers):
        return self.client.put_object(Bucket=self.bucket, Key=self.key(name), Body=body, **headers)

    def get(self, name):
        return self.client.get_object(Bucket=self.bucket, Key=self.key(name))["Body"].read()

    def head(self, name):
        return self.client.head_object(Bucket=self.bucket, Key=self.key(name))

    def delete(self, name):
        self.client.delete_object(Bucket=self.bucket, Key=self.key(name))

    def exists(self, name):
        try:
            self.head(name)
            return True
        except botocore.exceptions.ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] == 404:
                return False
            raise

    def names(self, below=""):
        """All names, sorted as S3 does."""
        found = []
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=self.key(below))
        for page in pages:
            found += [item["Key"][len(self.prefix):] for item in page.get("Contents", [])]
        return found

    def uploads(self):
        """Names of multipart uploads that are still open."""
        answer = self.client.list_multipart_uploads(Bucket=self.bucket, Prefix=self.prefix)
        return [item["Key"][len(self.prefix):] for item in answer.get("Uploads", [])]
