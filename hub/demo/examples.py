"""Example queries for the demo: the documents that the hub ships, about one customer of the demo where about one."""

from __future__ import annotations

from pathlib import Path

from graphql import GraphQLError, NonNullTypeNode, OperationDefinitionNode, parse


def examples(folder: Path, customer_number: str) -> dict[str, dict[str, str]]:
    """Those of the folder that need no value but the customer's number, by department and name, ready to be asked."""
    found: dict[str, dict[str, str]] = {}
    for path in sorted(folder.glob("*/*.graphql")):
        text = path.read_text(encoding="utf-8")
        text = text.replace("$number: String!", f'$number: String! = "{customer_number}"')
        if _is_complete(text):
            found.setdefault(path.parent.name, {})[path.stem] = text
    return found


def _is_complete(text: str) -> bool:
    """Whether it can be asked without variables."""
    try:
        definitions = parse(text, no_location=True).definitions
    except GraphQLError:
        return False  # who ships it is told by `hub check`
    return not any(
        isinstance(variable.type, NonNullTypeNode) and variable.default_value is None
        for node in definitions
        if isinstance(node, OperationDefinitionNode)
        for variable in node.variable_definitions
    )
