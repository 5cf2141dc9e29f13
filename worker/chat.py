"""Carries messages by Apprise: WeCom, DingTalk, Feishu, SMS gateways, ntfy and a hundred more, each named by a URL."""

from __future__ import annotations

import threading
import warnings
from types import ModuleType

from telemetry.errors import WellkeptError

_TIMEOUT = 10.0
_LOADING = threading.Lock()


class ChatRefusedError(WellkeptError):
    """The URL names no service that we know: it will never work."""


class ChatDownError(OSError):
    """The service did not take the message for now."""


def check_url(url: str) -> str:
    """The name of the service that a URL is for, e.g. `ntfy`.

    Raises:
        ChatRefusedError: it names none, or lacks something.
    """
    service = _library().Apprise.instantiate(url)
    if service is None:
        raise ChatRefusedError("this is no address that Apprise can send to; see https://appriseit.com/services/")
    return str(service.service_name)


def send_chat(url: str, title: str, body: str) -> None:
    """Hand a message to a service. Its answer may take up to ten seconds.

    Args:
        url: an Apprise URL; a secret, never logged.
        title: a line.
        body: plain text.

    Raises:
        ChatRefusedError: the URL will never work.
        ChatDownError: the service did not answer or did not take it.
    """
    apprise = _library()
    # One asset a message: nothing is kept on disk, and escapes in what people wrote stay as they are.
    sender = apprise.Apprise(asset=apprise.AppriseAsset(storage_mode=apprise.PersistentStoreMode.MEMORY))
    if not sender.add(url):
        raise ChatRefusedError("this is no address that Apprise can send to")
    taken = sender.notify(
        body=body, title=title, body_format=apprise.NotifyFormat.TEXT, interpret_escapes=False, timeout=_TIMEOUT
    )
    if not taken:
        raise ChatDownError(f"{url.partition(':')[0]} did not take the message")


def _library() -> ModuleType:
    """Apprise with its services, loaded when the first message leaves: it takes a second and 40 MB."""
    with _LOADING, warnings.catch_warnings():
        # One of its services imports a module that Python has deprecated.
        warnings.simplefilter("ignore", DeprecationWarning)
        import apprise  # noqa: PLC0415  (see above)

        apprise.Apprise.instantiate("json://localhost")
    return apprise
