"""The rules about customers that can be broken."""

from __future__ import annotations

from lendconsole.errors import DomainError


class ManagerNotEligible(DomainError):
    """The member cannot be an account manager now: inactive, of another organization, or of a role that opens no customers."""

    field = "manager"


class NoAccountManager(DomainError):
    """There is nothing to remove."""
