"""Runs the demo on real servers of S3 and DynamoDB: `make demo-servers`. They are ended with it."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from logcache_tests.servers.dynamodb_local import dynamodb_local
from logcache_tests.servers.server import REGION
from logcache_tests.servers.versitygw import versitygw


def main() -> int:
    """Start both servers, let `logcache local demo` use them, and return its exit code."""
    with tempfile.TemporaryDirectory(prefix="logcache-servers-") as folder:
        place = Path(folder)
        (place / "s3").mkdir()
        (place / "dynamodb").mkdir()
        with versitygw(place / "s3") as s3, dynamodb_local(place / "dynamodb") as dynamodb:
            variables = {
                **s3.credentials.variables,
                "AWS_REGION": REGION,
                "LOGCACHE_HOME": str(place / "home"),
                "LOGCACHE_STORE": "s3",
                "LOGCACHE_S3_ENDPOINT": s3.endpoint_url,
                "LOGCACHE_SEGMENT_INDEX": "dynamodb",
                "LOGCACHE_SEGMENT_TABLE": "segments",
                "LOGCACHE_DYNAMODB_ENDPOINT": dynamodb.endpoint_url,
            }
            command = [str(Path(sys.executable).parent / "logcache"), "local", "demo"]
            code = subprocess.run(command, env={**os.environ, **variables}, check=False).returncode
    sys.stdout.write("The servers have ended and nothing of this demo is left; `make demo` makes one to look at.\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
