"""The policy in the language of Cedar (https://www.cedarpolicy.com), for those who check or use it with Cedar's tools.

Who asks is a `Person` with the roles as parents, the purpose is in the context, and what is asked for is a `Category`.
Two actions stand for the three effects: `view` is allowed where the effect is allow, `viewMasked` where it is allow or
mask. "May agent u-17 see the e-mail address, to answer a customer?" is:

    principal  Person::"u-17"
    action     Action::"view"
    resource   Category::"user.contact.email"
    context    {purpose: Purpose::"customer_service", scopes: []}

Cedar has no special data: inheritance is what the entities' parents say. So each category stands in two trees. A
`Subtree` always has its parent's above it: forbids go along these. A `Reach` stands for what a permit opens, and has
its parent's above it only where the category is not special: permits go along these.

Break-glass is not exported: it opens what a person has a reason to see of one customer for some minutes, which no tool
that reads the policy alone can decide. Without a broken glass, all decisions are those of the grants.

Which mask is used is no matter for Cedar; each policy is annotated with the grant's effect. `context.scopes` names the
row scopes that the row lies in for this person.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, get_args

from hub.access.matrix import AccessMap, category_tree
from hub.access.policy import Command, CommandGrant, Effect, Grant, Scope
from hub.ontology import Taxonomy

_VIEWS: Mapping[Effect, tuple[str, ...]] = {
    Effect.ALLOW: ("view", "viewMasked"),
    Effect.MASK: ("viewMasked",),
    Effect.DENY: ("view", "viewMasked"),
}
_HUB = "hub"
"""What commands are given to: the one entity of type `Hub`."""


@dataclass(frozen=True, slots=True)
class CedarPolicy:
    """A policy as Cedar reads it."""

    policies: str
    """Cedar's policy language; each policy is annotated with the place of its rule in the policy file."""
    schema: str
    """Cedar's schema language."""
    entities: list[dict[str, Any]]
    """The categories and their trees, as Cedar's JSON; people are for whoever asks to add."""


def to_cedar(access: AccessMap, taxonomy: Taxonomy) -> CedarPolicy:
    """The policy for Cedar; of what the map decides, Cedar decides the same."""
    grants = (_grant(place, grant) for place, grant in enumerate(access.policy.grants))
    commands = (_command(place, rule) for place, rule in enumerate(access.policy.commands))
    return CedarPolicy("\n".join([*grants, *commands]), _schema(access), list(_entities(taxonomy)))


def _grant(place: int, grant: Grant) -> str:
    denies = grant.kind is Effect.DENY
    conditions = [
        *_stated_by(grant),
        f"resource in {_list('Subtree' if denies else 'Reach', grant.categories)}",
        *([] if grant.scope == "none" else [f"context.scopes.contains({_uid('Scope', grant.scope)})"]),
    ]
    effect = "forbid" if denies else "permit"
    return _policy(effect, f"grants.{place}", grant.effect, _VIEWS[grant.kind], grant, conditions)


def _command(place: int, rule: CommandGrant) -> str:
    return _policy("permit", f"commands.{place}", "allow", rule.commands, rule, _stated_by(rule))


def _stated_by(rule: Grant | CommandGrant) -> list[str]:
    return [
        f"principal in {_list('Role', rule.roles)}",
        f"{_list('Purpose', rule.purposes)}.contains(context.purpose)",
    ]


def _policy(
    effect: str,
    id_: str,
    stated: str,
    actions: Iterable[str],
    rule: Grant | CommandGrant,
    conditions: Iterable[str],
) -> str:
    notes = {"id": id_, "effect": stated, "why": rule.why, "owner": rule.owner, "review": str(rule.review)}
    annotations = "\n".join(f"@{name}({_quoted(text)})" for name, text in notes.items())
    scope = f"{effect} (principal, action in {_list('Action', actions)}, resource)"
    condition = " &&\n  ".join(conditions)
    return f"{annotations}\n{scope}\nwhen {{\n  {condition}\n}};\n"


def _schema(access: AccessMap) -> str:
    commands = ", ".join(_quoted(command.value) for command in Command)
    return f"""\
entity Role enum {_names(access.roles)};
entity Purpose enum {_names(access.purposes)};
entity Scope enum {_names(name for name in get_args(Scope) if name != "none")};
entity Hub enum {_names([_HUB])};
entity Person in [Role];
entity Reach in [Reach];
entity Subtree in [Subtree];
entity Category in [Reach, Subtree];
action "view", "viewMasked" appliesTo {{
  principal: Person, resource: Category, context: {{ purpose: Purpose, scopes: Set<Scope> }}
}};
action {commands} appliesTo {{
  principal: Person, resource: Hub, context: {{ purpose: Purpose }}
}};
"""


def _entities(taxonomy: Taxonomy) -> Iterator[dict[str, Any]]:
    for node in category_tree(taxonomy):
        above = [] if node.parent is None else [node.parent]
        yield _entity("Subtree", node.category, [("Subtree", each) for each in above])
        yield _entity("Reach", node.category, [("Reach", each) for each in above if not node.special])
        yield _entity("Category", node.category, [("Reach", node.category), ("Subtree", node.category)])


def _entity(type_: str, id_: str, parents: Iterable[tuple[str, str]]) -> dict[str, Any]:
    return {
        "uid": {"type": type_, "id": id_},
        "attrs": {},
        "parents": [{"type": above, "id": name} for above, name in parents],
    }


def _names(names: Iterable[str]) -> str:
    return f"[{', '.join(_quoted(name) for name in names)}]"


def _list(type_: str, ids: Iterable[str]) -> str:
    return f"[{', '.join(_uid(type_, id_) for id_ in ids)}]"


def _uid(type_: str, id_: str) -> str:
    return f"{type_}::{_quoted(id_)}"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
