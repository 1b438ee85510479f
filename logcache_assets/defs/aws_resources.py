"""The ports on Amazon's services as Dagster resources; imported only where the settings name one of them.

Their fields are those of dagster-aws, which costs seconds to import. An SDK session is not made before it is used.
"""

from pathlib import Path
from typing import Any

import dagster as dg
from dagster_aws.utils import ResourceWithBoto3Configuration
from pydantic import Field
from typing_extensions import override

from logcache_assets.adapters.aws.access import AwsAccess
from logcache_assets.adapters.aws.copy_terms import CopyTerms
from logcache_assets.adapters.aws.dynamodb_index import DynamoDbSegmentIndex
from logcache_assets.adapters.aws.s3_buckets import BucketTerms
from logcache_assets.adapters.aws.s3_store import S3ObjectStore
from logcache_assets.adapters.aws.segment_table import SegmentTable
from logcache_assets.errors import BadInput
from logcache_assets.local_platform.world_files import WorldFiles
from logcache_assets.local_platform.world_store import world_store_on_s3
from logcache_assets.ports import ObjectStore
from logcache_assets.settings import Settings


class AwsResource(ResourceWithBoto3Configuration):
    """How a service of Amazon's is reached, with the fields that every resource of dagster-aws has.

    Credentials are found as every AWS program finds them: variables, the profile, the machine's role. They are no
    fields here, because ports travel to Spark's workers, and credentials never do.
    """

    role_arn: str | None = Field(default=None, description="A role that is assumed with the profile's credentials")

    @property
    def access(self) -> AwsAccess:
        """The same without Dagster; raises BadInput if a field is given that we do not follow."""
        keys = (self.aws_access_key_id, self.aws_secret_access_key, self.aws_session_token)
        if any(keys) or not self.use_ssl:
            raise BadInput(
                "an AWS resource has access keys or use_ssl=False, which would not travel to Spark's workers; name a "
                "profile_name or a role_arn, or an endpoint_url that begins with http://"
            )
        return AwsAccess(
            profile=self.profile_name,
            role_arn=self.role_arn,
            region=self.region_name,
            endpoint_url=self.endpoint_url,
            max_attempts=self.max_attempts,
            verify=self.verify is not False,
        )


class S3StoreResource(AwsResource):
    """Objects by s3:// URI on S3."""

    permanent_bucket: str = Field(
        description="The bucket of the caches and the documents; nothing in it is overwritten or deleted"
    )
    permanent_account: str | None = Field(default=None, description="Account that must own the permanent bucket")
    kms_key: str | None = Field(default=None, description="Key that encrypts what is written to the permanent bucket")
    storage_class: str = Field(description="Class of what is written to the permanent bucket")
    tags: dict[str, str] = Field(default={}, description="Tags of what is written to the permanent bucket")
    ephemeral_bucket: str = Field(description="The bucket of the runs' datasets, which expire")
    ephemeral_account: str | None = Field(default=None, description="Account that must own the ephemeral bucket")
    copies_at_once: int = Field(description="How many copies are under way at once")
    multipart_copy_bytes: int = Field(description="Size from which an object is copied in parts")
    home: str | None = Field(default=None, description="Home of a local world, whose dates objects have then")

    @override
    def create_resource(self, context: dg.InitResourceContext) -> ObjectStore:
        terms = {
            self.ephemeral_bucket: BucketTerms(account=self.ephemeral_account),
            self.permanent_bucket: BucketTerms(
                account=self.permanent_account,
                kms_key=self.kms_key,
                storage_class=self.storage_class,
                tags=self.tags,
            ),
        }
        copies = CopyTerms(at_once=self.copies_at_once, multipart_bytes=self.multipart_copy_bytes)
        if self.home is None:
            return S3ObjectStore(self.access, terms=terms, copies=copies)
        return world_store_on_s3(
            self.access, WorldFiles(Path(self.home)), permanent_bucket=self.permanent_bucket, terms=terms, copies=copies
        )


def store_resource(settings: Settings) -> S3StoreResource:
    """The object store that the settings describe."""
    terms = settings.permanent_terms
    return S3StoreResource(
        **aws_fields(settings.s3_access),
        permanent_bucket=settings.permanent_bucket,
        permanent_account=terms.account,
        kms_key=terms.kms_key,
        storage_class=terms.storage_class,
        tags=dict(terms.tags),
        ephemeral_bucket=settings.ephemeral_bucket,
        ephemeral_account=settings.ephemeral_account,
        copies_at_once=settings.copies_at_once,
        multipart_copy_bytes=settings.multipart_copy_bytes,
        home=str(settings.home_folder) if settings.clock == "local" else None,
    )


class DynamoDbSegmentIndexResource(AwsResource):
    """The index of Avro segments in a DynamoDB table."""

    table: str = Field(description="Name or ARN of the table")
    index: str | None = Field(default=None, description="An index of the table to ask instead of it")
    partition_key: str = Field(description="Name of the attribute that holds the instance, such as feed-s0")
    sort_key: str = Field(description="Name of the attribute that holds a segment's last t")

    @override
    def create_resource(self, context: dg.InitResourceContext) -> DynamoDbSegmentIndex:
        table = SegmentTable(
            access=self.access,
            name=self.table,
            index=self.index,
            partition_key=self.partition_key,
            sort_key=self.sort_key,
        )
        return DynamoDbSegmentIndex(table)


def segment_index_resource(settings: Settings) -> DynamoDbSegmentIndexResource:
    """The segment index that the settings describe."""
    table = settings.table_of_segments(settings.segment_table or "")
    return DynamoDbSegmentIndexResource(
        **aws_fields(table.access),
        table=table.name,
        index=table.index,
        partition_key=table.partition_key,
        sort_key=table.sort_key,
    )


def aws_fields(access: AwsAccess) -> dict[str, Any]:
    """The fields of an AwsResource for this access."""
    return {
        "profile_name": access.profile,
        "role_arn": access.role_arn,
        "region_name": access.region,
        "endpoint_url": access.endpoint_url,
        "max_attempts": access.max_attempts,
    }
