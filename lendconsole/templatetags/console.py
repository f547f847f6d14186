"""Template tags and filters of the console: addresses, permissions, icons, and how values are written."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from functools import cache
from html import escape
from pathlib import Path
from typing import Any, Final

from django import template
from django.conf import settings
from django.contrib.humanize.templatetags.humanize import intcomma
from django.forms import BaseForm, BoundField
from django.forms.utils import flatatt
from django.http import HttpRequest, QueryDict
from django.template.context import Context
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from customers.text import national_phone as written_nationally
from lendconsole.money import written_amount
from teams.capabilities import Capability

register = template.Library()

ICONS: Final = Path(settings.BASE_DIR) / "templates" / "icons"
# A new order or filter starts on the first page, and a partial of a page is not an address to keep.
PAGE_PARAMETERS: Final = ("after", "before", "page", "panel")


# Addresses


@register.simple_tag(takes_context=True)
def org_url(context: Context, name: str, *args: Any) -> str:
    """`{% org_url 'customers:customer_profile' customer.pk %}`: a page of the member's organization."""
    url: str = context["member"].url(name, *args)
    return url


@register.simple_tag(takes_context=True)
def query_with(context: Context, **changes: Any) -> str:
    """`?` and the present parameters with some replaced (None removes) and back on the first page."""
    return _query(context["request"], **changes)


@register.inclusion_tag("components/chip.html", takes_context=True)
def chip(context: Context, label: str, value: str, parameter: str) -> dict[str, Any]:
    """A filter that is on, with a link that takes it off."""
    return {"label": label, "value": value, "url": _query(context["request"], **{parameter: None})}


@register.inclusion_tag("components/sort_header.html", takes_context=True)
def sort_header(context: Context, key: str, label: str, default: str = "", css: str = "") -> dict[str, Any]:
    """A `<th>` that sorts by `key` and, pressed again, the other way round. `default` is the order without a `sort` parameter."""
    current = context["request"].GET.get("sort") or default
    descending = current == f"-{key}"
    direction = "descending" if descending else "ascending" if current == key else ""
    following = f"-{key}" if direction == "ascending" else key
    return {"label": label, "css": css, "direction": direction, "url": _query(context["request"], sort=following)}


def _query(request: HttpRequest, **changes: Any) -> str:
    parameters: QueryDict = request.GET.copy()
    for name in PAGE_PARAMETERS:
        parameters.pop(name, None)
    for name, value in changes.items():
        if value is None or value == "":
            parameters.pop(name, None)
        else:
            parameters[name] = str(value)
    return f"?{parameters.urlencode()}"


# Permissions


@register.filter
def may(member: Any, capability: str) -> bool:
    """`{% if member|may:"members.invite" %}`. A capability that does not exist raises, also for nobody."""
    known = Capability(capability)
    return member is not None and member.may(known)


# Pieces of pages


@register.simple_tag
def icon(name: str, css: str = "") -> SafeString:
    """One of templates/icons, as decoration: the name of a control stands beside it or in its aria-label."""
    return _icon(name, css)


_STROKES: Final = SafeString(
    'viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round" stroke-linejoin="round"'
)


@cache
def _icon(name: str, css: str) -> SafeString:
    return format_html(
        '<svg class="icon{}" width="24" height="24" {} aria-hidden="true">{}</svg>',
        f" {css}" if css else "",
        _STROKES,
        _shapes(name),
    )


def _shapes(name: str) -> SafeString:
    source = (ICONS / f"{name}.svg").read_text(encoding="utf-8")
    shapes = re.sub(r"\s*\n\s*", "", source[source.index(">") + 1 : source.rindex("</svg>")])
    return SafeString(shapes.replace('<path stroke="none" d="M0 0h24v24H0z" fill="none" />', ""))


@register.simple_tag
@cache
def shared_icons(*names: str) -> SafeString:
    """The icons that every row of a list repeats, drawn once: `{% menu_items %}` refers to them."""
    symbols = format_html_join(
        "", '<symbol id="icon-{}" {}>{}</symbol>', ((name, _STROKES, _shapes(name)) for name in names)
    )
    return format_html('<svg class="d-none" aria-hidden="true">{}</svg>', symbols)


@register.filter
def invalid_fields(form: BaseForm) -> list[BoundField]:
    """The fields that the person can see and has to change."""
    return [field for field in form.visible_fields() if field.errors]


@register.simple_block_tag(end_name="endrow_menu")
def row_menu(content: SafeString, name: str) -> SafeString:
    """Three dots with `<li>` items behind them: `{% row_menu customer.name %}<li>…</li>{% endrow_menu %}`. Nothing inside, no dots."""
    if not content.strip():
        return SafeString("")
    key = secrets.token_hex(4)  # so that rows which arrive later never share an id with those on the page
    return SafeString(
        f'<button class="btn btn-icon btn-ghost-secondary row-menu" type="button" popovertarget="menu-{key}"'
        f' aria-label="More for {escape(name)}">{_icon("dots-vertical", "")}</button>'
        f'<ul class="menu menu-list dropdown-menu" id="menu-{key}" popover>{content}</ul>'
    )


@register.simple_tag
def menu_items(actions: Iterable[Any]) -> SafeString:
    """The items of a row menu from objects with label, icon, url and is_dialog. The page has the icons as `{% shared_icons %}`."""
    return SafeString("".join(_menu_item(escape(action.url), action) for action in actions))


def _menu_item(url: str, action: Any) -> str:
    attributes, content = _menu_item_parts(action.label, action.icon, action.is_dialog)
    return f'<li><a class="dropdown-item" href="{url}"{attributes}>{content}</a></li>'


@cache
def _menu_item_parts(label: str, icon: str, is_dialog: bool) -> tuple[str, str]:
    content = f'<svg class="icon" aria-hidden="true"><use href="#icon-{icon}"/></svg>{escape(label)}'
    return " data-dialog" if is_dialog else "", content


@register.simple_tag
def action_menu(name: str, actions: Iterable[Any]) -> SafeString:
    """A row menu of nothing but `menu_items`, at once."""
    return row_menu(menu_items(actions), name)


@register.simple_tag
def options(choices: Iterable[Any], selected: Any) -> SafeString:
    """The `<option>`s of a filter, from objects with pk, name and indented: there can be hundreds, and a template is slow."""
    chosen = getattr(selected, "pk", None)
    items = (
        f'<option value="{choice.pk:d}" selected>{escape(choice.name)}</option>'
        if choice.pk == chosen
        else f'<option value="{choice.pk:d}">{escape(choice.indented)}</option>'
        for choice in choices
    )
    return SafeString("".join(items))


@register.simple_tag
def widget_options(groups: Iterable[tuple[str | None, list[dict[str, Any]], int]]) -> SafeString:
    """The `<option>`s of a select box of a form: Django would render a template for each."""
    return SafeString("".join(_option_group(name, options) for name, options, _ in groups))


def _option_group(name: str | None, options: list[dict[str, Any]]) -> SafeString:
    items = format_html_join(
        "",
        '<option value="{}"{}>{}</option>',
        ((str(each["value"]), flatatt(each["attrs"]), each["label"]) for each in options),
    )
    return format_html('<optgroup label="{}">{}</optgroup>', name, items) if name else items


# Times


@register.filter(expects_localtime=True)
def day(value: date | datetime | None) -> str:
    """ "12 Mar 2025", with the exact time and zone on hover and for screen readers when there is one."""
    return _time(value, _day(value)) if value else ""


@register.filter(expects_localtime=True)
def moment(value: datetime | None) -> str:
    """ "12 Mar 2025, 14:05"."""
    return _time(value, _minute(value)) if value else ""


@register.filter(expects_localtime=True)
def ago(value: datetime | None) -> str:
    """ "5 min ago", "yesterday", then the day itself."""
    return _time(value, _distance(value)) if value else ""


def _distance(value: datetime) -> str:
    now = timezone.localtime(timezone.now(), value.tzinfo)
    passed = now - value
    days = (now.date() - value.date()).days
    if passed < timedelta(minutes=1):
        return "just now" if passed > timedelta(minutes=-1) else _minute(value)
    if passed < timedelta(hours=1):
        return f"{passed // timedelta(minutes=1)} min ago"
    if days == 0 or passed < timedelta(hours=6):
        return f"{passed // timedelta(hours=1)} h ago"
    if days == 1:
        return "yesterday"
    return f"{days} days ago" if days < 7 else _day(value)


def _day(value: date) -> str:
    return f"{value.day} {value:%b %Y}"


def _minute(value: datetime) -> str:
    return f"{_day(value)}, {value:%H:%M}"


def _time(value: date | datetime, text: str) -> SafeString:
    if not isinstance(value, datetime):
        return format_html('<time datetime="{}">{}</time>', value.isoformat(), text)
    exact = f"{_minute(value)} {value:%Z}".strip()
    rest = exact.removeprefix(text).lstrip(",")
    return format_html(
        '<time datetime="{}" title="{}">{}<span class="visually-hidden"> {}</span></time>',
        value.isoformat(timespec="seconds"),
        exact,
        text,
        rest if exact.startswith(text) else f"({exact})",
    )


# Numbers


@register.filter
def national_phone(value: str | None) -> str:
    """A number as people of its country write it. A masked or unreadable one stays as it is."""
    return written_nationally(value or "")


@register.filter
def address(email: str) -> str:
    """An e-mail address that, where it does not fit, breaks before its domain and not in the middle of a word."""
    name, at, domain = (email or "").rpartition("@")
    parts = [*re.split(r"(?<=\.)", name + at), domain]
    return format_html_join(mark_safe("<wbr>"), "{}", ((part,) for part in parts if part))


@register.filter
def money(minor_units: int | None, currency: str) -> str:
    """An amount in the smallest unit of its currency, written with the currency."""
    return "" if minor_units is None else written_amount(minor_units, currency)


@register.filter
def thousands(value: int | None) -> str:
    """ "1,234,567"."""
    return "" if value is None else intcomma(value, use_l10n=False)
