"""Compiled read plans of operations, kept for callers of equal access."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from threading import Lock
from typing import Any

from hub.access import PlanAccess
from hub.adapters import past_instant
from hub.audit.events import MAX_PAST_TIMES
from hub.cache import BoundedCache
from hub.errors import LimitError
from hub.graph.plans import (
    ById,
    ByIdentifier,
    ByIds,
    Id,
    Operand,
    ReadPlan,
    Root,
    Selection,
    Var,
    compile_plan,
)
from hub.ontology import CUSTOMER
from hub.schema.answers import Frame, PathedNote
from hub.schema.catalogue import Catalogue
from hub.schema.documents import Document, Operation
from hub.schema.translate import translate, translate_changes
from hub.schema.translated import Derive, RootField, Searched, Translation
from hub.schema.values import Arguments, outline
from hub.store import DialectName

OTHER_COST = 2_000
"""What a root field counts as that no plan answers: a search, an introspection, the state of the sources."""
KEPT = 64_000_000
"""About the bytes that plans are kept in: some thousands of ordinary ones."""
OF_THE_PAST = "customer of the past"
"""The plan variable that holds the id of a customer as of a past time; no variable of a document has a space."""
_FIELD_BYTES, _BINDING_BYTES = 5_000, 1_000
"""What a root field's plan, beside its SQL, and each of its parameters take in memory: measured with tracemalloc."""


@dataclass(frozen=True, slots=True)
class AsOf:
    """What an answer as of a past time takes beside its plan."""

    time: Operand
    customer: ReadPlan
    """Tells the id of the customer, if there is one who may be known now."""

    def at(self, variables: Mapping[str, Any]) -> datetime:
        """The time, of these variables.

        Raises:
            QueryError: it is none, or has not come yet.
        """
        value = variables[self.time.name] if isinstance(self.time, Var) else self.time
        return past_instant(str(value))


@dataclass(frozen=True, slots=True)
class PlannedField:
    """A root field's response key and its plan."""

    key: str
    plan: ReadPlan
    bounded: bool
    """Whether the rows that it may have to look at are few."""
    derived: Mapping[str, Derive] = field(repr=False)
    as_of: AsOf | None = None
    """None for an answer as of now."""
    searched: Searched | None = None
    """None unless a search has to tell first which rows are meant."""

    def cost(self, variables: Mapping[str, Any]) -> int:
        """A bound on the fields of the answer."""
        if self.searched is None:
            return self.plan.cost(variables)
        most = self.searched.taken(self.searched.first, variables)
        return self.plan.cost({**variables, self.searched.rows: most}) + OTHER_COST

    def variables(self, given: Mapping[str, Any]) -> Mapping[str, Any]:
        """The plan's variables, made from the operation's."""
        if not self.derived:
            return given
        return {**given, **{name: derive(given) for name, derive in self.derived.items()}}


@dataclass(frozen=True, slots=True)
class Reading:
    """What the plans of an operation read, for its audit event."""

    types: tuple[str, ...]
    categories: tuple[str, ...]
    properties: tuple[str, ...]
    masked: int
    denied: int


@dataclass(frozen=True, slots=True)
class OperationPlan:
    """All that is known of an operation before it is run."""

    fields: tuple[PlannedField, ...]
    others: tuple[str, ...]
    """Root fields that no plan answers, for which an executor completes the answer."""
    frame: Frame = field(repr=False)
    """What the plans' JSON is put in where plans answer everything."""
    notes: tuple[PathedNote, ...]
    reading: Reading

    @property
    def sql_length(self) -> int:
        """Characters of all its statements."""
        return sum(len(each.plan.sql) for each in self.fields)

    @property
    def weight(self) -> int:
        """About the bytes that it takes in memory."""
        bindings = sum(len(each.plan.bindings) for each in self.fields)
        return _FIELD_BYTES * len(self.fields) + _BINDING_BYTES * bindings + 2 * self.sql_length

    def cost(self, variables: Mapping[str, Any]) -> int:
        """A bound on the fields of the answer."""
        others = len(self.others) + sum(each.as_of is not None for each in self.fields)
        return sum(each.cost(variables) for each in self.fields) + OTHER_COST * others


@dataclass(frozen=True, slots=True)
class ChangePlan:
    """All that is known of a subscription to changes of customers before the first."""

    arguments: Arguments = field(repr=False)
    fields: tuple[tuple[str, str | PlannedField], ...]
    """By response key, in the order of the answer: the name of a part of the change, or the changed customer."""
    frame: Frame = field(repr=False)
    """What the change's JSON is put in."""
    partial: bool
    """Whether the policy keeps some of what is asked for back."""
    reading: Reading

    @property
    def customers(self) -> tuple[PlannedField, ...]:
        """The plans that read the changed customer."""
        return tuple(wanted for _, wanted in self.fields if isinstance(wanted, PlannedField))


class Plans:
    """Compiles operations of one schema for one database."""

    def __init__(self, catalogue: Catalogue, dialect: DialectName, max_page: int, max_cost: int) -> None:
        self._catalogue = catalogue
        self._dialect: DialectName = dialect
        self._max_page, self._max_cost = max_page, max_cost
        self.kept: BoundedCache[OperationPlan] = BoundedCache(KEPT)
        self._lock = Lock()

    def find(
        self, document: Document, operation: Operation, variables: Mapping[str, Any], access: PlanAccess
    ) -> OperationPlan | None:
        """The operation's plan for these coerced variables, None when it has not been made or is no longer kept.

        Raises:
            LimitError: it may cost more than allowed.
        """
        plan = self.kept.get(_key(document, operation.name, variables, access))
        if plan is not None:
            self._check_cost(plan.cost(variables))
        return plan

    def make(
        self, document: Document, operation: Operation, variables: Mapping[str, Any], access: PlanAccess
    ) -> OperationPlan:
        """The operation's plan for these coerced variables, compiled and kept.

        Raises:
            QueryError: it asks for what cannot be answered.
            AccessDeniedError: it filters, sorts or looks up by what the caller may not see whole.
            LimitError: it may cost more than allowed.
        """
        found = translate(self._catalogue, operation.node, document.fragments, variables)
        plan = self._compiled(found, access)
        with self._lock:
            document.shaping[operation.name] |= found.shaping
        key = _key(document, operation.name, variables, access)
        self.kept.put(key, plan, plan.weight + _weight(key))
        self._check_cost(plan.cost(variables))
        return plan

    def make_changes(
        self, document: Document, operation: Operation, variables: Mapping[str, Any], access: PlanAccess
    ) -> ChangePlan:
        """The plan of a subscription to changes of customers; it is kept by who subscribes.

        Raises:
            QueryError: it asks for what cannot be answered.
            AccessDeniedError: it filters or sorts by what the caller may not see whole.
            LimitError: one event may cost more than allowed.
        """
        found = translate_changes(self._catalogue, operation.node, document.fragments, variables)
        roots = [wanted for _, wanted in found.fields if isinstance(wanted, RootField)]
        customers = {each.key: each for each in self._fields(roots, access)}
        notes = tuple(
            (found.key, replace(note, path=(each.key, *note.path)))
            for each in customers.values()
            for note in each.plan.access_notes
        )
        self._check_cost(sum(each.plan.cost(variables) for each in customers.values()) + len(found.fields))
        return ChangePlan(
            found.arguments,
            tuple(
                (key, wanted if isinstance(wanted, str) else customers[key]) for key, wanted in found.fields
            ),
            Frame((found.key,), {}, notes),
            bool(notes),
            _reading(tuple(customers.values()), notes),
        )

    def _check_cost(self, cost: int) -> None:
        if cost > self._max_cost:
            raise LimitError(f"the answer may have {cost} fields; the limit max_cost is {self._max_cost}")

    def _compiled(self, found: Translation, access: PlanAccess) -> OperationPlan:
        fields = self._fields(found.planned, access)
        if sum(each.as_of is not None for each in fields) > MAX_PAST_TIMES:
            raise LimitError(f"asOf is given too often; the limit max_past_times is {MAX_PAST_TIMES}")
        notes = tuple((each.key, note) for each in fields for note in each.plan.access_notes)
        frame = Frame(found.keys, dict.fromkeys(found.typenames, self._catalogue.query_name), notes)
        return OperationPlan(fields, found.others, frame, notes, _reading(fields, notes))

    def _fields(self, roots: Iterable[RootField], access: PlanAccess) -> tuple[PlannedField, ...]:
        return tuple(self._field(each, access) for each in roots)

    def _field(self, wanted: RootField, access: PlanAccess) -> PlannedField:
        root, as_of = wanted.root, None
        if isinstance(root, ById) and root.as_of is not None:
            known = ById(Selection(CUSTOMER, (Id("id"),)), root.id)
            as_of = AsOf(root.as_of, self._plan(known, access))
            root = replace(root, id=Var(OF_THE_PAST))
        return PlannedField(
            wanted.key,
            self._plan(root, access),
            _is_bounded(wanted.root),
            wanted.derived,
            as_of,
            wanted.searched,
        )

    def _plan(self, root: Root, access: PlanAccess) -> ReadPlan:
        return compile_plan(self._catalogue.ontology, root, access, self._dialect, self._max_page)


def _reading(fields: Sequence[PlannedField], notes: Sequence[PathedNote]) -> Reading:
    reads = [each.plan.reads for each in fields]
    masked = sum(note.mask is not None for _, note in notes)
    return Reading(
        tuple(sorted({name for each in reads for name in each.types})),
        tuple(sorted({name for each in reads for name in each.categories})),
        tuple(sorted({name for each in reads for name in each.properties})),
        masked,
        len(notes) - masked,
    )


def _is_bounded(root: Root) -> bool:
    """Whether it begins at customers that are named: a list may be a scan of its table, however few rows it shows."""
    if isinstance(root, ByIds):
        return all(selection.type == CUSTOMER for selection in root.selections)
    return isinstance(root, ByIdentifier) or (isinstance(root, ById) and root.selection.type == CUSTOMER)


def _key(document: Document, name: str | None, variables: Mapping[str, Any], access: PlanAccess) -> Hashable:
    shaping = document.shaping[name]
    shape = tuple(
        (each, _frozen(value) if each in shaping else outline(value))
        for each, value in sorted(variables.items())
    )
    return document.sha256, name, access.key, shaping, shape


def _weight(key: Hashable) -> int:
    """About how many bytes a key takes: it holds the values of variables that shape the plan."""
    if isinstance(key, tuple | frozenset):
        return 64 + sum(_weight(each) for each in key)
    return 64 + len(key) if isinstance(key, str) else 32


def _frozen(value: Any) -> Hashable:
    if isinstance(value, dict):
        return tuple((key, _frozen(item)) for key, item in value.items())
    if isinstance(value, tuple):
        return tuple(_frozen(item) for item in value)
    # A boolean and a number that are equal are different values.
    return type(value), value
