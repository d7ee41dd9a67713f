"""A signed POST to a host on the allow-list: to the address that was checked, and to no other.

The name is resolved once; the connection goes to an address that was found to be public, so that a name cannot point
elsewhere a moment later. Redirects are not followed. A private address must be on the list itself, as an address.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import socket
import ssl
from collections.abc import Collection
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from urllib.parse import urlsplit

from recsvc.errors import ConfigError

TIMEOUT_SECONDS = 10.0
AGAIN = (408, 425, 429)  # besides all of 500 and above


@dataclass(frozen=True, slots=True)
class Target:
    """Where to send to; `address` is what `host` was found to be."""

    host: str
    port: int
    path: str
    is_secure: bool
    address: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a POST; `status` is None where there was no reply.

    Attributes
    ----------
    wait_seconds : what the receiver asked for before the next try
    """

    status: int | None
    said: str
    wait_seconds: float | None = None

    @property
    def is_taken(self) -> bool:
        """Whether the receiver has it."""
        return self.status is not None and 200 <= self.status < 300

    @property
    def may_change(self) -> bool:
        """Whether another try can end otherwise."""
        return self.status is None or self.status >= 500 or self.status in AGAIN


def target_of(url: str, allowed: Collection[str]) -> Target:
    """Check an address and resolve it.

    Raises
    ------
    ConfigError
        It is no https address, its host is not on the list, cannot be found, or is private without being on the list
        as an address.
    """
    parts = urlsplit(url)
    host = (parts.hostname or "").lower()
    if parts.scheme not in ("https", "http") or not host or parts.username is not None:
        raise ConfigError("url", "is no address like https://host/path", "write it so, without a name or password")
    if host not in {one.lower() for one in allowed}:
        raise ConfigError("url", f"host {host} is not in RECSVC_WEBHOOK_HOSTS", "add it there if it is to get messages")
    port = parts.port or (443 if parts.scheme == "https" else 80)
    address = _public_address(host, port)
    if parts.scheme == "http" and not ipaddress.ip_address(address).is_loopback:
        raise ConfigError("url", "http shows messages to everybody on the way", "use https")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(host, port, path, parts.scheme == "https", address)


def _public_address(host: str, port: int) -> str:
    try:
        found = [str(entry[4][0]) for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    except (OSError, UnicodeError) as error:
        raise ConfigError("url", f"host {host} cannot be found", "check the name") from error
    private = [one for one in found if not ipaddress.ip_address(one).is_global and one != host]
    if private:
        fix = "name a public host; a private one only as an address, in RECSVC_WEBHOOK_HOSTS too"
        raise ConfigError("url", f"host {host} is at the private address {private[0]}", fix)
    return found[0]


def signature(secret: bytes, at: int, body: bytes) -> str:
    """Value of `X-Recsvc-Signature`: the receiver computes the same from the body and compares, and refuses old ones.

    Examples
    --------
    >>> signature(b"secret", 1_700_000_000, b"{}")
    't=1700000000,v1=b8569b78799ff9e3cbff0fc2d63a33a2b57f3282abd07c37ae5e8e7d79a5f163'
    """
    return f"t={at},v1={hmac.new(secret, f'{at}.'.encode() + body, hashlib.sha256).hexdigest()}"


def post(target: Target, body: bytes, headers: dict[str, str]) -> Answer:
    """Send a body once, and read the status."""
    connection = _Pinned(target)
    try:
        connection.request("POST", target.path, body, headers)
        reply = connection.getresponse()
        reply.read(1_024)
    except (OSError, HTTPException) as error:
        return Answer(None, type(error).__name__)
    finally:
        connection.close()
    asked = reply.headers.get("Retry-After", "")
    return Answer(reply.status, reply.reason, float(asked) if asked.isdigit() else None)


class _Pinned(HTTPConnection):
    """Connects to the address that was checked, and asks for the host's certificate there."""

    def __init__(self, target: Target) -> None:
        self.default_port = 443 if target.is_secure else 80  # which the header Host does not name
        super().__init__(target.host, target.port, timeout=TIMEOUT_SECONDS)
        self._target = target

    def connect(self) -> None:
        """Open the socket."""
        self.sock = socket.create_connection((self._target.address, self._target.port), TIMEOUT_SECONDS)
        if self._target.is_secure:
            self.sock = ssl.create_default_context().wrap_socket(self.sock, server_hostname=self._target.host)
