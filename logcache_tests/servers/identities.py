"""Servers with users: S3 of versitygw, whose users a server of its own keeps, and DynamoDB of moto.

Every request is judged by the policy of its user. The policies are those of Amazon's IAM, word for word.
"""

import json
import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

from logcache_tests.servers.server import LOOPBACK, READY_SECONDS, Command, Credentials, Server, serving
from logcache_tests.servers.tools import built
from logcache_tests.servers.versitygw import ROOT_VARIABLES, versitygw

Policy = Mapping[str, Any]
EVERYTHING: Policy = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}],
}


@dataclass(frozen=True)
class Identities:
    """A server of S3, and who may ask it."""

    server: Server
    """Of S3, asked by root."""
    iam: Server
    """Of their users, asked by root."""

    def user(self, name: str, policy: Policy) -> Credentials:
        """A new user who may do what the policy allows."""
        return make_user(self.iam, name, policy)


def make_user(iam_server: Server, name: str, policy: Policy) -> Credentials:
    """Make a user who may do what the policy allows, and nothing else where requests are judged."""
    iam = iam_server.client("iam")
    iam.create_user(UserName=name)
    iam.put_user_policy(UserName=name, PolicyName="own", PolicyDocument=json.dumps(policy))
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return Credentials(access_key=key["AccessKeyId"], secret_key=key["SecretAccessKey"])


def write_profile(file: Path, name: str, key: Credentials) -> None:
    """Add a profile to a file of AWS's credentials."""
    with file.open("a", encoding="utf-8") as profiles:
        profiles.write(f"[{name}]\naws_access_key_id={key.access_key}\naws_secret_access_key={key.secret_key}\n")


@contextmanager
def judged(moto: Server) -> Iterator[None]:
    """Have moto judge the action of every request for the duration of the block, root's too, who has no policy.

    It does not judge the resource: only a policy for all resources allows anything.
    """
    _judge_after(moto, 0)
    try:
        yield
    finally:
        _judge_after(moto, math.inf)


def _judge_after(moto: Server, requests: float) -> None:
    body, headers = str(requests).encode(), {"Content-Type": "text/plain"}
    asked = Request(f"{moto.endpoint_url}/moto-api/reset-auth", data=body, headers=headers)  # noqa: S310 - loopback
    with urlopen(asked, timeout=READY_SECONDS) as answer:  # noqa: S310 - as above
        answer.read()


@contextmanager
def identities(folder: Path) -> Iterator[Identities]:
    """Run versitygw on an empty folder, and the server of its users, for the duration of the block.

    Raises:
        NotBuiltError: it has not been built, or the folder cannot hold what it writes.
    """
    program, users, socket = str(built("versitygw", needs="Go")), folder / "users", folder / "iam.sock"
    users.mkdir(parents=True)
    command = Command(
        argv=lambda port: [
            *(program, "--quiet", "--port", f"{LOOPBACK}:{port}"),
            *("iam", "--dir", str(users), "--private-ports", str(socket)),
        ],
        environment=ROOT_VARIABLES,
        ready_path="/",
        ready_status=302,
    )
    with (
        serving(command, folder / "iam.log") as url,
        versitygw(folder / "s3", options=("--iam-standalone-endpoint", str(socket))) as server,
    ):
        yield Identities(server, Server(name="versitygw's users", endpoint_url=url))
