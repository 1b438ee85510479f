"""What S3 promises about checksums and parts."""

import base64
import zlib
from typing import Any

from awscrt.checksums import crc64nvme

from logcache_tests.servers.conformance.asking import Asking, refuses

FIRST, SECOND = bytes(5 << 20), b"the end"
"""Parts of an object; none but the last may be smaller."""
MD5_OF_OTHER_BYTES = "1B2M2Y8AsgTpgAmY7PhCfg=="


def crc64(content: bytes) -> str:
    """The checksum as S3 shows it."""
    return base64.b64encode(crc64nvme(content).to_bytes(8, "big")).decode()


def in_parts(ask: Asking, key: str, **checksum: str) -> str:
    """Write an object in two parts, each with its checksum if that is asked for; returns the etag."""
    s3, of_object = ask.s3, {"Bucket": ask.place, "Key": key}
    upload = s3.create_multipart_upload(**of_object, **checksum)["UploadId"]
    parts = []
    for number, content in enumerate((FIRST, SECOND), start=1):
        part = s3.upload_part(**of_object, UploadId=upload, PartNumber=number, Body=content, **checksum)
        sums = {name: value for name, value in part.items() if name == "ChecksumCRC64NVME"}
        parts.append({"PartNumber": number, "ETag": part["ETag"], **sums})
    done = s3.complete_multipart_upload(**of_object, UploadId=upload, MultipartUpload={"Parts": parts})
    return str(done["ETag"])


def shown(ask: Asking, key: str) -> object:
    """The CRC64NVME that HEAD shows."""
    return ask.head(key, ChecksumMode="ENABLED").get("ChecksumCRC64NVME")


def wrong_md5(ask: Asking) -> bool:
    """Bytes that differ from their Content-MD5 are refused."""
    return refuses("BadDigest", lambda: ask.put("a", ContentMD5=MD5_OF_OTHER_BYTES))


def wrong_crc32(ask: Asking) -> bool:
    """Bytes that differ from their CRC32 are refused."""
    other = base64.b64encode(zlib.crc32(b"others").to_bytes(4, "big")).decode()
    return refuses("BadDigest", lambda: ask.put("a", ChecksumCRC32=other))


def crc64nvme_shown(ask: Asking) -> bool:
    """HEAD shows the CRC64NVME that an object was written with."""
    ask.put("a", ChecksumAlgorithm="CRC64NVME")
    return shown(ask, "a") == crc64(b"content")


def crc64nvme_added(ask: Asking) -> bool:
    """An object that was written without checksum has a CRC64NVME."""
    ask.put("a")
    return shown(ask, "a") == crc64(b"content")


def crc64nvme_copied(ask: Asking) -> bool:
    """A copy has the CRC64NVME of its source."""
    ask.put("a", ChecksumAlgorithm="CRC64NVME")
    ask.copy("a", "b")
    return shown(ask, "b") == crc64(b"content")


def copy_answers_crc64nvme(ask: Asking) -> bool:
    """CopyObject answers with the CRC64NVME that it is asked for, also of a source in parts."""
    ask.put("a")
    in_parts(ask, "b")
    asked = {source: ask.copy(source, "c", ChecksumAlgorithm="CRC64NVME").get("ChecksumCRC64NVME") for source in "ab"}
    return asked == {"a": crc64(b"content"), "b": crc64(FIRST + SECOND)}


def crc64nvme_of_parts(ask: Asking) -> bool:
    """The CRC64NVME of an object in parts is that of all its bytes."""
    in_parts(ask, "a", ChecksumAlgorithm="CRC64NVME")
    return shown(ask, "a") == crc64(FIRST + SECOND)


def etag_of_parts(ask: Asking) -> bool:
    """The etag of an object in parts ends with their number, and a copy in one request has another."""
    etag = in_parts(ask, "a")
    return etag.endswith('-2"') and ask.copy("a", "b")["ETag"] != etag


def part_copies(ask: Asking) -> bool:
    """An object is copied in parts, byte for byte."""
    ask.put("a", FIRST + SECOND)
    upload = ask.s3.create_multipart_upload(Bucket=ask.place, Key="b")["UploadId"]
    of_upload = {"Bucket": ask.place, "Key": "b", "UploadId": upload}
    parts = []
    for number, span in enumerate((f"0-{len(FIRST) - 1}", f"{len(FIRST)}-{len(FIRST + SECOND) - 1}"), start=1):
        of_part: dict[str, Any] = {**of_upload, "PartNumber": number, "CopySource": f"{ask.place}/a"}
        part = ask.s3.upload_part_copy(**of_part, CopySourceRange=f"bytes={span}")["CopyPartResult"]
        parts.append({"PartNumber": number, "ETag": part["ETag"]})
    ask.s3.complete_multipart_upload(**of_upload, MultipartUpload={"Parts": parts})
    return ask.read("b") == FIRST + SECOND


def listing_shows_algorithm(ask: Asking) -> bool:
    """A listing names the algorithm of each object's checksum."""
    ask.put("a", ChecksumAlgorithm="CRC64NVME")
    (entry,) = ask.s3.list_objects_v2(Bucket=ask.place)["Contents"]
    return bool(entry.get("ChecksumAlgorithm") == ["CRC64NVME"])
