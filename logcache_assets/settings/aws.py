"""The settings of Amazon's services."""

from typing import Annotated, Literal

import msgspec

from logcache_assets.adapters.aws.access import AwsAccess
from logcache_assets.adapters.aws.copy_terms import MOST_AT_ONCE_BYTES, CopyTerms
from logcache_assets.adapters.aws.s3_buckets import BucketTerms, parse_tags
from logcache_assets.adapters.aws.segment_table import SegmentTable
from logcache_assets.adapters.aws.vault import AwsVault
from logcache_assets.adapters.secret import Secret
from logcache_assets.settings.secrets import SECRETS, variable_of

Account = Annotated[str, msgspec.Meta(pattern=r"^\d{12}$", description="the twelve digits of an AWS account")]
Url = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^https?://[^/\s]+/?$",
        description="the address of a server, http:// or https:// and its host, without a path",
    ),
]
Name = Annotated[str, msgspec.Meta(min_length=1)]
Table = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^(?:arn:aws[\w-]*:dynamodb:\S+:table/)?[A-Za-z0-9_.-]{3,255}\Z",
        description="the name of a DynamoDB table, three characters or more, or its ARN",
    ),
]
Region = Annotated[
    str, msgspec.Meta(pattern=r"^[a-z0-9]+(?:-[a-z0-9]+)*\Z", description="the code of a region, such as sa-east-1")
]
StorageClass = Literal["STANDARD", "STANDARD_IA", "INTELLIGENT_TIERING", "ONEZONE_IA"]
"""Classes that can be read at once; an archived cache is none."""


class AwsSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Settings of S3 and DynamoDB; a field is a variable as in Settings."""

    aws_profile: Name | None = None
    """Profile of the AWS configuration files."""
    aws_role: (
        Annotated[
            str,
            msgspec.Meta(
                pattern=r"^arn:aws[\w-]*:iam::\d{12}:role/\S+$",
                description="the ARN of a role, such as arn:aws:iam::123456789012:role/reader",
            ),
        ]
        | None
    ) = None
    """ARN of a role to assume."""
    aws_region: Region | None = None
    """Default: that of the profile or of AWS_REGION."""
    aws_max_attempts: Annotated[int, msgspec.Meta(ge=1, le=100)] = 10
    """How often a request is sent at most."""
    s3_endpoint: Url | None = None
    """A server other than Amazon's."""
    dynamodb_endpoint: Url | None = None
    """A server other than Amazon's."""
    ephemeral_account: Account | None = None
    """AWS account that must own the ephemeral bucket."""
    permanent_account: Account | None = None
    """AWS account that must own the permanent bucket."""
    permanent_kms_key: Name | None = None
    """Key that encrypts what is written there; default: the bucket's own encryption."""
    permanent_storage_class: StorageClass = "STANDARD"
    permanent_tags: str = ""
    """Tags of everything written there, `clearance=restricted,team=data`; default: copies keep their source's."""
    multipart_copy_bytes: Annotated[int, msgspec.Meta(ge=5 << 20, le=MOST_AT_ONCE_BYTES)] = MOST_AT_ONCE_BYTES
    """Size from which an object is copied in parts."""
    copies_at_once: Annotated[int, msgspec.Meta(ge=1, le=2000)] = 256
    """How many copies are under way at once on S3."""
    segment_table: Table | None = None
    """DynamoDB table of the segment index, by its name or ARN."""
    segment_table_index: Name | None = None
    """An index of that table to ask instead; what was written in the last seconds may be missing in its answers."""
    segment_partition_key: Name = "db_prototype"
    """Name of the partition key, for example `feed-s0`."""
    segment_sort_key: Name = "last_t"
    """Name of the sort key."""

    @property
    def copy_terms(self) -> CopyTerms:
        """How copies are sent."""
        return CopyTerms(at_once=self.copies_at_once, multipart_bytes=self.multipart_copy_bytes)

    @property
    def permanent_terms(self) -> BucketTerms:
        """The owner of the permanent bucket, and how objects are written there."""
        return BucketTerms(
            account=self.permanent_account,
            kms_key=self.permanent_kms_key,
            storage_class=self.permanent_storage_class,
            tags=parse_tags(self.permanent_tags),
        )

    @property
    def ephemeral_terms(self) -> BucketTerms:
        """The owner of the ephemeral bucket."""
        return BucketTerms(account=self.ephemeral_account)

    @property
    def s3_access(self) -> AwsAccess:
        """How S3 is reached."""
        return self._access(self.s3_endpoint)

    @property
    def dynamodb_access(self) -> AwsAccess:
        """How DynamoDB is reached."""
        return self._access(self.dynamodb_endpoint)

    @property
    def vault(self) -> AwsVault:
        """Where secrets lie that a setting only names."""
        return AwsVault(self._access(None))

    def secret(self, setting: str) -> Secret:
        """One of SECRETS: what it is or where it lies, read when it is used."""
        return Secret(SECRETS[setting], getattr(self, setting), variable=variable_of(setting), vault=self.vault)

    def table_of_segments(self, name: str) -> SegmentTable:
        """The DynamoDB table of this name, with the keys and the index that are configured."""
        return SegmentTable(
            access=self.dynamodb_access,
            name=name,
            index=self.segment_table_index,
            partition_key=self.segment_partition_key,
            sort_key=self.segment_sort_key,
        )

    def _access(self, endpoint_url: str | None) -> AwsAccess:
        return AwsAccess(
            profile=self.aws_profile,
            role_arn=self.aws_role,
            region=self.aws_region,
            endpoint_url=endpoint_url,
            max_attempts=self.aws_max_attempts,
        )
