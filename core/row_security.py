"""Row-level security of PostgreSQL: the second line behind `visible_to`, which holds where somebody forgot to call that.

For each protected table the database gets a function that answers whether the person on whose behalf a statement runs (`core.acting`)
sees a row. It is made of the very statement that `visible_to` makes, one for each role, so that both lines say the same however that
changes. After every `migrate` the database is brought in line: no migration has to be written, and none can be forgotten. A table whose
policy cannot be made, or whose model says nothing, is closed to `lune_app`, never open (docs/decisions/0021).
"""

import hashlib
import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.contrib.auth import get_user_model
from django.core.exceptions import EmptyResultSet
from django.db import ProgrammingError, connection, models, transaction

from core import acting, clock
from core.acting import ROLE

logger = logging.getLogger(__name__)

#: Who asks, as conditions are written in: each is worked out once for a statement.
ORGANIZATION = "(SELECT nullif(current_setting('lune.organization', true), '')::uuid)"
WORK = "(SELECT current_setting('lune.role', true))"

#: Nothing that `lune_app` does may change or take away what these say.
APPEND_ONLY = ("core_auditentry", "core_auditseal", "core_event", "flow_transition", "flow_referralchange")

#: Stand for the organisation, the user, the instant and the row while a statement is made, and for nothing else anywhere.
_ORGANIZATION, _USER = UUID("5e000000-0000-4000-8000-00000000000a"), UUID("5e000000-0000-4000-8000-00000000000b")
_ROW, _NUMBER, _AT = UUID("5e000000-0000-4000-8000-00000000000c"), 5_550_000_000_003, datetime(1901, 2, 3, 4, 5, 6, 7, tzinfo=UTC)
_STANDS_FOR = {
    f"'{_ORGANIZATION.hex}'::uuid": "lune_organization",
    f"'{_USER.hex}'::uuid": "lune_user",
    f"'{_ROW.hex}'::uuid": "$1",
    str(_NUMBER): "$1",
    f"'{_AT.isoformat(sep=' ')}'::timestamptz": "now()",
}


@dataclass(frozen=True)
class Policy:
    """What the database is to know of one model. All of it has defaults: most models need none of this.

    `sees` takes the place of `visible_to`; `also` are rows that the second line opens besides, `fast` rows that `visible_to` opens too,
    told without asking the function: for tables of which pages read hundreds of rows. All are conditions on the row's own columns.
    `guarded` are columns that not everybody who sees the row may read: for each the condition on the row (as `r`) by which its words
    may be read. The model's field is then a `GuardedText`, a `GuardedChar` or a `GuardedJSON`; `instead` is what somebody else is given
    in place of a column, as an expression on the row: nothing, unless it is named. `manager` is the one that leaves out no rows.
    """

    model: type[models.Model]
    sees: str = ""
    also: str = ""
    fast: str = ""
    guarded: dict[str, str] = field(default_factory=dict)
    instead: dict[str, str] = field(default_factory=dict)
    manager: str = "_default_manager"

    @property
    def table(self) -> str:
        return self.model._meta.db_table

    def statements(self) -> list[str]:
        """What makes it, in an order that closes the table before it is opened by conditions."""
        table, history = self.table, hasattr(self.model, "pgh_tracked_model")
        sees = self.sees
        if history:
            sees = f"{function(self.model.pgh_tracked_model._meta.db_table)}(pgh_obj_id)"  # type: ignore[attr-defined]
        made = [
            f'ALTER TABLE "{table}" ENABLE ROW LEVEL SECURITY',
            f'ALTER TABLE "{table}" FORCE ROW LEVEL SECURITY',
            f'DROP POLICY IF EXISTS lune_system ON "{table}"',
            f'CREATE POLICY lune_system ON "{table}" TO CURRENT_USER USING (true) WITH CHECK (true)',
            f'DROP POLICY IF EXISTS lune_people ON "{table}"',
            f'DROP POLICY IF EXISTS lune_kept ON "{table}"',
        ]
        if not sees and not (said := self._said()):
            sees = "false"
        elif not sees:
            made.append(self._function(said))
            sees = f'{function(table)}("{self.model._meta.pk.column}")'
        sees = " OR ".join(f"({' '.join(part.split())})" for part in (self.fast, self.also, sees) if part)
        if history:  # triggers fill it; it is read with the record of which it tells
            made.append(f'CREATE POLICY lune_kept ON "{table}" FOR INSERT TO {ROLE} WITH CHECK (true)')
            made.append(f'CREATE POLICY lune_people ON "{table}" FOR SELECT TO {ROLE} USING ({sees})')
        else:
            made.append(f'CREATE POLICY lune_people ON "{table}" TO {ROLE} USING ({sees}) WITH CHECK ({sees})')
        return made + [self._reader(column, " ".join(may.split())) for column, may in self.guarded.items()]

    def _said(self) -> dict[str, list[tuple[str, str]]]:
        """By role the statement of `visible_to` for one row, and of which kinds of organisation it is so, where that counts."""
        told: dict[str, list[tuple[str, str]]] = {}
        user_model: Any = get_user_model()
        kinds = user_model._meta.get_field("organization").related_model._meta.get_field("kind").choices
        for role in user_model.Role.values:
            by_statement: dict[str, list[str]] = {}
            for kind, _ in kinds:
                home = _Home(kind)
                by_statement.setdefault(self._said_for(role, home), []).append(kind)
                if not home.counts:
                    by_statement = {statement: [kind for kind, _ in kinds] for statement in by_statement}
                    break
            for statement, of_kinds in by_statement.items():
                if statement:
                    condition = "" if len(of_kinds) == len(kinds) else f" AND lune_kind IN ({', '.join(repr(kind) for kind in of_kinds)})"
                    told.setdefault(role, []).append((statement, condition))
        return told

    def _function(self, said: dict[str, list[tuple[str, str]]]) -> str:
        """Whether the row with this key is seen: `visible_to`, for each role. A row that is not there yet is being added just now."""
        key = self.model._meta.pk
        assert key is not None
        branches = "".join(
            f"WHEN '{role}' THEN\n"
            + "".join(f"IF EXISTS ({statement}){condition} THEN RETURN true; END IF;\n" for statement, condition in statements)
            for role, statements in said.items()
        )
        return _function(
            f"{function(self.table)}(wanted {'uuid' if self._row() == _ROW else 'bigint'})",
            "boolean",
            f"CASE current_setting('lune.role', true)\n{branches}ELSE NULL; END CASE;\n"
            f'RETURN NOT EXISTS (SELECT FROM "{self.table}" WHERE "{key.column}" = $1);',
        )

    def _said_for(self, role: str, home: "_Home") -> str:
        """The statement of `visible_to` for one row and a user of this role in such an organisation; empty when it shows them nothing."""
        user: Any = get_user_model()(pk=_USER, organization_id=_ORGANIZATION, role=role)
        user._state.fields_cache["organization"] = home
        with _clock_stands():
            rows = getattr(self.model, self.manager).all()
            if not hasattr(rows, "visible_to"):
                return ""
            seen = rows.visible_to(user).filter(pk=self._row()).order_by().values("pk")
            try:
                return as_sql(seen)
            except EmptyResultSet:
                return ""

    def _row(self) -> UUID | int:
        """What stands for the key of the row while a statement is made."""
        key: Any = self.model._meta.pk
        while isinstance(key, models.ForeignKey):
            key = key.target_field
        if not isinstance(key, models.UUIDField | models.IntegerField):
            raise TypeError(f"{self.model._meta.label}: say with `sees` who sees a row; its key is neither a UUID nor a number.")
        return _ROW if isinstance(key, models.UUIDField) else _NUMBER

    def _reader(self, column: str, may: str) -> str:
        instead = " ".join(self.instead.get(column, "NULL").split())
        return _function(
            f"{reader(self.table, column)}(wanted {'uuid' if self._row() == _ROW else 'bigint'})",
            "jsonb" if isinstance(self.model._meta.get_field(column), models.JSONField) else "text",
            f"RETURN (SELECT CASE WHEN current_setting('role') <> '{ROLE}' OR ({may}) THEN r.\"{column}\" ELSE ({instead}) END "  # noqa: S608
            f'FROM "{self.table}" r WHERE r.id = $1);',
        )


class _Home:
    """Stands for the user's organisation, and notes whether its kind counts."""

    pk = id = _ORGANIZATION

    def __init__(self, kind: str) -> None:
        self._kind, self.counts = kind, False

    @property
    def kind(self) -> str:
        self.counts = True
        return self._kind


@dataclass(frozen=True)
class Question:
    """One more thing that conditions ask past the policies of other tables, so that these do not go round in a circle."""

    signature: str
    returns: str
    answer: str

    def statement(self) -> str:
        return _function(self.signature, self.returns, f"RETURN ({' '.join(self.answer.split())});")


def _function(signature: str, returns: str, body: str) -> str:
    kind = "lune_kind text := (SELECT o.kind FROM catalogue_organization o WHERE o.id = lune_organization);"
    more = kind if "lune_kind" in body else ""
    return f"""
        CREATE OR REPLACE FUNCTION {signature} RETURNS {returns}
        LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
        #variable_conflict use_column
        DECLARE
            lune_organization uuid := nullif(current_setting('lune.organization', true), '')::uuid;
            lune_user uuid := nullif(current_setting('lune.user', true), '')::uuid;
            {more}
        BEGIN
            {body}
        END $$"""


def function(table: str) -> str:
    """The function that says whether somebody sees a row of a table."""
    return f"lune_sees_{table}"


def reader(table: str, column: str) -> str:
    """The function by which a guarded column is read."""
    return f"lune_read_{table}_{column}"


def as_sql(query: Any) -> str:
    """A query as text with the names of the function's variables in place of values. Raises when another instant than now is in it."""
    sql, params = query.query.sql_with_params()
    operations: Any = connection.ops  # PostgreSQL’s own
    text: str = operations.compose_sql(sql, params)
    for value, name in _STANDS_FOR.items():
        text = text.replace(value, name)
    if "::timestamptz" in text or "5e000000" in text or str(_NUMBER) in text:
        raise ValueError(f"visible_to holds a value that cannot be asked anew: {text}")
    return text


@contextmanager
def _clock_stands() -> Iterator[None]:
    """Within, `clock.now()` is the instant that stands for now."""
    usual = clock.now
    clock.now = lambda: _AT
    try:
        yield
    finally:
        clock.now = usual


class _Guarded(models.Field):
    """Read through the function of its policy: who may not read it is given nothing. To the tables it is the field that it extends.

    `beside` is an open column without which there is nothing to read: where it is empty, the function is not asked.
    """

    empty = "''"
    plain = ""

    def __init__(self, *args: Any, beside: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.beside = beside

    def select_format(self, compiler: Any, sql: str, params: Any) -> tuple[str, Any]:
        if acting.now().is_system:
            return sql, params
        row, _, _ = sql.rpartition(".")
        read = f'coalesce({reader(self.model._meta.db_table, str(self.column))}({row}."id"), {self.empty})'
        return f'CASE WHEN {row}."{self.beside}" IS NULL THEN {self.empty} ELSE {read} END' if self.beside else read, params

    def deconstruct(self) -> Any:
        name, _, args, kwargs = super().deconstruct()
        return name, f"django.db.models.{self.plain}", args, kwargs


class GuardedText(_Guarded, models.TextField):
    """Long words that not everybody who sees the row may read."""

    plain = "TextField"


class GuardedChar(_Guarded, models.CharField):
    """The same, short."""

    plain = "CharField"


class GuardedJSON(_Guarded, models.JSONField):
    """Answers by key, of which not everybody who sees the row may read all."""

    empty, plain = "'{}'::jsonb", "JSONField"


def bring_in_line(policies: Iterable[Policy], questions: Iterable[Question] = ()) -> None:
    """Make the role, its privileges, and what is declared, as far as it is not there already."""
    declared = list(policies)
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = %s)", [ROLE])
        if not cursor.fetchone()[0]:
            cursor.execute(_MAKE_ROLE)
        with transaction.atomic():
            cursor.execute("SELECT pg_has_role(%s, 'MEMBER')", [ROLE])
            if not cursor.fetchone()[0]:
                cursor.execute(f"GRANT {ROLE} TO CURRENT_USER")
            there = set(connection.introspection.table_names(cursor))
            _grant(cursor, declared, there)
        for question in questions:
            _try(cursor, [question.statement()], question.signature)
        cursor.execute("SELECT polrelid::regclass::text, obj_description(oid, 'pg_policy') FROM pg_policy WHERE polname = 'lune_people'")
        stands = {table.strip('"'): digest for table, digest in cursor.fetchall()}
        # Tables of history ask the function of the table of which they tell.
        for policy in sorted(declared, key=lambda policy: hasattr(policy.model, "pgh_tracked_model")):
            if policy.table not in there:
                continue
            statements = policy.statements()
            digest = hashlib.sha256("\n".join(statements).encode()).hexdigest()
            if stands.get(policy.table) == digest:
                continue
            comment = f"COMMENT ON POLICY lune_people ON \"{policy.table}\" IS '{digest}'"
            if not _try(cursor, [*statements, comment], policy.table):
                _try(cursor, Policy(policy.model, sees="false").statements(), policy.table)


def _try(cursor: Any, statements: list[str], what: str) -> bool:
    """Run statements that go together. A column that a later migration brings is not there in the middle of the way."""
    try:
        with transaction.atomic():
            for statement in statements:
                cursor.execute(statement)
    except ProgrammingError as error:
        logger.warning("row security: %s stays closed until all migrations have run (%s)", what, error)
        return False
    return True


#: Databases are made side by side; a role belongs to all of them.
_MAKE_ROLE = f"""
DO $$ BEGIN
    CREATE ROLE {ROLE} NOLOGIN NOSUPERUSER NOBYPASSRLS;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
END $$"""


def _grant(cursor: Any, policies: list[Policy], there: set[str]) -> None:
    """What the role may do at all: with rows, not with tables; less with what is only added to; no guarded column."""
    cursor.execute(f"""
        GRANT USAGE ON SCHEMA public TO {ROLE};
        GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {ROLE};
        GRANT USAGE, SELECT, UPDATE ON ALL SEQUENCES IN SCHEMA public TO {ROLE};
        ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {ROLE};
        ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE, SELECT, UPDATE ON SEQUENCES TO {ROLE};
    """)
    for table in [name for name in APPEND_ONLY if name in there]:
        cursor.execute(f'REVOKE UPDATE, DELETE, TRUNCATE ON "{table}" FROM {ROLE}')
    for policy in policies:
        if policy.guarded and policy.table in there:
            columns = [column.name for column in connection.introspection.get_table_description(cursor, policy.table)]
            open_ = ", ".join(f'"{name}"' for name in columns if name not in policy.guarded)
            cursor.execute(f'REVOKE SELECT ON "{policy.table}" FROM {ROLE}')  # noqa: S608 – names of our own tables
            cursor.execute(f'GRANT SELECT ({open_}) ON "{policy.table}" TO {ROLE}')
