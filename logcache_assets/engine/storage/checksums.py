"""The checksum by which files are proven, as documents have it."""


def checksum_of(content: bytes) -> str:
    """`crc64nvme:<16 hex digits>` of bytes."""
    from awscrt.checksums import crc64nvme  # noqa: PLC0415 - 30 ms, and most commands never need it

    return f"crc64nvme:{crc64nvme(content):016x}"
