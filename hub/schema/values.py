"""Values of arguments as a plan takes them: literals, and variables left open where a plan can leave them open.

A variable at the place of a single value (or of a list that is compared as a whole) stays a `Var`, so that one compiled
plan serves every value. One that decides the plan's shape (a whole where-input, a sort direction) is taken by its
value, and its name is noted: plans made for other values of it are other plans.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from enum import Enum
from typing import Any, Final, cast

from graphql import (
    FieldNode,
    GraphQLArgument,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
    ListValueNode,
    NullValueNode,
    ObjectValueNode,
    Undefined,
    ValueNode,
    VariableNode,
    is_leaf_type,
    value_from_ast,
)

from hub.errors import QueryError
from hub.graph.plans import Operand, RowId, Var

MISSING: Final = Undefined
"""What is not given at all, unlike null."""

Arguments = Mapping[str, Any]


class Values:
    """Reads argument values of one operation, with its variables as GraphQL coerced them."""

    def __init__(self, variables: Mapping[str, Any]) -> None:
        self.variables = variables
        self.shaping: set[str] = set()
        """Names of the variables whose values were taken."""
        self.conditions = 0
        """Conditions in all filters so far."""

    def arguments(self, declared: Mapping[str, GraphQLArgument], node: FieldNode) -> Arguments:
        """The arguments that are given or have a default.

        Raises:
            QueryError: a variable is null or missing where a value must be.
        """
        given = {argument.name.value: argument.value for argument in node.arguments}
        found = {}
        for name, argument in declared.items():
            value = self._read(given[name], argument.type) if name in given else MISSING
            value = _default(name, argument, value)
            if value is not MISSING:
                found[name] = value
        return found

    def taken(self, value: Any) -> Any:
        """The value, taken from its variable if it is one."""
        return self._take(value.name) if isinstance(value, Var) else value

    def types_named(self, rows: Operand) -> frozenset[str]:
        """The types of the rows that are named, which are in the outline of a variable."""
        value = self.variables.get(rows.name) if isinstance(rows, Var) else rows
        return cast("frozenset[str]", outline(value))

    def _take(self, name: str) -> Any:
        self.shaping.add(name)
        return self.variables.get(name)

    def _read(self, node: ValueNode, type_: GraphQLInputType) -> Any:
        if isinstance(node, VariableNode):
            return self._variable(node.name.value, type_)
        if isinstance(node, NullValueNode):
            return None
        if isinstance(type_, GraphQLNonNull):
            return self._read(node, type_.of_type)
        if isinstance(type_, GraphQLList):
            items = node.values if isinstance(node, ListValueNode) else (node,)
            return tuple(self._element(item, type_.of_type) for item in items)
        if isinstance(type_, GraphQLInputObjectType) and isinstance(node, ObjectValueNode):
            return self._object(node, type_)
        return plain(value_from_ast(node, type_))

    def _variable(self, name: str, type_: GraphQLInputType) -> Any:
        if name not in self.variables:
            return MISSING
        if self.variables[name] is None:
            return None
        return Var(name) if _is_single(type_) else self._take(name)

    def _element(self, node: ValueNode, type_: GraphQLInputType) -> Any:
        # A plan takes a list as one value: a variable inside is taken.
        value = self.taken(self._read(node, type_))
        return None if value is MISSING else value

    def _object(self, node: ObjectValueNode, type_: GraphQLInputObjectType) -> dict[str, Any]:
        given = {item.name.value: item.value for item in node.fields}
        found = {}
        for name, field in type_.fields.items():
            value = self._read(given[name], field.type) if name in given else MISSING
            value = _default(name, field, value)
            if value is not MISSING:
                found[name] = value
        return found


def _default(name: str, declared: GraphQLArgument | GraphQLInputField, value: Any) -> Any:
    if value is MISSING and declared.default_value is not Undefined:
        return plain(declared.default_value)
    if value in (None, MISSING) and isinstance(declared.type, GraphQLNonNull):
        raise QueryError(f"{name} takes a value, not null")
    return value


def _is_single(type_: GraphQLInputType) -> bool:
    """Whether a plan takes such a value as one operand: a leaf, or a list of leaves."""
    inner: Any = type_
    while isinstance(inner, GraphQLNonNull | GraphQLList):
        inner = inner.of_type
    return bool(is_leaf_type(inner))


def outline(value: Any) -> Hashable:
    """What of a variable's value shapes every plan: whether it is null, and the types of the rows that it names."""
    if isinstance(value, tuple):
        return frozenset(each.type for each in value if isinstance(each, RowId))
    return value is None


def plain(value: Any) -> Any:
    """A coerced value with enums as their stored text and lists as tuples, so that it can be hashed."""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, list | tuple):
        return tuple(plain(item) for item in value)
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return value
