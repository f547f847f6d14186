"""What can be done to a team: one function per verb, the actor first."""

from teams.services.admission import accept_invitation
from teams.services.invitations import change_invitation, invite_member, resend_invitation, revoke_invitation
from teams.services.many_invitations import check_invitations, invite_members
from teams.services.many_members import change_members, check_members
from teams.services.members import (
    change_member,
    choose_own_emails,
    deactivate_member,
    end_member_sessions,
    export_members,
    leave_organization,
    reactivate_member,
    remove_member,
)
from teams.services.offices import change_office, create_office, move_office, reactivate_office
from teams.services.organizations import (
    create_organization,
    resume_organization,
    suspend_organization,
    sync_built_in_roles,
)
from teams.services.renewals import ask_for_invitation
from teams.services.roles import change_role_permissions, clone_role, create_role, delete_role
from teams.services.security import change_security_policy
from teams.services.settings import OrganizationFacts, change_organization, remove_logo, set_logo

__all__ = [
    "OrganizationFacts",
    "accept_invitation",
    "ask_for_invitation",
    "change_invitation",
    "change_member",
    "change_members",
    "change_office",
    "change_organization",
    "change_role_permissions",
    "change_security_policy",
    "check_invitations",
    "check_members",
    "choose_own_emails",
    "clone_role",
    "create_office",
    "create_organization",
    "create_role",
    "deactivate_member",
    "delete_role",
    "end_member_sessions",
    "export_members",
    "invite_member",
    "invite_members",
    "leave_organization",
    "move_office",
    "reactivate_member",
    "reactivate_office",
    "remove_logo",
    "remove_member",
    "resend_invitation",
    "resume_organization",
    "revoke_invitation",
    "set_logo",
    "suspend_organization",
    "sync_built_in_roles",
]
