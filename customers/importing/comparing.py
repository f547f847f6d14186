"""The rows of a file compared with each other and with the customers who are there, all of them at once.

What a person reads about other customers depends on whom they may see: `Scope`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Self

from django.core.exceptions import EmptyResultSet
from psycopg import sql

from accounts.models import Organization
from customers.importing.checking import GIVEN
from customers.importing.directory import Directory
from customers.importing.stage import PLAIN, format_, run
from customers.models import Customer
from customers.querysets import CustomerQuerySet
from teams.capabilities import Capability
from teams.models import Member

# What makes two rows the same borrower: column of the stage, how it is compared, how people call it.
UNIQUE: Final = (
    ("number", "lower({})", "customer number"),
    ("email", "{}", "e-mail address"),
    ("phone", "{}", "phone number"),
)
NOT_CHANGED: Final = {"status": "status", "account_manager_id": "account manager"}
"""Of somebody who is there already: to change these asks for a reason and tells people."""
_DIFFERS: Final = "CASE WHEN row.given & {2} <> 0 AND customer.{0} IS DISTINCT FROM row.{0} THEN {1} END"
# The encrypted form differs each time and a shared BVN has no fingerprint; see remark_shared_bvn.
_BVN_DIFFERS: Final = (
    "CASE WHEN row.given & {0} <> 0 AND (customer.bvn_last_digits <> row.bvn_last_digits"
    " OR (customer.bvn_fingerprint <> row.bvn_fingerprint AND customer.bvn_fingerprint <> '')) THEN 'bvn' END"
)


@dataclass(frozen=True, slots=True)
class Condition:
    """SQL over a row of `customer`, with its parameters."""

    text: sql.SQL
    parameters: list[Any]

    @classmethod
    def among(cls, customers: CustomerQuerySet) -> Self:
        try:
            text, parameters = customers.order_by().values("pk").query.sql_with_params()
        except EmptyResultSet:
            return cls(sql.SQL("false"), [])
        return cls(sql.SQL(f"customer.id IN ({text})"), list(parameters))


@dataclass(frozen=True, slots=True)
class Scope:
    """Which customers a report may name, and which it may compare a row with and change."""

    named: Condition
    changed: Condition

    @classmethod
    def of(cls, actor: Member | None) -> Self:
        """`actor` None is an operator, who may read everything."""
        if actor is None:
            everybody = Condition(sql.SQL("true"), [])
            return cls(everybody, everybody)
        return cls(*(Condition.among(_permitted(actor, each)) for each in (_VIEW, _EDIT)))


_VIEW, _EDIT = Capability.CUSTOMERS_VIEW, Capability.CUSTOMERS_EDIT


def _permitted(actor: Member, capability: Capability) -> CustomerQuerySet:
    found: CustomerQuerySet = Customer.objects.permitted(actor, capability)
    return found.filter(erased_at=None) if capability == _EDIT else found


def refuse_repeated() -> None:
    """A value that belongs to one borrower alone, twice in the file: the later row is refused and names the earlier one."""
    for column, form, label in UNIQUE:
        run(
            "UPDATE {stage} AS row SET repeated = row.repeated || {column}::text,"
            " reasons = row.reasons || format('Line %%s has the same {label}.', earlier.line)"
            " FROM (SELECT {key} AS value, min(line) AS line FROM {stage} WHERE {name} <> ''"
            " GROUP BY 1 HAVING count(*) > 1) AS earlier WHERE {key} = earlier.value AND earlier.line < row.line",
            column=sql.Literal(column),
            name=sql.Identifier(column),
            key=sql.SQL(form).format(sql.Identifier(column)),
            label=sql.SQL(label),
        )


def lock_existing(organization: Organization) -> None:
    """Nobody else changes them between the comparison and the change."""
    run(
        "SELECT customer.id FROM {customers} AS customer WHERE customer.organization_id = %s"
        " AND lower(customer.number) IN (SELECT lower(number) FROM {stage} WHERE {is_good})"
        " ORDER BY customer.id FOR NO KEY UPDATE",
        [organization.pk],
    )


def find_alike(organization: Organization) -> None:
    """Keep those who share with a row what belongs to one borrower alone: the customers are read once for all that follows.

    Every IN becomes a table in memory; work_in_memory leaves room for the longest file.
    """
    same = (
        format_(
            "{key} IN (SELECT {key} FROM {stage} WHERE {name} <> '')",
            key=sql.SQL(form).format(sql.Identifier(name)),
            name=sql.Identifier(name),
        )
        for name, form, _label in (*UNIQUE, ("bvn_fingerprint", "{}", "BVN"))
    )
    run("DROP TABLE IF EXISTS pg_temp.{alike}")
    run(
        "CREATE TEMPORARY TABLE {alike} ON COMMIT DROP AS SELECT id, {copied} FROM {customers}"
        " WHERE organization_id = %s AND ({same})",
        [organization.pk],
        same=sql.SQL(" OR ").join(same),
    )


def recognize_existing(scope: Scope) -> None:
    """Mark the good rows whose number is taken, and in what they differ from the customer who has it.

    What a row is silent about is no difference.
    """
    plain = (
        sql.SQL(_DIFFERS).format(sql.Identifier(name), sql.Literal(name), sql.Literal(GIVEN[name]))
        for name in PLAIN[1:]
    )
    differences = sql.SQL(", ").join([*plain, sql.SQL(_BVN_DIFFERS).format(sql.Literal(GIVEN["bvn"]))])
    run(
        "UPDATE {stage} AS row SET is_there = true, customer_id = customer.id, differences = CASE WHEN {changed}"
        " THEN array_remove(ARRAY[{differences}]::text[], NULL) ELSE '{{}}' END"
        " FROM {alike} AS customer WHERE {is_good} AND lower(customer.number) = lower(row.number)",
        scope.changed.parameters,
        differences=differences,
        changed=scope.changed.text,
    )


def prepare_updates(organization: Organization, scope: Scope) -> None:
    """Refuse to change whom the actor may not change, and leave alone what an import does not change of anybody."""
    run(
        "UPDATE {stage} AS row SET reasons = row.reasons || 'You cannot change the customer with this number.'::text"
        " FROM {customers} AS customer WHERE customer.organization_id = %s AND customer.id = row.customer_id"
        " AND NOT {changed}",
        [organization.pk, *scope.changed.parameters],
        changed=scope.changed.text,
    )
    for column, label in NOT_CHANGED.items():
        run(
            "UPDATE {stage} SET differences = array_remove(differences, {column}),"
            " remarks = remarks || 'The {label} is left as it is.'::text WHERE {column} = ANY (differences) AND {is_good}",
            column=sql.Literal(column),
            label=sql.SQL(label),
        )
    run("UPDATE {stage} SET reasons = lacking || reasons WHERE NOT is_there AND lacking <> '{{}}'")


def refuse_offices(directory: Directory) -> None:
    """Those that the actor reaches for one thing and not for the other: new customers, or moving one."""
    run(
        "UPDATE {stage} AS row SET reasons = row.reasons || format('You cannot put this customer into %%s.', office.name)"
        " FROM {offices} AS office WHERE office.id = row.office_id AND ("
        " (NOT row.is_there AND NOT row.office_id = ANY (%s))"
        " OR ('office_id' = ANY (row.differences) AND NOT row.office_id = ANY (%s)))",
        [sorted(directory.for_new), sorted(directory.for_changed)],
    )


def refuse_taken(scope: Scope, *, updates: bool) -> None:
    """A phone number or an e-mail address that another customer already has."""
    for column, _form, label in UNIQUE[1:]:
        run(
            "UPDATE {stage} AS row SET reasons = row.reasons || format('%%s has the same {label} already.', {holder})"
            " FROM {alike} AS customer WHERE customer.{name} = row.{name}"
            " AND row.{name} <> '' AND ({updates} OR NOT row.is_there) AND NOT {column} = ANY (row.repeated)"
            " AND lower(customer.number) IS DISTINCT FROM lower(row.number)",
            scope.named.parameters,
            column=sql.Literal(column),
            name=sql.Identifier(column),
            label=sql.SQL(label),
            holder=_holder(scope),
            updates=sql.Literal(updates),
        )


def remark_shared_bvn(scope: Scope, *, updates: bool) -> None:
    """A BVN that two borrowers claim: which of them is wrong, only people can find out.

    The later one is loaded with the number as it stands in the file and reported. The fingerprint, which belongs to
    one customer alone, stays with the earlier one.
    """
    run(
        "UPDATE {stage} AS row SET bvn_fingerprint = '',"
        " remarks = row.remarks || format('Line %%s has the same BVN.', earlier.line)"
        " FROM (SELECT bvn_fingerprint AS value, min(line) AS line FROM {stage}"
        " WHERE {is_good} AND bvn_fingerprint <> '' GROUP BY 1 HAVING count(*) > 1) AS earlier"
        " WHERE {is_good} AND bvn_fingerprint = earlier.value AND earlier.line < row.line"
        " AND ({updates} OR NOT row.is_there)",
        updates=sql.Literal(updates),
    )
    run(
        "UPDATE {stage} AS row SET bvn_fingerprint = '',"
        " remarks = row.remarks || format('%%s has the same BVN already.', {holder})"
        " FROM {alike} AS customer WHERE row.bvn_fingerprint <> ''"
        " AND customer.bvn_fingerprint = row.bvn_fingerprint AND customer.id IS DISTINCT FROM row.customer_id"
        " AND ({updates} OR NOT row.is_there) AND {is_good}",
        scope.named.parameters,
        holder=_holder(scope),
        updates=sql.Literal(updates),
    )


def _holder(scope: Scope) -> sql.Composed:
    return sql.SQL("CASE WHEN {} THEN customer.number ELSE 'Another customer' END").format(scope.named.text)
