"""Everything that the audit log can say. The label completes the sentence "<actor> <label> <target>"."""

from __future__ import annotations

from django.db.models import TextChoices


class Verb(TextChoices):
    ORGANIZATION_CREATED = "organization.created", "created the organization"
    ORGANIZATION_SUSPENDED = "organization.suspended", "suspended"
    ORGANIZATION_RESUMED = "organization.resumed", "resumed"
    SECURITY_CHANGED = "organization.security_changed", "changed the security policy of"
    MEMBER_INVITED = "member.invited", "invited"
    INVITATION_RESENT = "invitation.resent", "resent the invitation of"
    INVITATION_REVOKED = "invitation.revoked", "revoked the invitation of"
    INVITATION_ACCEPTED = "invitation.accepted", "accepted the invitation to"
    MEMBER_ROLE_CHANGED = "member.role_changed", "changed the role of"
    MEMBER_OFFICE_CHANGED = "member.office_changed", "gave a new office to"
    MEMBER_DEACTIVATED = "member.deactivated", "deactivated"
    MEMBER_REACTIVATED = "member.reactivated", "reactivated"
    OFFICE_CREATED = "office.created", "created the office"
    OFFICE_CHANGED = "office.changed", "changed the office"
    ROLE_CREATED = "role.created", "created the role"
    ROLE_CHANGED = "role.changed", "changed the role"
    ROLE_DELETED = "role.deleted", "deleted the role"
    CUSTOMER_CREATED = "customer.created", "created the customer"
    CUSTOMER_IMPORTED = "customer.imported", "imported the customer"
    CUSTOMER_CHANGED = "customer.changed", "changed the details of"
    CUSTOMER_STATUS_CHANGED = "customer.status_changed", "changed the status of"
    CUSTOMER_OPENED = "customer.opened", "opened the profile of"
    CUSTOMER_BVN_REVEALED = "customer.bvn_revealed", "revealed the BVN of"
    CUSTOMERS_IMPORTED = "customers.imported", "imported a file of customers into"
    MANAGER_ASSIGNED = "account_manager.assigned", "gave an account manager to"
    MANAGER_REMOVED = "account_manager.removed", "removed the account manager of"
    EMAIL_SENT_AGAIN = "email.sent_again", "sent again the e-mail"
    BORROWER_SIGNED_IN = "borrower.signed_in", "opened the borrower's page of"
    ACCESS_REFUSED = "access.refused", "was refused a page or an action of"
