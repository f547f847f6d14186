"""Password rules beyond Django's: the names that everybody around here would guess, and plainer words."""

from __future__ import annotations

import re
from typing import Final

from django.contrib.auth.password_validation import CommonPasswordValidator as DjangoCommonPasswordValidator
from django.core.exceptions import ValidationError

from accounts.models import Organization, User
from lendconsole.organizations import memberships_of
from lendconsole.tenancy import OrganizationContextError, current_organization_id

PRODUCT_WORDS: Final = frozenset({"lendconsole", "lend", "console", "password"})
ENOUGH_LEFT: Final = 8


class CommonPasswordValidator(DjangoCommonPasswordValidator):
    def get_error_message(self) -> str:
        return "This password is on the lists that attackers try first. Choose another one."


class ContextWordsValidator:
    """The names of the product and of the organization do not count: enough has to be left without them."""

    def validate(self, password: str, user: User | None = None) -> None:
        whole = rest = "".join(filter(str.isalnum, password.lower()))
        for word in sorted(PRODUCT_WORDS | _organization_words(user), key=len, reverse=True):
            rest = rest.replace(word, "")
        if rest != whole and len(rest) < ENOUGH_LEFT:
            raise ValidationError(
                "This password leans on the name of lendconsole or of your organization. Choose another one.",
                code="password_context_words",
            )

    def get_help_text(self) -> str:
        return "The name of lendconsole or of your organization is not enough."


def _organization_words(user: User | None) -> set[str]:
    return {word for name in _organization_names(user) for word in re.findall(r"\w{4,}", name.lower())}


def _organization_names(user: User | None) -> list[str]:
    """Of the organization at hand (an invitation is being accepted), else of those that the login belongs to."""
    try:
        return [Organization.objects.get(pk=current_organization_id()).name]
    except OrganizationContextError:
        known = user is not None and user.pk is not None
        return [membership.organization.name for membership in memberships_of(user)] if user and known else []
