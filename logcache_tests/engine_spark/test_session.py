"""The local session: what it opens to others, and what it says where it cannot start."""

import ipaddress
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from logcache_assets.engine.drivers.spark import SparkDriver, local_session
from logcache_assets.errors import BadInput
from logcache_tests.engine_spark.test_workers import Refusing

START = "from logcache_assets.engine.drivers.spark import local_session; local_session()"


def test_everything_listens_on_loopback_only(spark: SparkDriver) -> None:
    """A laptop in a café opens no port to its neighbours: neither we, nor the JVM, nor the workers."""
    with pytest.raises(Exception, match="so that a worker was there"):
        list(spark.run([Refusing(RuntimeError("so that a worker was there"))]))
    us = psutil.Process()

    open_ports = [c for p in (us, *us.children(recursive=True)) for c in _listening(p)]

    assert open_ports
    assert [str(port) for port in open_ports if not _is_loopback(port.laddr.ip)] == []


def _listening(process: "psutil.Process") -> list["psutil._common.pconn"]:
    try:
        return [c for c in process.net_connections(kind="inet") if c.status == psutil.CONN_LISTEN]
    except psutil.NoSuchProcess:
        return []


def _is_loopback(address: str) -> bool:
    found = ipaddress.ip_address(address)
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return (mapped or found).is_loopback


def test_without_pyspark_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Never an ImportError."""
    monkeypatch.setitem(sys.modules, "pyspark.errors", None)

    with pytest.raises(BadInput, match=r"pip install 'logcache-assets\[spark\]'"):
        local_session()


def test_without_java_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Never a JVM's absence as a stack trace."""
    pytest.importorskip("pyspark")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("JAVA_HOME", raising=False)

    with pytest.raises(BadInput, match="install Java 17 or newer"):
        local_session()


def test_a_java_that_does_not_start_is_named(
    spark: SparkDriver, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """JAVA_HOME may lead to nothing, or to a Java that is too old for Spark."""
    assert spark.session is not None
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))

    started = subprocess.run([sys.executable, "-c", START], check=False, capture_output=True, text=True)

    last_line = started.stderr.splitlines()[-1]
    assert "BadInput: Spark did not start with the Java at" in last_line
    assert str(tmp_path) in last_line
