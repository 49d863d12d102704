"""Documents: parsed, measured and validated once, and kept while they are used."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from graphql import (
    DirectiveNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    GraphQLError,
    OperationDefinitionNode,
    OperationType,
    Token,
    TokenKind,
    VariableNode,
    parse,
    specified_rules,
    type_from_ast,
    validate,
    value_from_ast,
)
from graphql.language.visitor import Visitor, visit
from graphql.pyutils import print_path_list
from graphql.type import GraphQLInputType, GraphQLNonNull, GraphQLSchema
from graphql.utilities import coerce_input_value

from hub.cache import BoundedCache
from hub.errors import LimitError, QueryError
from hub.schema.federation import SCHEMA_FIELD
from hub.schema.limits import MAX_TOKENS, check_limits, check_variables
from hub.schema.values import plain

KEPT = 64_000_000
"""About the bytes that documents are kept in: a thousand of a hundred tokens each."""
_DOCUMENT_BYTES, _TOKEN_BYTES = 4_000, 600
"""What a document and each of its tokens take in memory, at most about: measured with tracemalloc."""
INTROSPECTION = frozenset({"__schema", "__type", SCHEMA_FIELD})
"""Fields that tell what the schema is; only roles that may introspect are answered."""
_MAX_ERRORS = 20


class DocumentError(QueryError):
    """The document is malformed or does not fit the schema; correct it. `errors` tell where."""

    def __init__(self, errors: list[GraphQLError]) -> None:
        self.errors = tuple(errors)
        super().__init__(errors[0].message)

    def without_suggestions(self) -> DocumentError:
        """The same error for those who may not learn from it which names there are."""
        return DocumentError([_without_suggestion(error) for error in self.errors])


_SUGGESTION = re.compile(r" Did you mean .*\?$", re.DOTALL)
"""How graphql-core (3.2) ends a message with the names that are near."""


def _without_suggestion(error: GraphQLError) -> GraphQLError:
    return GraphQLError(_SUGGESTION.sub("", error.message), error.nodes, error.source, error.positions)


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of a valid document."""

    name: str | None
    node: OperationDefinitionNode = field(repr=False)

    @property
    def kind(self) -> OperationType:
        """Query, mutation or subscription."""
        return self.node.operation


@dataclass(frozen=True, slots=True)
class Document:
    """A valid document."""

    tree: DocumentNode = field(repr=False)
    sha256: str
    recorded_as: str
    """What tells it in the audit log: a hash of all but its values."""
    operations: Mapping[str | None, OperationDefinitionNode] = field(repr=False)
    fragments: Mapping[str, FragmentDefinitionNode] = field(repr=False)
    shaping: dict[str | None, frozenset[str]] = field(repr=False)
    """By operation, the variables known so far on whose values the plans depend; it only grows."""
    introspects: bool
    """Whether it asks for what the schema is."""
    weight: int
    """About the bytes that it takes in memory."""

    def operation(self, name: str | None) -> Operation:
        """The operation to run; without a name the only one.

        Raises:
            QueryError: there is no such operation, or there are several without a choice.
        """
        if name is None and len(self.operations) == 1:
            ((name, found),) = self.operations.items()
        elif name is None:
            raise QueryError("the document has several operations; choose one by operationName")
        elif name not in self.operations:
            raise QueryError("the document has no operation of this operationName")
        else:
            found = self.operations[name]
        return Operation(name, found)


_SHIPPED: BoundedCache[Document] = BoundedCache(KEPT)
"""By schema, depth and text: those that the hub ships take a quarter of a second, and several parts of a process want
them."""


class Documents:
    """The documents of one schema."""

    def __init__(self, schema: GraphQLSchema, max_depth: int) -> None:
        self._schema = schema
        self._max_depth = max_depth
        self.kept: BoundedCache[Document] = BoundedCache(KEPT)
        self._shipped: dict[str, Document] = {}

    def ship(self, text: str) -> None:
        """Prepare the document now, and keep it for good.

        Raises:
            DocumentError: it is malformed or does not fit the schema.
            LimitError: it is too large; the limit is named.
        """
        key = self._schema, self._max_depth, text
        document = _SHIPPED.get(key)
        if document is None:
            document = self._prepared(text)
            _SHIPPED.put(key, document, document.weight)
        self._shipped[text] = document

    def find(self, text: str) -> Document | None:
        """The document, None when it is new or no longer kept."""
        return self._shipped.get(text) or self.kept.get(text)

    def get(self, text: str) -> Document:
        """The document.

        Raises:
            DocumentError: it is malformed or does not fit the schema.
            LimitError: it is too large; the limit is named.
        """
        found = self.find(text)
        if found is None:
            found = self._prepared(text)
            self.kept.put(text, found, found.weight)
        return found

    def _prepared(self, text: str) -> Document:
        tree = _parsed(text, self._max_depth)
        check_limits(tree, self._max_depth)
        errors = self._errors(tree)
        if errors:
            raise DocumentError(errors)
        operations = {
            node.name.value if node.name else None: node
            for node in tree.definitions
            if isinstance(node, OperationDefinitionNode)
        }
        fragments = {
            node.name.value: node for node in tree.definitions if isinstance(node, FragmentDefinitionNode)
        }
        asked = _Asked()
        visit(tree, asked)
        shaping = dict.fromkeys(operations, frozenset(asked.conditions))
        tokens = _tokens(tree)
        return Document(
            tree,
            document_hash(text),
            _recorded_hash(text, tokens),
            operations,
            fragments,
            shaping,
            introspects=not asked.fields.isdisjoint(INTROSPECTION),
            weight=_DOCUMENT_BYTES + _TOKEN_BYTES * len(tokens) + 2 * len(text),
        )

    def _errors(self, tree: DocumentNode) -> list[GraphQLError]:
        try:
            return validate(self._schema, tree, specified_rules, max_errors=_MAX_ERRORS)
        except GraphQLError as error:
            # graphql-core raises instead where a variable decides whether a subscription has its field.
            return [error]


def document_hash(text: str) -> str:
    """The document's SHA-256, which tells it from all others. Not for the log: a value in it could be guessed."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


_PLACEHOLDERS = {
    TokenKind.STRING: '""',
    TokenKind.BLOCK_STRING: '""',
    TokenKind.INT: "0",
    TokenKind.FLOAT: "0",
    TokenKind.COMMENT: "",
}
"""What stands for the tokens of a document that may hold a person's data."""


def _tokens(tree: DocumentNode) -> list[Token]:
    found = []
    token = tree.loc.start_token if tree.loc else None
    while token is not None:
        found.append(token)
        token = token.next
    return found


def _recorded_hash(text: str, tokens: Iterable[Token]) -> str:
    """The hash of the document without the values and comments in it.

    The audit log cannot forget, and the hash of an e-mail address is no secret: who knows the rest of a document can
    guess it. A document that takes its values from variables has the hash of its own text.
    """
    parts, at = [], 0
    for token in tokens:
        if token.kind in _PLACEHOLDERS:
            parts += [text[at : token.start], _PLACEHOLDERS[token.kind]]
            at = token.end
    return document_hash("".join([*parts, text[at:]]))


def _parsed(text: str, max_depth: int) -> DocumentNode:
    try:
        return parse(text, max_tokens=MAX_TOKENS)
    except GraphQLError as error:
        # graphql-core tells its limits by words alone.
        if f"more than {MAX_TOKENS} tokens" in error.message:
            raise LimitError(f"the document is too long; the limit max_tokens is {MAX_TOKENS}") from None
        if "nested too deeply" in error.message:
            raise LimitError(f"the document nests too deeply; the limit max_depth is {max_depth}") from None
        raise DocumentError([error]) from None


class _Asked(Visitor):
    """Gathers names of fields, and the variables of `@skip` and `@include`: they decide which fields there are."""

    def __init__(self) -> None:
        super().__init__()
        self.fields: set[str] = set()
        self.conditions: set[str] = set()

    def enter_field(self, node: FieldNode, *_where: Any) -> None:
        self.fields.add(node.name.value)

    def enter_directive(self, node: DirectiveNode, *_where: Any) -> None:
        for argument in node.arguments:
            if isinstance(argument.value, VariableNode):
                self.conditions.add(argument.value.name.value)


def coerced_variables(
    schema: GraphQLSchema, operation: OperationDefinitionNode, given: Mapping[str, Any]
) -> dict[str, Any]:
    """The operation's variables by GraphQL's rules, enums as their text.

    Messages tell where a value does not fit, never the value.

    Raises:
        QueryError: one is missing, or does not fit its type.
        LimitError: they hold too much; the limit is named.
    """
    check_variables(given)
    coerced: dict[str, Any] = {}
    for definition in operation.variable_definitions:
        name = definition.variable.name.value
        type_ = cast(GraphQLInputType, type_from_ast(schema, definition.type))  # validation saw to it
        if name not in given:
            if definition.default_value is not None:
                coerced[name] = plain(value_from_ast(definition.default_value, type_))
            elif isinstance(type_, GraphQLNonNull):
                raise QueryError(f"variable ${name} of type {type_} is missing")
            continue
        coerced[name] = _coerced(name, given[name], type_)
    return coerced


def _coerced(name: str, value: Any, type_: GraphQLInputType) -> Any:
    def refuse(path: list[str | int], _value: Any, _error: GraphQLError) -> None:
        where = f" at {name}{print_path_list(path)}" if path else ""
        raise QueryError(f"variable ${name} does not fit its type {type_}{where}")

    try:
        return plain(coerce_input_value(value, type_, refuse))
    except RecursionError:
        raise QueryError(f"variable ${name} nests too deeply") from None
