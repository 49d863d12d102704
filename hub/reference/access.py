"""The page `access.md`: roles, purposes, masks and grants, from the policy and the compiled access map."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pydantic import BaseModel

from hub.access import (
    MASKS,
    SCOPE_CLAIMS,
    AccessMap,
    CommandGrant,
    Grant,
    Purpose,
    Role,
    difference,
    explanation,
    matrix,
    scope,
    standing,
)
from hub.reference.markdown import code, docstring, header, keys_table, table

_INTRODUCTION = """
Who may see what, for what purpose. A request states one *purpose* (the header `X-Purpose`; without it, the token's only
one). The policy decides for (role, purpose, data category): the value, a masked value, or nothing. Which category a
property has stands in the [ontology](ontology.md). A property that is masked or denied cannot be filtered, sorted or
searched by either.

What a role may *do* is granted apart, under [Commands](#commands): default nothing.

The policy is `policy.yaml` (`HUB_POLICY_FILE`). `hub check` reports its faults with file, line and column. The running
API takes a changed file into force by itself ([how](operations.md#changing-the-policy)).
"""

_FILE_INTRODUCTION = """
A mapping of `departments` (what a person calls each), `roles` and `purposes` by name, and two lists of rules, `grants`
and `commands`, whose order has no meaning. Where a list is asked for, one name will do.
"""

_SCOPES = """
What a customer's region, brand and account manager are, the [ontology](ontology.md) says in `scopes.yaml`; an
organisation's own folder may choose other properties. The claims of the token say whose customers the requester's are.
Rows that belong to no customer are in no scope. A category that is shown of some customers only is null of the others,
and cannot be filtered, sorted, grouped or searched by. An access note then says `unlessWithin` which scope it is shown.
"""

_MASKS_INTRODUCTION = """
The strictest first: where several apply to one category, the first of them is used. A property of a type that the mask
was not written for is withheld.
"""


_COMMANDS_INTRODUCTION = """
Who may do what, for what purpose; see [Commands](commands.md) for what each does. What no rule names is refused.
Whoever may use the `hub` command on the machine itself is not asked: they have the database.
"""


def access_page(access: AccessMap) -> str:
    """The reference of the policy in force."""
    return "\n".join(
        [
            header("Access", "`policy.yaml` and the masks in `hub/access`"),
            _INTRODUCTION,
            "## How grants add up\n",
            docstring(matrix).split("\n\n", 1)[1] + "\n",
            "## Row scopes\n",
            docstring(scope),
            _SCOPES,
            table(
                ("scope", "the token's claim, as [the claim map](authentication.md#claims) calls it"),
                ((code(name), code(claim)) for name, claim in sorted(SCOPE_CLAIMS.items())),
            ),
            "## Whom a purpose leaves out\n",
            docstring(standing) + "\n",
            "## Why, and what a change changes\n",
            docstring(explanation) + "\n",
            "`hub access explain` and the query `explainAccess` show it.\n",
            docstring(difference) + "\n",
            "`hub access diff` shows it.\n",
            "## The file\n",
            _FILE_INTRODUCTION,
            *_file(),
            "## Departments\n",
            table(
                ("department", "label"),
                ((code(name), label) for name, label in sorted(access.policy.departments.items())),
            ),
            "## Roles\n",
            _roles(access),
            "## Purposes\n",
            _purposes(access),
            "## Masks\n",
            _MASKS_INTRODUCTION,
            _masks(),
            "## Grants\n",
            "Each grant reaches its category and all below it. What no grant names is denied.\n",
            *_grants(access),
            "## Commands\n",
            _COMMANDS_INTRODUCTION,
            _commands(access),
        ]
    )


def _file() -> Iterator[str]:
    parts: Mapping[str, type[BaseModel]] = {
        "A role": Role,
        "A purpose": Purpose,
        "A grant": Grant,
        "A command's rule": CommandGrant,
    }
    for title, model in parts.items():
        yield f"### {title}\n"
        yield keys_table(model, {})


def _roles(access: AccessMap) -> str:
    return table(
        ("role", "label", "department", "usual purpose", "introspects", "may state"),
        (
            (
                code(name),
                role.label,
                code(role.department),
                code(role.default_purpose),
                "yes" if role.introspection else "no",
                ", ".join(code(purpose) for purpose in access.usable_purposes(frozenset({name}))),
            )
            for name, role in sorted(access.roles.items())
        ),
    )


def _purposes(access: AccessMap) -> str:
    return table(
        ("purpose", "label", "data use", "legal basis", "consent", "sees restricted", "data kept, in days"),
        (
            (
                code(name),
                each.label,
                code(each.data_use),
                each.legal_basis.replace("_", " "),
                f"for channel {code(each.channel)}" if each.requires_consent else "no",
                "yes" if each.sees_restricted else "no",
                str(each.retention_days),
            )
            for name, each in sorted(access.purposes.items())
        ),
    )


def _masks() -> str:
    return table(
        ("mask", "shows", "for types"),
        (
            (code(name), mask.description, ", ".join(sorted(kind.value for kind in mask.applies_to)))
            for name, mask in MASKS.items()
        ),
    )


def _commands(access: AccessMap) -> str:
    return table(
        ("commands", "roles", "purposes", "why", "owner", "review by"),
        (_rule(rule) for rule in access.policy.commands),
    )


def _rule(rule: CommandGrant) -> tuple[str, ...]:
    commands, roles, purposes = (
        ", ".join(code(each) for each in names) for names in (rule.commands, rule.roles, rule.purposes)
    )
    return commands, roles, purposes, rule.why, code(rule.owner), rule.review.isoformat()


def _grants(access: AccessMap) -> Iterator[str]:
    for name, role in sorted(access.roles.items()):
        yield f"### {role.label} ({code(name)})\n"
        yield table(
            ("purposes", "categories", "effect", "scope", "why", "owner", "review by"),
            (_grant(grant) for grant in access.policy.grants if name in grant.roles),
        )


def _grant(grant: Grant) -> tuple[str, ...]:
    purposes, categories = (
        ", ".join(code(each) for each in names) for names in (grant.purposes, grant.categories)
    )
    return (
        purposes,
        categories,
        grant.effect,
        grant.scope,
        grant.why,
        code(grant.owner),
        grant.review.isoformat(),
    )
