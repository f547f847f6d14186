"""The broken rules that services report. Views turn them into a form error, a message, 403 or 404; see accounts/pages.py."""

from __future__ import annotations


class DomainError(Exception):
    """A rule of the product was broken. `str(error)` is the sentence a person reads; `field` names the form field it belongs to."""

    field: str | None = None

    def __init__(self, message: str, *, field: str | None = None) -> None:
        super().__init__(message)
        if field is not None:
            self.field = field


class PermissionMissing(DomainError):
    """The actor sees the thing but may not do this with it (403). The sentence says which permission is missing and who can give it."""


class NotVisible(DomainError):
    """The thing does not exist for the actor (404)."""

    def __init__(self, message: str = "There is nothing at this address for you.") -> None:
        super().__init__(message)


class StaleVersion(DomainError):
    """Somebody else changed the record after the form was opened."""
