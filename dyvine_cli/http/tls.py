"""Whom we trust: one TLS context for all connections of the process."""

from __future__ import annotations

import ssl
from functools import lru_cache
from pathlib import Path

import certifi

from dyvine_cli.errors import ConfigError, TLSFailure
from dyvine_cli.http.failures import BrokenHandshake, printable

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


def failure(host: str, exc: ssl.SSLError) -> Exception:
    """The error for a handshake with `host` that failed: TLSFailure, or BrokenHandshake, which may be tried again."""
    if isinstance(exc, ssl.SSLCertVerificationError):
        return untrusted(host, exc.verify_message)
    if isinstance(exc, ssl.SSLEOFError | ssl.SSLZeroReturnError | ssl.SSLSyscallError):
        return BrokenHandshake(str(exc.reason))
    return no_tls(host, exc.reason or "handshake failed")


def untrusted(host: str, why: str) -> TLSFailure:
    """The error for a certificate that nobody vouches for, or that is somebody else's."""
    return TLSFailure(
        f"the certificate of {host} could not be verified: {printable(why)}",
        hint="behind a proxy that opens TLS, add its authority with --ca-file FILE",
    )


def no_tls(host: str, why: str) -> TLSFailure:
    """The error for a server that answers the handshake with something else."""
    return TLSFailure(
        f"{host} does not speak TLS as expected: {printable(why)}",
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
