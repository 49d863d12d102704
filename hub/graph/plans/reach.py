"""Which rows exist for the requester: the one place where standing, consent and row scopes become SQL.

A row is tested where a plan comes to its customer: `table` then stands for those rows alone that pass. From there on a
plan follows rows of the same customer without testing again, unless they are shown in fewer scopes.

Rows of a past time are tested by what is so now (`Build.now`): who may see them is not a matter of the past.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from hub.access import CONSENTED, EVERYONE, SUBJECT, SUBJECT_VARIABLE, Consent, Within
from hub.access.masks import TODAY
from hub.access.minors import UNKNOWN, Ages
from hub.graph.plans.build import Build
from hub.graph.plans.params import packed
from hub.graph.plans.shapes import Scope, Shape
from hub.graph.plans.spelling import literal, name
from hub.graph.plans.where import Var
from hub.ontology import CUSTOMER, EntityType
from hub.ontology.model import ScopeFact

CONSENT = "Consent"
"""The type of the ontology whose rows say who agreed to what; without it nobody did."""
GIVEN = "given"
LEGAL_BASIS = "legalBasis"
GIVEN_BY = "givenBy"
GUARDIAN = "guardian"
MINOR, BIRTH, COUNTRY = "isMinor", "birthDate", "addressCountry"
"""What tells of customers that they are children, and by which country's law."""

_ROW = "r"
_NOTHING = "1 = 0"

Column = Callable[[str], str]
"""A row's column as SQL, by its name."""


def table(build: Build, scope: Scope) -> str:
    """The shape's rows that exist for the requester, under the scope's alias."""
    plain = name(scope.shape.table)
    test = " AND ".join(_tests(build, scope))
    if not test:
        return f"{plain} {scope.alias}"
    return f"(SELECT {_ROW}.* FROM {plain} {_ROW} WHERE {test}) {scope.alias}"


def inside(build: Build, scope: Scope, where: Within) -> str:
    """The condition that the row's customer is within the predicate."""
    if where == EVERYONE:
        return "1 = 1"
    return _of_customer(build, scope, scope.column, [where])


def _tests(build: Build, scope: Scope) -> Iterator[str]:
    """Conditions on a row called `r`."""
    if not scope.shape.has_customer or scope.unproven == EVERYONE:
        return

    def column(name_: str) -> str:
        return f'{_ROW}."{name_}"'

    reach = build.guard.reach
    more: list[Within | Consent] = []
    if scope.unproven is None:
        if reach.bars:
            yield _stands(build, scope, column, reach.bars)
        more += [reach.consent] if reach.consent else []
        more += [scope.proven] if scope.proven != EVERYONE else []
    else:
        more.append(scope.unproven)
    if more:
        yield _of_customer(build, scope, column, more)


def _stands(build: Build, scope: Scope, column: Column, bars: Sequence[str]) -> str:
    """Nothing keeps the row's customer from the purpose."""
    by, own = _holder(scope.shape)
    listed = ", ".join(map(literal, bars))
    standing = build.now("standing")
    return f'NOT EXISTS (SELECT 1 FROM {standing} s WHERE s."{by}" = {column(own)} AND s."bar" IN ({listed}))'


def _of_customer(build: Build, scope: Scope, column: Column, tests: Sequence[Within | Consent]) -> str:
    """What is to hold for the row's customer, who has to be one."""
    if scope.shape.name == CUSTOMER and not build.past:
        return " AND ".join(_test(build, test, column) for test in tests)
    by, own = _holder(scope.shape)

    def of_customer(name_: str) -> str:
        return f'c."{name_}"'

    held = " AND ".join(_test(build, test, of_customer) for test in tests)
    return (
        f'EXISTS (SELECT 1 FROM {build.now("membership")} o JOIN {build.now("customer")} c ON c."id" = o."customer_id" '
        f'WHERE o."{by}" = {column(own)} AND {held})'
    )


def _test(build: Build, test: Within | Consent, column: Column) -> str:
    if isinstance(test, Consent):
        return _consented(build, test, column)
    ways = [
        " AND ".join(_in_scope(build, scope, column) for scope in sorted(way)) or "1 = 1"
        for way in sorted(test.ways, key=sorted)
    ]
    return f"({' OR '.join(f'({way})' for way in ways) or _NOTHING})"


def _holder(shape: Shape) -> tuple[str, str]:
    """How the tables of memberships and standings name the row's customer, and the row's column with that name."""
    if shape.entity is None:
        return "customer_id", "id" if shape.name == CUSTOMER else "customer_id"
    return "party_id", "id" if shape.entity.is_party else "party_id"


# scopes


def _in_scope(build: Build, scope: str, column: Column) -> str:
    if scope == SUBJECT:
        return _is_subject(build, column("id"))
    if scope == CONSENTED:
        asked = build.guard.reach.unopened
        return _consented(build, asked, column) if asked else _NOTHING
    fact = build.ontology.scopes.get(scope)
    if fact is None:
        return _NOTHING
    if fact.of == "customer":
        return _listed(build, scope, column(build.ontology.customer_properties[fact.property].column))
    return f"({' OR '.join(_stating(build, scope, fact, column)) or _NOTHING})"


def _stating(build: Build, scope: str, fact: ScopeFact, column: Column) -> Iterator[str]:
    for type_ in build.ontology.parties:
        prop = type_.properties.get(fact.property)
        if prop is not None:
            stated = _listed(build, scope, f'p."{prop.column}"')
            members, parties = build.now("membership"), build.now(type_.table)
            yield (
                f'EXISTS (SELECT 1 FROM {members} q JOIN {parties} p ON p."id" = q."party_id" '
                f'WHERE q."customer_id" = {column("id")} AND {stated})'
            )


def _is_subject(build: Build, customer: str) -> str:
    """The customer is the one that a glass is broken for, whom a plan is told when it is run: others may use it too."""
    dialect = build.sql.dialect
    given = build.params.add(Var(SUBJECT_VARIABLE), lambda values: packed(values or (), dialect))
    return build.sql.in_list(customer, given, "text")


def _listed(build: Build, scope: str, value: str) -> str:
    """The value is one of those that the requester's token states."""
    attributes = build.guard.reach.attributes[scope]
    dialect = build.sql.dialect
    given = build.params.add(attributes, lambda values: packed(values, dialect))
    return build.sql.in_list(value, given, "text")


# consent


def _consented(build: Build, consent: Consent, customer: Column) -> str:
    """The customer's newest word on one of the uses and channels is a yes that has not run out."""
    type_ = build.ontology.types.get(CONSENT)
    if type_ is None:
        return _NOTHING
    said = _said(build, type_, consent, customer, "k")
    after = _said(build, type_, consent, customer, "n")
    day = build.sql.binary('k."expires_on"')
    today = TODAY[build.sql.dialect]
    return (
        f'EXISTS ({said} AND k."state" = {literal(GIVEN)} AND k."at" IS NOT NULL '
        f'AND (k."expires_on" IS NULL OR {day} >= {today}) '
        f'AND NOT EXISTS ({after} AND (n."at" > k."at" OR ((n."state" IS NULL OR n."state" <> {literal(GIVEN)}) '
        f'AND (n."at" IS NULL OR n."at" = k."at")))))'
    )


def _said(build: Build, type_: EntityType, consent: Consent, customer: Column, row: str) -> str:
    """A SELECT of the customer's words on the uses and channels."""
    uses, channels = (", ".join(map(literal, names)) for names in (consent.uses, consent.channels))
    members, consents = build.now("membership"), build.now(type_.table)
    said = _resting(type_, consent, row) + _grown(build, type_, consent, customer, row)
    return (
        f'SELECT 1 FROM {members} m{row} JOIN {consents} {row} ON {row}."party_id" = m{row}."party_id" '
        f'WHERE m{row}."customer_id" = {customer("id")} AND {row}."purpose" IN ({uses}) '
        f'AND {row}."channel" IN ({channels}){said}'
    )


def _resting(type_: EntityType, consent: Consent, row: str) -> str:
    """A condition by which a yes rests on something that makes it one; a no counts whatever it rests on."""
    if LEGAL_BASIS not in type_.properties:
        return ""
    column = f'{row}."{type_.properties[LEGAL_BASIS].column}"'
    bases = ", ".join(map(literal, consent.bases))
    is_no = f'{row}."state" IS NULL OR {row}."state" <> {literal(GIVEN)}'
    return f" AND ({is_no} OR {column} IS NULL OR {column} IN ({bases}))"


def _grown(build: Build, type_: EntityType, consent: Consent, customer: Column, row: str) -> str:
    """A condition by which a yes is that of a guardian, or of somebody old enough; a no counts whoever says it."""
    known = build.ontology.customer_properties
    child = []
    if MINOR in known:
        child.append(f"coalesce({customer(known[MINOR].column)}, FALSE)")
    if BIRTH in known:
        country = f"upper({customer(known[COUNTRY].column)})" if COUNTRY in known else "NULL"
        child.append(_too_young(build, customer(known[BIRTH].column), country, consent.ages))
    if not child:
        return ""
    ways = [f'{row}."state" IS NULL', f'{row}."state" <> {literal(GIVEN)}', f"NOT ({' OR '.join(child)})"]
    if GIVEN_BY in type_.properties:
        ways.append(f'{row}."{type_.properties[GIVEN_BY].column}" = {literal(GUARDIAN)}')
    return f" AND ({' OR '.join(ways)})"


def _too_young(build: Build, born: str, country: str, ages: Ages) -> str:
    """That the day on which they come of age is still to come, as `hub.access.minors.is_child` says."""
    cases = " ".join(f"WHEN {literal(code)} THEN {age}" for code, age in ages)
    years = f"CASE {country} {cases} ELSE {UNKNOWN} END" if cases and country != "NULL" else str(UNKNOWN)
    year = f"CAST(CAST(substr({born}, 1, 4) AS INTEGER) + {years} AS TEXT)"
    day = f"{year} || substr({born}, 5) || substr('0000-12-31', length({born}) + 1)"
    return f"coalesce({build.sql.binary(f'({day})')} > {TODAY[build.sql.dialect]}, FALSE)"
