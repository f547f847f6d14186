from __future__ import annotations

import pytest
from django.db import connection

from accounts.models import Organization
from lendconsole.many import AnyOf, as_array
from tests.world import World


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("type_", "values"),
    [
        ("bigint[]", []),
        ("bigint[]", [2**40, None, -7]),
        ("text[]", ["customer:7:account_manager", "", "NULL", '"', "\\", '\\"', "a, {b}", "two\nlines", "Adéọlá"]),
    ],
)
def test_an_array_arrives_as_it_was(type_: str, values: list[int | None] | list[str]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT %s::{type_}", [as_array(values)])
        assert cursor.fetchone()[0] == values


def test_any_of_finds_those_alone(world: World) -> None:
    kudi, rival = world.kudi.organization, world.rival.organization
    assert Organization.objects.get(AnyOf("pk", [kudi.pk, 0])) == kudi
    assert Organization.objects.get(AnyOf("slug", [rival.slug, "no one's"])) == rival
    assert not Organization.objects.filter(AnyOf("pk", [])).exists()
