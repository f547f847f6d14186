"""The log refuses change to everyone: to the program's login for want of rights, to the owner of the table by its trigger."""

from __future__ import annotations

import pytest
from django.db import DatabaseError, connection, transaction

from lendconsole.tenancy import as_owner

CHANGES = ["UPDATE audit_auditevent SET verb = 'x'", "DELETE FROM audit_auditevent", "TRUNCATE audit_auditevent"]


@pytest.mark.django_db
@pytest.mark.parametrize("change", CHANGES)
def test_the_program_has_no_right_to_change_the_log(change: str) -> None:
    with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(change)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("change", CHANGES)
def test_the_owner_of_the_table_is_refused_too(change: str) -> None:
    with as_owner() as owner, pytest.raises(DatabaseError, match="append-only"), owner.cursor() as cursor:
        cursor.execute(change)
