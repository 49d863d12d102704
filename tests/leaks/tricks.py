"""A document that asks the same in other words: fragments, conditions, repeated and renamed fields."""

from __future__ import annotations

import random
from typing import Any

from graphql import (
    GraphQLSchema,
    SelectionSetNode,
    TypeInfo,
    TypeInfoVisitor,
    parse,
    print_ast,
    validate,
    visit,
)
from graphql.language import (
    ArgumentNode,
    DirectiveNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    NamedTypeNode,
    NameNode,
    SelectionNode,
    VariableNode,
)
from graphql.language.visitor import Visitor

RENAMED = 60
"""Fields that get another name; a document may have a hundred."""


def disguised(schema: GraphQLSchema, document: str, draw: random.Random) -> str:
    """The document in other words; its variables `$yes` and `$no` are to be true and false."""
    tree = parse(document.replace("{", "query($yes: Boolean!, $no: Boolean!) {", 1))
    types = TypeInfo(schema)
    disguise = _Disguise(types, draw)
    changed: Any = visit(tree, TypeInfoVisitor(types, disguise))
    changed.definitions = (*changed.definitions, *disguise.fragments)
    always = "... @include(if: $yes) { __typename } ... @skip(if: $yes) { no: __typename @include(if: $no) }"
    text = print_ast(changed).replace("{", f"{{ {always}", 1)
    faults = validate(schema, parse(text))
    if faults:
        raise ValueError(faults[0].message)
    return text


class _Disguise(Visitor):
    def __init__(self, types: TypeInfo, draw: random.Random) -> None:
        super().__init__()
        self._types, self._draw = types, draw
        self._renamed = 0
        self.fragments: list[FragmentDefinitionNode] = []

    def leave_field(self, node: FieldNode, *_where: Any) -> FieldNode | None:
        """Plain fields under other names, those of their neighbours among them."""
        if node.selection_set or node.alias or self._renamed == RENAMED or self._draw.random() < 0.5:
            return None
        self._renamed += 1
        alias = NameNode(value=f"{self._draw.choice(['id', 'name', 'kind', 'x'])}{self._renamed}")
        return FieldNode(name=node.name, alias=alias, arguments=node.arguments, directives=node.directives)

    def leave_selection_set(self, node: SelectionSetNode, *_where: Any) -> SelectionSetNode | None:
        parent = self._types.get_parent_type()
        if parent is None:
            return None
        cut = self._draw.randint(0, len(node.selections))
        whole = (*node.selections, *node.selections[:2])  # asked for twice, which is one
        pieces = [whole[:cut], whole[cut:]]
        return SelectionSetNode(
            selections=tuple(self._piece(parent.name, piece) for piece in pieces if piece)
        )

    def _piece(self, type_name: str, selections: tuple[SelectionNode, ...]) -> SelectionNode:
        inside = SelectionSetNode(selections=selections)
        condition = NamedTypeNode(name=NameNode(value=type_name))
        if self._draw.random() < 0.4:
            name = NameNode(value=f"F{len(self.fragments)}")
            self.fragments.append(
                FragmentDefinitionNode(
                    name=name,
                    type_condition=condition,
                    selection_set=inside,
                    variable_definitions=(),
                    directives=(),
                )
            )
            return FragmentSpreadNode(name=name, directives=self._condition())
        typed = condition if self._draw.random() < 0.5 else None
        return InlineFragmentNode(type_condition=typed, directives=self._condition(), selection_set=inside)

    def _condition(self) -> tuple[DirectiveNode, ...]:
        name, variable = self._draw.choice([("include", "yes"), ("skip", "no"), ("", "")])
        if not name:
            return ()
        value = VariableNode(name=NameNode(value=variable))
        argument = ArgumentNode(name=NameNode(value="if"), value=value)
        return (DirectiveNode(name=NameNode(value=name), arguments=(argument,)),)
