"""Which addresses a household may give itself, and how one is shown without being told."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import urlsplit

from servicedesk.errors import DeskError

_MAIL = re.compile(r"[^@\s,;<>\"]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")
_MOST = 254
VENDORS = frozenset(
    {"bark", "barks", "dingtalk", "discord", "feishu", "lark", "line", "ntfy", "ntfys", "pover", "schan", "slack",
     "tgram", "wecombot"}
)  # fmt: skip
"""Services that an owner may name, by the scheme of their Apprise URL: none that calls an address of one's choice with
a request of one's choice."""
_OWN_HOST = frozenset({"bark", "barks", "ntfy", "ntfys"})
_LOCAL = (".local", ".internal", ".localhost", ".lan", ".home.arpa")


class AddressError(DeskError):
    """An address that messages cannot or must not be sent to."""


def fit_mail(address: str) -> str:
    """An e-mail address as it is kept.

    Raises:
        AddressError: it is none.
    """
    found = address.strip()
    if len(found) > _MOST or not _MAIL.fullmatch(found):
        raise AddressError("this is no e-mail address; one looks like li@example.org")
    return found


def fit_chat(url: str) -> str:
    """An Apprise URL that an owner may give.

    Raises:
        AddressError: the service is not one of those that owners may name, or its server stands in a private network.
    """
    found = url.strip()
    scheme = found.partition("://")[0].lower()
    if "://" not in found or scheme not in VENDORS:
        raise AddressError(f"this names no service that we send to; there are {', '.join(sorted(VENDORS))}")
    try:
        host = (urlsplit(found).hostname or "").rstrip(".").lower()
    except ValueError as cause:
        raise AddressError("this address cannot be read") from cause
    # `ntfy://topic` names a topic of the public server; with a path the first part is a server.
    named = scheme in _OWN_HOST and found.partition("://")[2].strip("/").count("/") >= 1
    if named and _private(host):
        raise AddressError("the server of this address stands in a private network")
    return found


def masked(address: str) -> str:
    """An e-mail address by which its owner knows it and nobody else learns it: `o***@example.org`."""
    name, _, domain = address.partition("@")
    return f"{name[:1]}***@{domain}"


def _private(host: str) -> bool:
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return "." not in host or host.endswith(_LOCAL)
