"""What is measured: pages of the biggest lender, each against its floor, its budget and its peers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from accounts.models import Organization
from accounts.pagination import paginate
from customers.filters import DEFAULT_SORT, ORDERS
from customers.models import Customer
from customers.text import SearchTerm
from lendconsole.tenancy import organization_context
from teams.models import Member
from tools.bench import growth, peers
from tools.bench.dataset import BIGGEST, DOMAIN
from tools.bench.jobs import Jobs
from tools.bench.measuring import Statement, bare, median_ms, page, replay, scanned_tables, signed_in, statements_of
from tools.bench.results import Result

TIMES: Final = 15
SLOW_TIMES: Final = 3
LIST_WANTED: Final = {"stock Django admin": 30, "scoped Django admin": 6}
SEARCH_WANTED: Final = {"stock Django admin": 20, "scoped Django admin": 10}
# The search that everybody would write first, as the owner of the tables: no policy, the planner's own choice.
_REFERENCE: Final = """
SELECT customer.*, office.name, manager.email FROM customers_customer customer
JOIN teams_office office ON office.id = customer.office_id
LEFT JOIN teams_member member ON member.id = customer.account_manager_id
LEFT JOIN accounts_user manager ON manager.id = member.user_id
WHERE customer.organization_id = %s AND {conditions} ORDER BY customer.name_key, customer.id LIMIT 51
"""


class Bench:
    def __init__(self) -> None:
        self.organization = Organization.objects.get(slug=BIGGEST)
        self.clients = {
            role: signed_in(f"{login}@{BIGGEST}.{DOMAIN}")
            for role, login in {
                "admin": "admin", "support": "customer_support", "manager": "manager0",
                "area head": "area_head", "branch head": "branch_head",
            }.items()
        }  # fmt: skip
        with organization_context(self.organization.pk):
            self.manager = Member.objects.select_related("user").get(user__email=f"manager0@{BIGGEST}.{DOMAIN}")
            self.customer = Customer.objects.filter(account_manager=self.manager).earliest("pk")

    def results(self) -> Iterator[Result]:
        yield self._list("list", "admin", "")
        yield self._growth()
        for name, (role, query) in {
            "list, far down": ("admin", f"?after={self._far_down()}"),
            "list of a role with cards": ("support", ""),
            "filtered list": ("admin", "?status=inactive"),
            "list of office mismatches": ("admin", "?attention=mismatch"),
            "list of managers not working": ("admin", "?account_manager=not_working"),
            "list by date joined": ("admin", "?sort=-joined"),
            "list of half the offices": ("area head", ""),
            "list of one office": ("branch head", ""),
        }.items():
            yield self._list(name, role, query, with_peers=False)
        yield self._own()
        for name, text in {
            "search: rare name": "okafor-ha",
            "search: common name": "ibrahim",
            "search: last of the alphabet": "zainab",
            "search: inner part": "afo",
            "search: two letters": "ok",
            "search: phone": "0803012345",
            "search: last four digits": "2345",
            "search: whole e-mail": "c123@mail.example",
            "search: nobody": "qqzzxx",
        }.items():
            yield self._search(name, text)
        yield self._page("search: rare name, role with cards", "8x", "support", "customers/?q=okafor-ha")
        yield self._page("search: common name, role with cards", "8x", "support", "customers/?q=ibrahim")
        yield self._page("search: common name, half the offices", "8x", "area head", "customers/?q=ibrahim")
        yield self._page("search: common name, one office", "8x", "branch head", "customers/?q=ibrahim")
        yield self._page("profile", "10x", "admin", f"customers/{self.customer.pk}/")
        yield self._page("dashboard and workload", "60 ms", "admin", "")
        yield self._page("access lens", "60 ms", "admin", f"customers/{self.customer.pk}/access/")
        yield from Jobs().results()

    def _page(self, name: str, budget: str, role: str, path: str) -> Result:
        get = page(self.clients[role], self._url(path))
        statements = statements_of(get)
        return Result(
            name,
            budget,
            median_ms(get, TIMES),
            _floor(statements),
            {},
            len(statements),
            sorted(scanned_tables(statements)),
        )

    def _list(self, name: str, role: str, query: str, *, with_peers: bool = True) -> Result:
        result = self._page(name, "8x", role, f"customers/{query}")
        if with_peers:
            result.peers, result.wanted = self._admins(query), LIST_WANTED
        return result

    def _growth(self) -> Result:
        """The floor is the same page with few customers."""
        get = page(self.clients["admin"], self._url("customers/"))
        name = f"list, against {growth.SCALE:,} customers in all"
        return Result(name, "1.3x", median_ms(get, TIMES), growth.small_page_ms())

    def _far_down(self) -> str:
        """Where the page begins that follows the first fifty from the middle of the alphabet on."""
        with organization_context(self.organization.pk):
            rows = Customer.objects.for_organization(self.organization).filter(name_key__gte="m")
            return paginate(rows, order=ORDERS[DEFAULT_SORT]).after

    def _own(self) -> Result:
        result = self._page("own customers", "8x", "manager", "customers/")
        with organization_context(self.organization.pk):
            result.peers = {
                "guardian get_objects_for_user": median_ms(lambda: peers.guardian_list(self.manager), TIMES),
                "guardian has_perm per row": median_ms(lambda: peers.guardian_rows(self.manager), SLOW_TIMES),
            }
        return result

    def _search(self, name: str, text: str) -> Result:
        result = self._page(name, "5x, 60 ms", "admin", f"customers/?q={text}")
        result.floor_ms = self._reference_floor(text)
        result.peers, result.wanted = self._admins(f"?q={text}"), SEARCH_WANTED
        return result

    def _reference_floor(self, text: str) -> float:
        term = SearchTerm.parse(text, self.organization.phone_region)
        patterns = term.patterns if term else []
        conditions = " AND ".join(["customer.search LIKE %s"] * len(patterns))
        statement = (_REFERENCE.format(conditions=conditions), [self.organization.pk, *patterns])
        return _floor([statement], login="owner")

    def _admins(self, query: str) -> dict[str, float]:
        client = self.clients["admin"]
        organization = str(self.organization.pk)
        return {
            f"{name} Django admin": median_ms(
                page(client, f"/peers/{path}/customers/customer/{query}", Organization=organization), SLOW_TIMES
            )
            for name, path in {"stock": "stock", "scoped": "indexed"}.items()
        }

    def _url(self, path: str) -> str:
        return f"/o/{BIGGEST}/{path}"


def _floor(statements: list[Statement], login: str = "default") -> float:
    with bare(login) as server:
        run: Callable[[], None] = replay(server, statements)
        return median_ms(run, TIMES)
