"""One organization at a time: the context, and the database walls that hold when the code forgets it.

Every table with an `organization_id` carries a row-level security policy on the transaction-local setting
`app.organization_id` (no setting: no rows) and composite foreign keys, so that a row can neither be read nor point
across organizations. The program runs as a restricted login; only migrations run as the owner (`as_owner`).
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any, ClassVar

from django.conf import settings
from django.db import connection, connections, models, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.backends.ddl_references import Statement, Table
from django.db.models.functions import Cast

ORGANIZATION_SETTING = "app.organization_id"
USER_SETTING = "app.user_id"
CURRENT_ORGANIZATION_SQL = f"NULLIF(current_setting('{ORGANIZATION_SETTING}', true), '')::bigint"
CURRENT_USER_SQL = f"NULLIF(current_setting('{USER_SETTING}', true), '')::bigint"

_current: ContextVar[int | None] = ContextVar("organization_id", default=None)


class OrganizationContextError(RuntimeError):
    """Code asked for an organization where there is none, or tried to enter a second one inside the first."""


def current_organization_id() -> int:
    """The organization of this request, task or command. Raises OrganizationContextError outside of one."""
    organization_id = _current.get()
    if organization_id is None:
        raise OrganizationContextError("No organization is set here.")
    return organization_id


def _apply(organization_id: int | None, user_id: int | None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT set_config(%s, %s, true), set_config(%s, %s, true)",
            [ORGANIZATION_SETTING, str(organization_id or ""), USER_SETTING, str(user_id or "")],
        )


@contextlib.contextmanager
def organization_context(organization_id: int, *, user_id: int | None = None) -> Iterator[None]:
    """One transaction inside one organization.

    The settings end with the transaction. Inside an outer one they are cleared by hand: a released savepoint would keep
    them, and the tenant would leak into the code that follows. Two organizations are never nested.
    """
    before = _current.get()
    is_inner = connection.in_atomic_block
    if before not in (None, organization_id):
        raise OrganizationContextError(f"Already inside organization {before}.")
    token = _current.set(organization_id)
    try:
        with transaction.atomic():
            if before is None:
                _apply(organization_id, user_id)
            yield
            if before is None and is_inner and not connection.needs_rollback:
                _apply(None, None)
    finally:
        _current.reset(token)


@contextlib.contextmanager
def context_of_found(organizations: models.QuerySet[Any], *, user_id: int) -> Iterator[Any]:
    """organization_context of the only row of the queryset, looked up and entered in one statement; None if there is none."""
    before, is_inner = _current.get(), connection.in_atomic_block
    entering = organizations.annotate(
        entered=_Setting(ORGANIZATION_SETTING, models.F("pk")), entered_by=_Setting(USER_SETTING, models.Value(user_id))
    )
    with transaction.atomic():
        organization = entering.first()
        found = organization.pk if organization else None
        if before not in (None, found):
            raise OrganizationContextError(f"Already inside organization {before}.")
        token = _current.set(found)
        try:
            yield organization
            if before is None and is_inner and not connection.needs_rollback:
                _apply(None, None)
        finally:
            _current.reset(token)


class _Setting(models.Func):
    """Sets a setting for the rest of the transaction."""

    function = "set_config"
    output_field = models.TextField()

    def __init__(self, name: str, value: models.expressions.Combinable) -> None:
        super().__init__(models.Value(name), Cast(value, models.TextField()), models.Value(True))


@contextlib.contextmanager
def user_context(user_id: int) -> Iterator[None]:
    """One transaction in which a login may read its own memberships of every organization, and nothing else."""
    with transaction.atomic():
        _apply(None, user_id)
        yield
        if not connection.needs_rollback:
            _apply(None, None)


@contextlib.contextmanager
def outside_organizations() -> Iterator[None]:
    """For rows of no organization (account mails), also from inside one; what was set comes back with the savepoint's end."""
    token = _current.set(None)
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT current_setting(%s, true)", [ORGANIZATION_SETTING])
            before = cursor.fetchone()[0] or ""
            cursor.execute("SELECT set_config(%s, '', true)", [ORGANIZATION_SETTING])
            yield
            cursor.execute("SELECT set_config(%s, %s, true)", [ORGANIZATION_SETTING, before])
    finally:
        _current.reset(token)


@contextlib.contextmanager
def as_owner(alias: str = "default") -> Iterator[BaseDatabaseWrapper]:
    """Swap the restricted login for the owner of the tables: migrations and test set-up only, never a request."""
    wrapper = connections[alias]
    before = {key: wrapper.settings_dict[key] for key in ("USER", "PASSWORD")}
    _disconnect(wrapper)
    wrapper.settings_dict.update({key: settings.DATABASE_OWNER[key] for key in before})
    try:
        yield wrapper
    finally:
        _disconnect(wrapper)
        wrapper.settings_dict.update(before)


def _disconnect(wrapper: BaseDatabaseWrapper) -> None:
    wrapper.close()
    if hasattr(wrapper, "close_pool"):
        wrapper.close_pool()


class CurrentOrganization(models.Func):
    """`db_default` that lets the database fill `organization_id`, also for rows that third-party code inserts in bulk."""

    template = CURRENT_ORGANIZATION_SQL
    arity = 0
    output_field = models.BigIntegerField()
    allowed_default = True


class _SchemaConstraint(models.BaseConstraint):
    """A constraint that the database alone checks. Subclasses give the two statements and the parts to fill in."""

    create_template: ClassVar[str]
    remove_template: ClassVar[str]

    def __init__(self, field: str, *, name: str) -> None:
        self.field = field
        super().__init__(name=name)

    def parts(self, model: type[models.Model], schema_editor: BaseDatabaseSchemaEditor) -> dict[str, Any]:
        """Besides %(table)s, %(name)s and %(column)s."""
        return {}

    # The stubs promise text where Django itself hands on statements, which follow a table that is renamed.
    def create_sql(  # type: ignore[override]
        self, model: type[models.Model], schema_editor: BaseDatabaseSchemaEditor
    ) -> Statement:
        return self._statement(self.create_template, model, schema_editor)

    def remove_sql(  # type: ignore[override]
        self, model: type[models.Model], schema_editor: BaseDatabaseSchemaEditor
    ) -> Statement:
        return self._statement(self.remove_template, model, schema_editor)

    def constraint_sql(  # type: ignore[override]
        self, model: type[models.Model], schema_editor: BaseDatabaseSchemaEditor
    ) -> str:
        schema_editor.deferred_sql.append(self.create_sql(model, schema_editor))
        return ""

    def validate(self, *args: Any, **kwargs: Any) -> None:
        return None

    def deconstruct(self) -> tuple[str, tuple[Any, ...], dict[str, Any]]:
        path, _, kwargs = super().deconstruct()
        return path, (self.field,), kwargs

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _SchemaConstraint) and self.deconstruct() == other.deconstruct()

    __hash__ = models.BaseConstraint.__hash__

    def _statement(
        self, template: str, model: type[models.Model], schema_editor: BaseDatabaseSchemaEditor
    ) -> Statement:
        quote = schema_editor.quote_name
        parts = {"column": quote(self._field(model).attname), **self.parts(model, schema_editor)}
        return Statement(template, table=Table(model._meta.db_table, quote), name=quote(self.name), **parts)

    def _field(self, model: type[models.Model]) -> models.ForeignKey[Any, Any]:
        field = model._meta.get_field(self.field)
        assert isinstance(field, models.ForeignKey)  # noqa: S101  # a slip of the developer's, seen at the first migration
        return field


class RowLevelSecurity(_SchemaConstraint):
    """Rows of the current organization only. `nullable`: rows of no organization, where none is current."""

    create_template = (
        "ALTER TABLE %(table)s ENABLE ROW LEVEL SECURITY; "
        "CREATE POLICY %(name)s ON %(table)s USING (%(test)s) WITH CHECK (%(test)s)"
    )
    remove_template = "DROP POLICY %(name)s ON %(table)s; ALTER TABLE %(table)s DISABLE ROW LEVEL SECURITY"

    def __init__(self, field: str, *, name: str, nullable: bool = False) -> None:
        self.nullable = nullable
        super().__init__(field, name=name)

    def deconstruct(self) -> tuple[str, tuple[Any, ...], dict[str, Any]]:
        path, args, kwargs = super().deconstruct()
        return path, args, {**kwargs, **({"nullable": True} if self.nullable else {})}

    def parts(self, model: type[models.Model], schema_editor: BaseDatabaseSchemaEditor) -> dict[str, Any]:
        column = schema_editor.quote_name(self._field(model).attname)
        operator = "IS NOT DISTINCT FROM" if self.nullable else "="
        return {"test": f"{column} {operator} {CURRENT_ORGANIZATION_SQL}"}


class OwnRowsReadable(_SchemaConstraint):
    """A login may read the rows that name it, in every organization (the chooser needs one's memberships)."""

    create_template = f"CREATE POLICY %(name)s ON %(table)s FOR SELECT USING (%(column)s = {CURRENT_USER_SQL})"
    remove_template = "DROP POLICY %(name)s ON %(table)s"


class SameOrganization(_SchemaConstraint):
    """Composite foreign key (organization_id, x_id): a row cannot point into another organization.

    Where rows are many, the field itself has `db_constraint=False`: its plain key would ask the same once more of each.
    """

    create_template = (
        "ALTER TABLE %(table)s ADD CONSTRAINT %(name)s FOREIGN KEY (organization_id, %(column)s) "
        "REFERENCES %(target)s (organization_id, id) DEFERRABLE INITIALLY DEFERRED"
    )
    remove_template = "ALTER TABLE %(table)s DROP CONSTRAINT %(name)s"

    def parts(self, model: type[models.Model], schema_editor: BaseDatabaseSchemaEditor) -> dict[str, Any]:
        target = self._field(model).related_model
        return {"target": Table(target._meta.db_table, schema_editor.quote_name)}


class TenantModel(models.Model):
    """Base of every row that belongs to one organization. Subclass `Meta(TenantModel.Meta)` and extend `constraints`."""

    # No index of its own: each table has some that begin with it, and on a table that was empty when it was last
    # vacuumed the planner would choose it for the composite keys' checks, reading the organization once for each row.
    organization = models.ForeignKey(
        "accounts.Organization", models.PROTECT, db_default=CurrentOrganization(), db_index=False, related_name="+"
    )

    class Meta:
        abstract = True
        constraints = [
            models.UniqueConstraint(fields=["organization", "id"], name="%(app_label)s_%(class)s_key"),
            RowLevelSecurity("organization", name="%(app_label)s_%(class)s_tenant"),
        ]


class TenantPart(TenantModel):
    """A row that always points at another one of its organization. Their composite key is what says that there is such
    an organization: rows are many, and a plain key would ask it once more of each.
    """

    organization = models.ForeignKey(
        "accounts.Organization",
        models.PROTECT,
        db_default=CurrentOrganization(),
        db_constraint=False,
        db_index=False,
        related_name="+",
    )

    class Meta(TenantModel.Meta):
        abstract = True


def tenant_models(models_: list[type[models.Model]]) -> list[type[models.Model]]:
    """Those of the models that row-level security protects."""
    return [model for model in models_ if any(isinstance(c, RowLevelSecurity) for c in model._meta.constraints)]
