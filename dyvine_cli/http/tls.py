"""Whom we trust: one TLS context for all connections of the process."""

from __future__ import annotations

import ssl
from functools import lru_cache
from pathlib import Path

import certifi

from dyvine_cli.errors import ConfigError, NetworkError, TLSFailure

# A whole store has more than a hundred authorities; fewer means none of the system's, or SSL_CERT_FILE alone.
_WHOLE_STORE = 50


@lru_cache(maxsize=8)
def context(ca_file: Path | None, *, verify: bool) -> ssl.SSLContext:
    """The shared context: the system's authorities (Mozilla's where it has none) and those of `ca_file`.

    Raises ConfigError when `ca_file` cannot be read.
    """
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    if not verify:
        made.check_hostname = False
        made.verify_mode = ssl.CERT_NONE
        return made
    made.load_default_certs()
    if made.cert_store_stats()["x509_ca"] < _WHOLE_STORE:
        made.load_verify_locations(certifi.where())
    if ca_file is not None:
        _add(made, ca_file)
    return made


def failure(host: str, exc: ssl.SSLError) -> NetworkError:
    """The error for a handshake with `host` that failed; one that was broken off may be tried again."""
    if isinstance(exc, ssl.SSLCertVerificationError):
        return TLSFailure(
            f"the certificate of {host} could not be verified: {exc.verify_message}",
            hint="behind a proxy that opens TLS, add its authority with --ca-file FILE",
        )
    if isinstance(exc, ssl.SSLEOFError | ssl.SSLZeroReturnError | ssl.SSLSyscallError):
        return NetworkError(f"{host} broke off the TLS handshake")
    return TLSFailure(
        f"{host} does not speak TLS as expected: {exc.reason or 'handshake failed'}",
        hint="a proxy, a captive portal or a wrong port may be in between",
    )


def _add(made: ssl.SSLContext, ca_file: Path) -> None:
    try:
        made.load_verify_locations(ca_file)
    except (OSError, ssl.SSLError) as exc:
        reason = "it holds no PEM certificate" if isinstance(exc, ssl.SSLError) else exc.strerror
        raise ConfigError(
            f"the authorities in {ca_file} cannot be read: {reason}",
            hint="--ca-file takes a text file with -----BEGIN CERTIFICATE----- in it (PEM)",
        ) from exc
