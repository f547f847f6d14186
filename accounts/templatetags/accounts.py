"""Filters of the account pages."""

from __future__ import annotations

import json
from typing import Any

from django import template
from django.core.serializers.json import DjangoJSONEncoder

from accounts.browsers import describe_browser

register = template.Library()


@register.filter
def browser(user_agent: str) -> str:
    return describe_browser(user_agent)


@register.filter
def as_json(value: Any) -> str:
    """For a data attribute, where the template escapes it."""
    return json.dumps(value, cls=DjangoJSONEncoder)


@register.filter
def grouped(secret: str) -> str:
    """A long code in groups of four, as people copy it by hand."""
    return " ".join(secret[at : at + 4] for at in range(0, len(secret), 4))
