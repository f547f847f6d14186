"""What others would use: Django's admin as it comes, the same with scope and indexed order, and guardian's shortcuts."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from guardian.shortcuts import get_objects_for_user

from customers.models import Customer
from teams.models import Member

ROWS = 50


class OpenSite(admin.AdminSite):
    """Lets everybody in: what is measured is the list, not the guard before it."""

    def has_permission(self, request: HttpRequest) -> bool:
        return True


class CustomerAdmin(admin.ModelAdmin):
    list_display = ("number", "first_name", "last_name", "phone", "office", "account_manager", "status", "joined_on")
    list_filter: ClassVar[tuple[str, ...]] = ("status", "segment")
    list_per_page = ROWS
    list_select_related = ("office", "account_manager__user")
    search_fields = ("first_name", "last_name", "email", "phone", "number")
    ordering = ("first_name", "last_name")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Customer]:
        """As the owner of the tables: the admin knows nothing of organizations, so their policies would hide every row."""
        return super().get_queryset(request).using("owner")

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return True

    has_change_permission = has_delete_permission = has_view_permission

    def has_add_permission(self, request: HttpRequest) -> bool:
        return True

    def has_module_permission(self, request: HttpRequest) -> bool:
        return True


class IndexedCustomerAdmin(CustomerAdmin):
    """What somebody who knows the table would do about it: one organization and an indexed order."""

    ordering = ("name_key", "id")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Customer]:
        return super().get_queryset(request).filter(organization=int(request.headers["Organization"]))


def _site(name: str, model_admin: type[admin.ModelAdmin]) -> OpenSite:
    site = OpenSite(name=name)
    site.register(Customer, model_admin)
    return site


stock = _site("stock", CustomerAdmin)
indexed = _site("indexed", IndexedCustomerAdmin)


def guardian_list(member: Member) -> list[Customer]:
    """The first page of one's own customers by guardian's shortcut as it is shipped."""
    own = get_objects_for_user(member.user, "customers.manage_customer", Customer)
    return list(own.order_by("name_key", "id")[:ROWS])


def guardian_rows(member: Member) -> list[bool]:
    """Asking for each row of a page whether it is one's own."""
    rows = Customer.objects.filter(account_manager=member).order_by("name_key", "id")[:ROWS]
    return [member.user.has_perm("customers.manage_customer", row) for row in rows]
