"""The pages of roles and of the security policy."""

from __future__ import annotations

import pytest

from tests import factories
from tests.pages import statements, text
from tests.teams.support import fresh, inside
from tests.world import World


class TestRolesAndSecurity:
    def test_the_table_says_what_each_role_may_do(self, world: World) -> None:
        kudi = world.kudi
        response = kudi.client("compliance").get(kudi.url("settings/roles/?show=table"))
        page = text(response)
        for words in ("Users", "Open full profiles", "Own", "Organization", "Yes", "No"):
            assert words in page, words
        assert "T-2" not in page
        [view] = [
            line for unit in response.context["units"] for line in unit.lines if line.capability == "customers.view"
        ]
        shown = {cell.role.built_in or "custom": cell.word for cell in view.cells}
        assert shown == {
            "super_admin": "Organization",
            "admin": "Organization",
            "account_manager": "Own",
            "loan_officer": "Office",
            "customer_support": "Organization",
            "compliance": "Organization",
            "custom": "None",
        }

    @pytest.mark.parametrize("query", ["", "?show=table"])
    def test_roles_cost_the_same_for_few_and_for_many(self, world: World, query: str) -> None:
        kudi = world.kudi
        client, url = kudi.client("admin"), kudi.url(f"settings/roles/{query}")
        client.get(url)
        few = len(statements(client, url))
        with inside(kudi):
            for _ in range(20):
                factories.RoleFactory(organization=kudi.organization, reaches={"customers.view": "own"})
        assert len(statements(client, url)) == few
        assert few <= 8

    def test_the_security_policy(self, world: World) -> None:
        kudi = world.kudi
        client, url = kudi.client("super_admin"), kudi.url("settings/security/")
        page = text(client.get(url))
        assert "Every member needs a second factor" in page
        assert kudi["compliance"].name in page
        assert kudi.client("admin").get(url).status_code == 403
        response = client.post(
            url,
            {
                "requires_second_factor": "on",
                "grace_days": "0",
                "session_idle_minutes": "30",
                "session_hours": "12",
                "version": "1",
            },
        )
        assert response.status_code == 302
        assert fresh(kudi.organization).requires_second_factor
        assert client.get(url).status_code == 302  # to setting up one's own
