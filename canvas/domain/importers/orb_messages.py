"""What Orb's actions for people are configured with, by the names that our actions of that kind use."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from canvas.domain.importers.imported import first_of, list_of, text_of
from canvas.domain.importers.naming import slug
from canvas.domain.states import LogLevel

Parameters = dict[str, Any]
Warn = Callable[[str, str], None]

_TEXT = ("text", "content", "message", "body", "caption", "post")
_MEDIA = ("media", "media_urls", "media_url", "images", "image_urls", "image_url")
_SOCIAL: Mapping[str, tuple[str, ...]] = {
    "text": _TEXT,
    "at": ("at", "scheduled_at", "scheduled_for", "scheduled_time", "schedule_time", "publish_at"),
    "reply_to": ("reply_to", "comment_id", "reply_to_id", "in_reply_to", "post_id"),
    "language": ("language", "lang"),
}
_NAMES: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "social/post": _SOCIAL,
    "social/schedule": _SOCIAL,
    "social/reply": _SOCIAL,
    "email/send": {
        "to": ("to", "recipients", "recipient"),
        "subject": ("subject", "title"),
        "html": ("html", "html_body", "body_html"),
        "text": ("text", "body", "text_body", "body_text", "content", "message"),
    },
    "slack/send": {
        "channel": ("channel", "channel_id", "channel_name"),
        "text": _TEXT,
        "thread": ("thread", "thread_ts"),
    },
    "notify/create": {
        "title": ("title", "subject"),
        "body": ("body", "message", "content", "text", "description"),
        "to": ("to", "user_ids", "user_id", "users", "user", "recipients", "recipient"),
        "level": ("level", "severity", "type"),
        "link": ("link", "url", "action_url"),
    },
}
"""For each action: our name of an argument, and the names it may have there; of several the first that is set."""
_LEFT_OUT: Mapping[str, Mapping[str, str]] = {
    "email/send": {
        "from": "Who a message is from is said by its connection; `{key}` is left out.",
        "template_id": "Templates of another system are not known here; `{key}` is left out. Write the text here.",
    },
    "slack/send": {
        "webhook_url": "The address of a webhook is a secret and belongs into a connection; `{key}` is left out.",
        "token": "A token is a secret and belongs into a connection; `{key}` is left out.",
    },
}
_USUAL = {"email/send": "mail", "slack/send": "slack"}
"The connection's name where nothing there says one."
_OFFERED = ("mastodon", "bluesky")
_LEVELS = {"success": "info", "warn": "warning", "alert": "warning", "critical": "error", "failure": "error"}
_HTML = re.compile(r"<(!doctype|html|body|p|div|br|h[1-6]|table|ul|ol|a|b|strong)\b[^>]*>", re.IGNORECASE)
_WHOLE = re.compile(r"\{\{(.*)\}\}", re.DOTALL)


def messages_arguments(action: str, given: Mapping[str, Any], warn: Warn) -> Parameters:
    """Name the arguments of an action for people as it does here; other actions are left as they are.

    Args:
        action: Our name of the action.
        given: Its arguments there, keys in snake case.
        warn: Takes a code and a sentence for each thing that is no plain change of name.
    """
    if action not in _NAMES:
        return dict(given)
    kept = _without(action, given, warn)
    named = _renamed(_NAMES[action], kept)
    if action.startswith("social/"):
        return _social(named, warn)
    if action == "notify/create":
        return _notification(named, warn)
    named.setdefault("connection", _USUAL[action])
    return _email(named) if action == "email/send" else named


def _without(action: str, given: Mapping[str, Any], warn: Warn) -> Parameters:
    left_out = _LEFT_OUT.get(action, {})
    for key in left_out.keys() & given.keys():
        warn("argument_left_out", left_out[key].format(key=key))
    return {key: value for key, value in given.items() if key not in left_out}


def _renamed(names: Mapping[str, tuple[str, ...]], given: Mapping[str, Any]) -> Parameters:
    taken: dict[str, str] = {}
    for ours, theirs in names.items():
        found = next((key for key in theirs if given.get(key) is not None and key not in taken), None)
        if found is not None:
            taken[found] = ours
    return {taken.get(key, key): value for key, value in given.items()}


def _social(named: Parameters, warn: Warn) -> Parameters:
    media = first_of(named, *_MEDIA)
    platform, account = text_of(named.get("platform")), text_of(named.get("account_id"))
    own = {key: value for key, value in named.items() if key not in (*_MEDIA, "platform", "account_id", "account")}
    connection = _connection_name(account) or _connection_name(platform) or "mastodon"
    own.setdefault("connection", connection)
    if platform and platform.lower() not in _OFFERED:
        warn(
            "platform_not_offered",
            f"Posts go to Mastodon or Bluesky, not to `{platform[:40]}`; whichever the connection `{connection}` is.",
        )
    if media:
        own["media"] = _media(media)
    return own


def _connection_name(text: str) -> str:
    if not text or "{{" in text:
        return ""
    return slug(f"account {text}" if text[:1].isdigit() else text, "").strip("_")[:63]


def _media(given: Any) -> Any:
    if isinstance(given, str) and (whole := _WHOLE.fullmatch(given.strip())):
        return f"{{{{ ({whole[1].strip()}).map(address, {{'url': address}}) }}}}"
    return [{"url": item} if isinstance(item, str) else item for item in list_of(given)]


def _email(named: Parameters) -> Parameters:
    for key in ("to", "cc", "bcc", "reply_to"):
        if key in named:
            named[key] = _people(named[key])
    if "html" not in named and _HTML.search(text_of(named.get("text"))):
        named["html"] = named.pop("text")
    return named


def _notification(named: Parameters, warn: Warn) -> Parameters:
    if "title" not in named and "body" in named:
        named["title"] = named.pop("body")
    if "to" in named:
        named["to"] = _people(named["to"])
    level = text_of(named.get("level")).lower()
    if level and "{{" not in level:
        named["level"] = _LEVELS.get(level, level)
        if named["level"] not in set(LogLevel):
            warn("argument_left_out", f"There is no kind `{level[:40]}` of notification here; it is an `info`.")
            del named["level"]
    return named


def _people(given: Any) -> Any:
    """Make a list of addresses or names; a template is left alone, for it may give one or several."""
    if not isinstance(given, str) or _WHOLE.fullmatch(given.strip()):
        return given
    return [part.strip() for part in re.split(r"[,;]", given) if part.strip()]
