"""Reads of the outbox. Each starts from a member and never leaves that member's organization."""

from __future__ import annotations

from typing import Self

from django.db import models
from django.db.models import Q

from accounts.pages import Actor


class OutgoingEmailQuerySet(models.QuerySet):
    def visible_to(self, member: Actor) -> Self:
        """The organization's own; account mails (password reset and the like) are nobody's to see."""
        return self.filter(organization=member.organization)

    def pending(self) -> Self:
        return self.filter(state="pending")

    def failed(self) -> Self:
        """Given up. They wait for somebody to send them again."""
        return self.filter(state="failed")

    def addressed_to(self, text: str) -> Self:
        """Part of the recipient's name or address."""
        return self.filter(Q(recipient__icontains=text) | Q(recipient_label__icontains=text))
