"""The page `access.md`: roles, purposes, masks and grants, from the policy and the compiled access map."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pydantic import BaseModel

from hub.access import (
    MASKS,
    SCOPE_CLAIMS,
    AccessMap,
    BreakGlass,
    CommandGrant,
    Grant,
    Purpose,
    Role,
    assessments,
    difference,
    explanation,
    glass,
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

_BREAK_GLASS = """
```sh
curl -s http://127.0.0.1:8360/graphql -H "Authorization: Bearer $HUB_SUPPLY_CHAIN" -H 'X-Purpose: order_fulfilment' \\
  -H 'Content-Type: application/json' -d '{
  "query": "mutation($i: BreakGlassInput!) { breakGlass(input: $i) { id expiresAt } }",
  "variables": {"i": {"customerId": "cus_...", "categories": ["user.contact"], "ticket": "INC-17",
    "reason": "A leaking battery is in the parcel that is on its way", "idempotencyKey": "17"}}}'

curl -s http://127.0.0.1:8360/graphql -H "Authorization: Bearer $HUB_SUPPLY_CHAIN" -H 'X-Purpose: order_fulfilment' \\
  -H 'X-Break-Glass: 01...' -H 'Content-Type: application/json' \\
  -d '{"query": "{ customers { nodes { name email telephone } } }"}'

hub access glass list
hub access glass stop 01...
hub access glass review 01... justified --note "the parcel was stopped in time"
```

- **Start.** `breakGlass` takes a reason of 20 characters at least and a ticket. It ends by itself after `minutes`, 60
  at most and no more than the policy says; `stopBreakGlass` ends it at once. It is started by the API alone: it takes
  a role, which the machine's operator has none of.
- **Use.** `X-Break-Glass` names it, beside `X-Purpose`; over WebSocket in the payload of `connection_init` as well.
  It is for who broke it, with the purpose of then. Who names one that is not theirs, is unknown or has ended is told
  one and the same. Nothing is changed through it: of all mutations only `stopBreakGlass` is taken. A subscription
  that began through it ends with it. A policy that takes the right away ends all use at once.
- **Record.** `break_glass` events say `started`, `used` (one for each query or subscription, before anything is
  read), `stopped`, `expired` and `reviewed`. All that is read through it carries its id as `break_glass`. Reason,
  ticket and note are free text, so they are in no event and no log, but in the review queue alone.
- **Notice.** With `HUB_BREAK_GLASS_NOTICE_URL`, id, roles, purpose, categories and end are posted as JSON as soon as
  the API sees it, and again until a 2xx answer; `notifiedAt` says when. Without, the log warns and the queue alone
  tells of it.
- **Review.** `breakGlasses` and `hub access glass list` show those whom the policy gives `review_break_glass` what
  waits for a review: who, why, of whom, and how often it was used. After 72 hours without one it is overdue, and the
  command's exit code is 3. `reviewBreakGlass` and `hub access glass review` keep the outcome; who broke it may not
  review it.

Searches look into a category only where it is shown whole in all that they may find. One that both customers and
others, such as shops, have is not searched through a broken glass; filters of `customers` reach it.
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
            "## Break-glass\n",
            docstring(glass) + "\n",
            _BREAK_GLASS,
            _glasses(access),
            "## Why, and what a change changes\n",
            docstring(explanation) + "\n",
            "`hub access explain` and the query `explainAccess` show it.\n",
            docstring(difference) + "\n",
            "`hub access diff` shows it.\n",
            "## Impact assessments\n",
            docstring(assessments).split("\n\n", 1)[1] + "\n",
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
        "What a role may open by break-glass": BreakGlass,
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


def _glasses(access: AccessMap) -> str:
    found = ((name, role.break_glass) for name, role in sorted(access.roles.items()))
    return table(
        ("role", "purposes", "categories", "minutes", "why", "owner", "review by"),
        (
            (
                code(name),
                ", ".join(code(each) for each in rule.purposes),
                ", ".join(code(each) for each in rule.categories),
                str(rule.minutes),
                rule.why,
                code(rule.owner),
                rule.review.isoformat(),
            )
            for name, rule in found
            if rule is not None
        ),
    )


def _purposes(access: AccessMap) -> str:
    return table(
        (
            "purpose",
            "label",
            "data use",
            "legal basis",
            "consent",
            "sees restricted",
            "data kept, in days",
            "assessed",
        ),
        (
            (
                code(name),
                each.label,
                code(each.data_use),
                each.legal_basis.replace("_", " "),
                f"for channel {code(each.channel)}" if each.requires_consent else "no",
                "yes" if each.sees_restricted else "no",
                str(each.retention_days),
                ", ".join(f"{kind}: {where}" for kind, where in sorted(each.links.items())),
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
