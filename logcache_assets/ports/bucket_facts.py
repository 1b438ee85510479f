"""What a bucket says of itself, for `logcache doctor`; objects are the object store's."""

from abc import ABC, abstractmethod
from datetime import datetime


class BucketFacts(ABC):
    """The facts of a bucket, each read anew.

    Every method raises ObjectStoreUnavailable when the store could not answer, and ObjectStoreWrongData when it
    refuses: no such bucket, another owner's, or an action that is not allowed, which the message names.
    """

    @abstractmethod
    def reach(self, bucket: str) -> datetime | None:
        """Ask for the bucket itself; returns the time by the store's clock, None if it does not say it."""

    @abstractmethod
    def versioning(self, bucket: str) -> str:
        """`Enabled`, `Suspended`, `off`, or what domain/health calls NOT_SAID."""

    @abstractmethod
    def encryption(self, bucket: str) -> str:
        """How what is written is encrypted by default; `none` if it is not, or NOT_SAID."""

    @abstractmethod
    def try_writing(self, bucket: str) -> bool:
        """Write an object below PROBE_FOLDER, read it back and delete it.

        Returns False if it may not be deleted: then it stays, and the next time it is written again.
        """
