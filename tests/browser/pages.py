"""Every page of the program, by the name of its address. A page without an entry here fails tests/browser/test_pages.py."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver, reverse

from tests.browser.site import Site


@dataclass(frozen=True)
class At:
    """An address of this name: its arguments (after the organization), its query, and how it is answered."""

    args: tuple[Any, ...] = ()
    query: str = ""
    status: int = 200


Places = Callable[[Site], list[At]]
Pages = Mapping[str, Places]


def _plain(site: Site) -> list[At]:
    return [At()]


def _customer(site: Site) -> list[At]:
    return [At((site.lender.customers["free"].pk,))]


def _two_customers(site: Site) -> list[At]:
    """With an account manager and without."""
    return [At((site.lender.customers[name].pk,)) for name in ("own", "remote")]


def _full_and_empty(site: Site) -> list[At]:
    """The customer with papers and one without."""
    return [At((site.lender.customers[name].pk,)) for name in ("free", "remote")]


def _invitation(site: Site) -> list[At]:
    return [At((site.invitation.pk,))]


def _member(*names: str) -> Places:
    return lambda site: [At((site.lender[name].pk,)) for name in names]


def _several_members(site: Site) -> At:
    numbers = [site.lender[name].pk for name in ("loan_officer", "customer_support")]
    return At(query="?" + "&".join(f"member={number}" for number in numbers))


def _ticked(site: Site) -> At:
    return At(query="?" + "&".join(f"customer={site.lender.customers[name].pk}" for name in ("own", "free")))


def _own_role(site: Site, query: str = "") -> list[At]:
    """The one that the lender made itself."""
    return [At((site.lender.roles["no_users_unit"].pk,), query)]


def _wider_role(site: Site) -> list[At]:
    """With what a wider reach would do to those who hold it."""
    return _own_role(site, "?customers_find=organization&customers_view=office&members_view=none")


OF_AN_ADMIN: Pages = {
    "dashboard": _plain,
    "customers:customer_list": lambda site: [
        At(),
        At(query="?q=nobody+of+this+name&status=active"),
        At(query=f"?office={site.lender.branch.pk}&account_manager=nobody&sort=-joined"),
        At(query="?q=ada&attention=needed&sort=status"),
    ],
    "customers:customer_export": lambda site: [At(), At(query="?q=o&status=active&segment=nonsense")],
    "customers:customer_exports": _plain,
    "customers:customer_export_progress": lambda site: [At((pk,)) for pk in site.exports],
    "customers:customer_import": _plain,
    "customers:customer_import_columns": lambda site: [At((site.imports["draft"],))],
    "customers:customer_import_progress": lambda site: [At((pk,)) for pk in site.imports.values()],
    "customers:customer_import_places": lambda site: [At((site.imports["checked"],))],
    "customers:customer_import_start": lambda site: [At((site.imports["checked"],))],
    "customers:customer_import_undo": lambda site: [At((site.imports["done"],))],
    "customers:customer_bulk_assign": lambda site: [At(), At(query="?all=1"), At(query="?all=1&list=q%3Dnobody")],
    "customers:customer_bulk_remove": lambda site: [At(), _ticked(site)],
    "customers:customer_bulk_status": lambda site: [_ticked(site)],
    "customers:customer_bulk_progress": lambda site: [At((pk,)) for pk in site.bulk_changes],
    "customers:customer_bulk_undo": lambda site: [At((site.bulk_changes[-2],))],
    "customers:customer_view_save": lambda site: [At(query="?list=status%3Dactive")],
    "customers:customer_view_edit": lambda site: [At((site.saved_view,))],
    "customers:customer_view_delete": lambda site: [At((site.saved_view,))],
    "customers:customer_create": _plain,
    "customers:customer_profile": lambda site: [*_customer(site), *_two_customers(site)],
    "customers:customer_activity": _customer,
    "customers:customer_documents": _full_and_empty,
    "customers:document_upload": _customer,
    "customers:document_list": _plain,
    "customers:document_review": lambda site: [At((site.documents[0],))],
    "customers:document_remove": lambda site: [At((site.documents[0],))],
    "customers:related_person_create": lambda site: [At((site.lender.customers["free"].pk,), "?kind=guarantor")],
    "customers:related_person_edit": lambda site: [At((site.guarantor,))],
    "customers:related_person_remove": lambda site: [At((site.guarantor,))],
    "customers:customer_notes": _full_and_empty,
    "customers:note_create": _customer,
    "customers:follow_up_list": _plain,
    "customers:note_edit": lambda site: [At((site.note,))],
    "customers:note_delete": lambda site: [At((site.note,))],
    "customers:customer_access": lambda site: [
        *_two_customers(site),
        *(
            At((site.lender.customers["own"].pk,), query)
            for query in ("?show=nobody", "?q=o", "?q=nobody+of+this+name")
        ),
    ],
    "customers:access_request_list": _plain,
    "customers:access_request_grant": lambda site: [At((site.request,))],
    "customers:access_request_decline": lambda site: [At((site.request,))],
    "customers:emergency_access": lambda site: [At((site.lender.customers["own"].pk,))],
    "customers:emergency_list": lambda site: [At(), At(query="?show=open")],
    "customers:impostor_report_list": lambda site: [At(), At(query="?show=all")],
    "customers:impostor_report_close": lambda site: [At((site.report,))],
    "customers:customer_data": lambda site: [*_customer(site), *_two_customers(site)],
    "customers:customer_hold": _customer,
    "customers:customer_erase": lambda site: [*_customer(site), *_two_customers(site)],
    "customers:customer_delete": _two_customers,
    "customers:customer_edit": _customer,
    "customers:customer_status": _customer,
    "customers:account_manager_assign": _two_customers,
    "customers:account_manager_remove": lambda site: _two_customers(site)[:1],
    "customers:member_cover": _member("account_manager", "super_admin"),
    "customers:cover_end": lambda site: [At((site.cover,))],
    "customers:member_deactivate": _member("account_manager", "loan_officer"),
    "customers:member_remove": _member("account_manager", "loan_officer"),
    "customers:role_edit": lambda site: [*_own_role(site), *_wider_role(site)],
    "customers:role_delete": lambda site: [
        *_own_role(site, f"?replacement={site.lender.roles['loan_officer'].pk}"),
        At((site.unused_role,)),
    ],
    "teams:member_list": lambda site: [
        At(),
        At(query="?status=invited&state=all"),
        At(query="?status=deactivated"),
        At(query="?q=zzz&second_factor=off&last_seen=week&sort=-seen"),
    ],
    "teams:member_invite": _plain,
    "teams:members_invite": _plain,
    "teams:members_invited": lambda site: [At((site.invited_together,))],
    "teams:members_change": lambda site: [At(), _several_members(site)],
    "teams:member_manage": _member("loan_officer", "account_manager"),
    "teams:member_profile": _member("super_admin", "account_manager", "admin", "deactivated"),
    "teams:member_sessions": _member("loan_officer"),
    "teams:member_reactivate": _member("deactivated"),
    "teams:membership": _plain,
    "teams:membership_leave": _plain,
    "teams:invitation_change": _invitation,
    "teams:invitation_resend": _invitation,
    "teams:invitation_revoke": _invitation,
    "teams:office_list": lambda site: [
        At(),
        At(query="?q=o"),
        At(query="?q=nobody+of+this+name"),
        At(query="?fold=closed"),
        At(query="?state=deactivated"),
    ],
    "teams:office_create": _plain,
    "teams:office_edit": lambda site: [At((site.lender.branch.pk,)), At((site.closed_office,))],
    "teams:role_list": lambda site: [At(), At(query="?show=table")],
    "teams:role_create": _plain,
    "teams:role_holders": lambda site: [At(), At(query="?permission=members.invite")],
    "teams:role_detail": lambda site: [*_own_role(site), *_own_role(site, f"?with={site.lender.roles['admin'].pk}")],
    "teams:role_clone": lambda site: [At((site.lender.roles["account_manager"].pk,))],
    "teams:office_reactivate": lambda site: [At((site.closed_office,))],
    "customers:office_move": lambda site: [
        At((site.lender.branch.pk,)),
        At((site.lender.branch.pk,), query=f"?parent={site.lender.other_branch.pk}"),
        At((site.closed_office,)),
    ],
    "customers:office_deactivate": lambda site: [
        At((site.lender.branch.pk,)),
        At(
            (site.lender.other_branch.pk,),
            query=f"?members={site.lender.head.pk}&customers={site.lender.branch.pk}&offices={site.lender.head.pk}",
        ),
        At((site.lender.head.pk,)),
        At((site.closed_office,)),
    ],
    "customers:office_merge": lambda site: [
        At((site.lender.branch.pk,), query=f"?into={site.lender.other_branch.pk}"),
        At((site.lender.head.pk,)),
    ],
    "teams:membership_emails": _plain,
    "customers:organization_settings": _plain,
    "customers:organization_exclusiveness": _plain,
    "teams:organization_logo": _plain,
    "teams:security": _plain,
    "audit:event_list": lambda site: [At(), At(query="?q=nobody+of+this+name")],
    "notifications:email_list": lambda site: [At(), At(query="?state=failed")],
}
# What looks different for somebody who may do less, and what is refused.
OF_SUPPORT: Pages = {
    "dashboard": _plain,
    "customers:customer_list": lambda site: [At(), At(query="?q=0803")],
    "customers:customer_profile": lambda site: [*_two_customers(site), At((0,), status=404)],
    "customers:access_request": lambda site: [At((site.lender.customers["own"].pk,))],
    "customers:access_request_list": _plain,
    "teams:member_list": lambda site: [At(status=403)],
    "teams:membership": _plain,
}
OF_EVERYBODY: Pages = {
    "account_login": lambda site: [At(), At(query="?next=/")],
    "account_inactive": _plain,
    "account_signup": _plain,
    "account_reset_password": _plain,
    "account_reset_password_done": _plain,
    "account_reset_password_from_key": lambda site: [At(("1", "bogus"))],
    "teams_public:invitation": lambda site: [At((site.lender.organization.slug,), status=404)],
    "customers_public:borrower_sign_in": lambda site: [
        At((site.lender.organization.slug,)),
    ],
    "customers_public:borrower_check": lambda site: [At((site.lender.organization.slug,))],
    "customers_public:borrower_report": lambda site: [
        At((site.lender.organization.slug,)),
        At((site.lender.organization.slug,), query="?sent"),
    ],
    "customers_public:borrower_link": lambda site: [At((site.lender.organization.slug, "bogus"), status=410)],
}
OF_ONESELF: Pages = {
    "accounts:confirmed": _plain,
    "accounts:email_change": _plain,
    "accounts:email_confirm": lambda site: [At(("bogus",), status=410)],
    "accounts:profile": _plain,
    "accounts:organizations": _plain,
    "account_change_password": _plain,
    "account_logout": _plain,
    "account_reauthenticate": _plain,
    "usersessions_list": _plain,
    "mfa_index": _plain,
    "mfa_activate_totp": _plain,
    "mfa_add_webauthn": _plain,
}
# Once there are second factors.
OF_ONESELF_SECURED: Pages = {
    "mfa_index": _plain,
    "mfa_deactivate_totp": _plain,
    "mfa_view_recovery_codes": _plain,
    "mfa_generate_recovery_codes": _plain,
    "mfa_reauthenticate": _plain,
    "mfa_reauthenticate_webauthn": _plain,
}
# Looked at on the way, where the tests of test_pages.py come by: they need a state or an id that these make.
ON_THE_WAY = {
    "customers:customer_bvn",
    "customers_public:borrower_code",
    "customers_public:borrower_page",
    "teams_public:invitation_link",
    "mfa_authenticate",
    "mfa_edit_webauthn",
    "mfa_remove_webauthn",
}
# Answers that are no pages: redirections, files, and what only takes posts.
NO_PAGES = {
    "home",
    "health",
    "accounts:organization_logo",
    "accounts:session_end",
    "account_set_password",
    "customers:customer_data_file",
    "customers:customer_columns",
    "customers:customer_export_file",
    "customers:document_file",
    "customers:note_done",
    "customers:note_file",
    "customers:note_pin",
    "customers_public:borrower_check_link",
    "customers:customer_import_discard",
    "customers:customer_import_refusals",
    "customers_public:borrower_sign_out",
    "mfa_download_recovery_codes",
    "mfa_list_webauthn",
    "mfa_login_webauthn",
    "notifications:email_send_again",
    "customers:emergency_review",
    "teams:member_export",
    "teams_public:invitation_ask",
    "teams:organization_logo_remove",
    "teams_public:invitation_sign_out",
    # On development machines alone; their own tests look at them.
    "dev_mailbox",
    "dev_mailbox_html",
}
ALL: tuple[Pages, ...] = (OF_AN_ADMIN, OF_SUPPORT, OF_EVERYBODY, OF_ONESELF, OF_ONESELF_SECURED)


def names(resolver: URLResolver | None = None, namespace: str = "") -> Iterator[str]:
    """Of all addresses of the program."""
    for entry in (resolver or get_resolver()).url_patterns:
        if isinstance(entry, URLResolver):
            yield from names(entry, f"{namespace}{entry.namespace}:" if entry.namespace else namespace)
        elif isinstance(entry, URLPattern):
            yield f"{namespace}{entry.name}"


def addresses(pages: Pages, site: Site) -> Iterator[tuple[str, int]]:
    """The path and the status of each. Console pages get the organization as their first argument."""
    slug = site.lender.organization.slug
    for name, places in pages.items():
        in_console = name == "dashboard" or name.startswith(("customers:", "teams:", "audit:", "notifications:"))
        for place in places(site):
            args = (slug, *place.args) if in_console else place.args
            yield f"{reverse(name, args=args)}{place.query}", place.status
