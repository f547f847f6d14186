"""The e-mails about customers: each part queues its own and writes their letters when they are sent.

They name customers and go to addresses that a card masks.
"""

from customers.access import opens_everybody
from customers.emails import access, borrowers, documents, imports, managers, notes
from notifications.letters import show_only

__all__ = ["access", "borrowers", "documents", "imports", "managers", "notes"]

show_only("customers", to=opens_everybody)
