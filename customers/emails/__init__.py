"""The e-mails about customers: each part queues its own and writes their letters when they are sent."""

from customers.emails import access, borrowers, documents, imports, managers, notes

__all__ = ["access", "borrowers", "documents", "imports", "managers", "notes"]
