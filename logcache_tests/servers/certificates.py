"""A private authority for tests: certificates of servers and of clients, good ones and bad ones."""

import ipaddress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
)

LOOPBACK = "127.0.0.1"
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """PEM files of a certificate and its key."""

    file: Path
    key: Path


class Authority:
    """Signs certificates, which lie in a folder."""

    def __init__(self, folder: Path, name: str = "authority") -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        self._key = ec.generate_private_key(ec.SECP256R1())

    @cached_property
    def file(self) -> Path:
        """PEM file of the authority's own certificate."""
        now = datetime.now(UTC)
        usage = x509.KeyUsage(
            digital_signature=True,
            content_commitment=False,
            key_encipherment=False,
            data_encipherment=False,
            key_agreement=False,
            key_cert_sign=True,
            crl_sign=True,
            encipher_only=False,
            decipher_only=False,
        )
        own = (
            x509.CertificateBuilder(self._name, self._name, self._key.public_key(), x509.random_serial_number())
            .not_valid_before(now - DAY)
            .not_valid_after(now + 365 * DAY)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(usage, critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(self._key.public_key()), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        path = self._folder / "authority.pem"
        path.write_bytes(own.public_bytes(Encoding.PEM))
        return path

    def sign(
        self,
        name: str,
        *,
        host: str = LOOPBACK,
        begins: timedelta = -DAY,
        ends: timedelta = 30 * DAY,
        passphrase: str | None = None,
    ) -> Certificate:
        """A certificate that is valid between two instants, relative to now.

        Args:
            name: of the files.
            host: whose it is, if it is a server's.
            begins: when it becomes valid.
            ends: when it expires.
            passphrase: encrypts its key.
        """
        now, key = datetime.now(UTC), ec.generate_private_key(ec.SECP256R1())
        known_as = x509.IPAddress(ipaddress.ip_address(host)) if host[0].isdigit() else x509.DNSName(host)
        signed = (
            x509.CertificateBuilder(
                self._name,
                x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)]),
                key.public_key(),
                x509.random_serial_number(),
            )
            .not_valid_before(now + begins)
            .not_valid_after(now + ends)
            .add_extension(x509.SubjectAlternativeName([known_as]), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        files = Certificate(file=self._folder / f"{name}.pem", key=self._folder / f"{name}.key.pem")
        files.file.write_bytes(signed.public_bytes(Encoding.PEM))
        sealed: KeySerializationEncryption = (
            BestAvailableEncryption(passphrase.encode()) if passphrase else NoEncryption()
        )
        files.key.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, sealed))
        return files
