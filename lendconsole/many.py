"""What statements over thousands of rows need."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import connection
from django.db.models import BooleanField, F, Func, Value


class AnyOf(Func):
    """`filter(AnyOf("pk", ids))` is `filter(pk__in=ids)` with one parameter: a placeholder for each costs more than the rows."""

    template = "(%(expressions)s))"
    arg_joiner = " = ANY ("
    output_field = BooleanField()

    def __init__(self, field: str, values: Iterable[int] | Iterable[str]) -> None:
        super().__init__(F(field), Value(as_array(values)))


def as_array(values: Iterable[int | None] | Iterable[str]) -> str:
    """As PostgreSQL writes an array. Of a list psycopg asks each element how to write it, which takes several times as long."""
    return f"{{{','.join(map(_element, values))}}}"


def _element(value: int | str | None) -> str:
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return "NULL" if value is None else str(value)


def work_in_memory() -> None:
    """For the rest of the transaction: sorts do not go through files, and the trigram index takes rows in fewer passes."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL work_mem = '64MB'")
