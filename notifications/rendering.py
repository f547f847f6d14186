"""From a row of the outbox to words: subject, text and HTML, in which no address but our own can be clicked."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final
from zoneinfo import ZoneInfo

import css_inline
from django.conf import settings
from django.template import Context, Engine
from django.template.loader import get_template
from django.utils import timezone

from accounts.models import Organization
from notifications.letters import find_letter
from notifications.models import OutgoingEmail

SUBJECT_LENGTH: Final = 300
WORD_JOINER: Final = "\u2060"  # invisible, and no mail program makes a link across it
# An address with a scheme, "www.", or something that looks like a host; e-mail addresses are left alone.
_LINK: Final = re.compile(
    r"(?<![\w@.])(?:[a-z][a-z0-9+.-]*://\S+|(?:[\w-]+\.)+[^\W\d_]{2,24}(?![\w@])(?:/\S*)?)", re.IGNORECASE
)
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
_TAG: Final = re.compile(r"(<[^>]*>)")


@dataclass(frozen=True, slots=True)
class Body:
    text: str
    html: str = ""


def render_subject(kind: str, payload: Mapping[str, Any]) -> str:
    """One line of at most 300 characters, from the payload alone."""
    return disarm(one_line(_render_plain(f"emails/{kind}.subject.txt", payload)))[:SUBJECT_LENGTH]


def render_body(email: OutgoingEmail, organization: Organization | None) -> Body:
    """Runs the letter's builder. Raises Undeliverable when the letter should not leave."""
    context = {
        **email.payload,
        **find_letter(email.kind).build(email),
        "subject": email.subject,
        "recipient_label": email.recipient_label,
        "organization": organization,
        "base_url": settings.BASE_URL,
    }
    with timezone.override(ZoneInfo(organization.time_zone) if organization else None):
        text = _render_plain(f"emails/{email.kind}.txt", context)
        html = get_template(f"emails/{email.kind}.html").render(context)
    return Body(text=disarm(text).strip() + "\n", html=inline_styles(disarm_html(html)))


def inline_styles(html: str) -> str:
    """Mail programs read `style` attributes; rules for dark screens stay behind in a style element."""
    return _inliner().inline(html)


def one_line(text: str) -> str:
    """Without line breaks, control characters and turned-around writing: fit for a header."""
    return " ".join(_CONTROL.sub(" ", text).split())


def disarm(text: str) -> str:
    """What people typed cannot become a link in a mail program; links of this program stay."""
    return _LINK.sub(lambda match: match[0] if _is_ours(match[0]) else _break(match[0]), text)


def disarm_html(html: str) -> str:
    """The same between the tags; what stands inside a tag was written by us or escaped."""
    parts = _TAG.split(html)
    return "".join(part if part.startswith("<") else disarm(part) for part in parts)


def _is_ours(link: str) -> bool:
    rest = link.removeprefix(settings.BASE_URL)
    return rest != link and rest[:1] in ("", "/", "?", "#")


def _break(link: str) -> str:
    return link.replace("://", f":{WORD_JOINER}//").replace(".", f".{WORD_JOINER}")


def _render_plain(template: str, context: Mapping[str, Any]) -> str:
    """Plain text, so nothing is escaped."""
    return Engine.get_default().get_template(template).render(Context(dict(context), autoescape=False))


@cache
def _inliner() -> css_inline.CSSInliner:
    return css_inline.CSSInliner(keep_at_rules=True, load_remote_stylesheets=False)
