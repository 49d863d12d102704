"""The root fields for a customer's surroundings: related customers, the path between two, the graph as GraphML."""

from __future__ import annotations

from typing import Annotated

import strawberry
from strawberry import Info

from hub.errors import QueryError
from hub.graph import network
from hub.schema.context import RequestContext

MAX_RINGS = 3
"""How far surroundings reach at most: beyond three rings most customers of a town are related."""

CustomerId = Annotated[strawberry.ID, strawberry.argument(description="Public id of the customer.")]
Rings = Annotated[
    int,
    strawberry.argument(description=f"How far to look, 1 to {MAX_RINGS}: 2 finds who bought the same goods."),
]


@strawberry.type(description="One edge on the way from one thing to another.")
class NetworkStep:
    """One step of a path."""

    start: str = strawberry.field(description="Where it begins, as `Type:id`.")
    end: str = strawberry.field(description="Where it leads to, as `Type:id`.")
    label: str = strawberry.field(description="What connects the two, such as `Works for`.")
    kind: str = strawberry.field(description="`party`, `household`, `link`, `order` or `goods`.")
    forward: bool = strawberry.field(description="Whether the label reads from start to end.")


@strawberry.type(description="A customer near another one.")
class RelatedCustomer:
    """One related customer."""

    customer_id: strawberry.ID = strawberry.field(name="customerId", description="Public id of the customer.")
    label: str = strawberry.field(description="Its name, as far as the caller may see it.")
    distance: int = strawberry.field(description="How many edges away.")
    reason: str = strawberry.field(description="What connects the two, in a word or two.")
    steps: list[NetworkStep] = strawberry.field(description="The way there.")


def _related(
    info: Info[RequestContext, None],
    id: CustomerId,  # noqa: A002 - the argument's name in GraphQL, as everywhere
    rings: Rings = 2,
    first: Annotated[
        int, strawberry.argument(description="How many customers at most, the nearest first.")
    ] = 20,
) -> list[RelatedCustomer] | None:
    services, access = info.context.services, info.context.access
    depth, limit = _within("rings", rings, MAX_RINGS), _within("first", first, services.settings.max_page)
    with info.context.read() as connection:
        found, seen = network.related_customers(connection, services.ontology, access, id, depth=depth)
    _touch(info.context, seen)
    return [
        RelatedCustomer(
            customer_id=strawberry.ID(each.customer_id),
            label=each.label,
            distance=each.distance,
            reason=each.reason,
            steps=[_step(step) for step in each.steps],
        )
        for each in found[:limit]
    ]


def _path(
    info: Info[RequestContext, None],
    start: Annotated[strawberry.ID, strawberry.argument(name="from", description="The one customer.")],
    end: Annotated[strawberry.ID, strawberry.argument(name="to", description="The other customer.")],
) -> list[NetworkStep] | None:
    services = info.context.services
    with info.context.read() as connection:
        steps, seen = network.path(connection, services.ontology, info.context.access, start, end)
    _touch(info.context, seen)
    return None if steps is None else [_step(step) for step in steps]


def _graphml(
    info: Info[RequestContext, None],
    id: CustomerId,  # noqa: A002 - the argument's name in GraphQL, as everywhere
    rings: Rings = 1,
) -> str | None:
    services, access = info.context.services, info.context.access
    depth = _within("rings", rings, MAX_RINGS)
    with info.context.read() as connection:
        seen = network.neighbourhood(connection, services.ontology, access, id, depth=depth)
    _touch(info.context, seen)
    return network.graphml(seen.graph)


def _within(name: str, value: int, most: int) -> int:
    if not 1 <= value <= most:
        raise QueryError(f"{name} is {value}; it may be 1 to {most}")
    return value


def _touch(context: RequestContext, seen: network.Network) -> None:
    context.touched.add(customers=seen.customers)
    for reads in seen.reads:
        context.touched.add(reads.types, reads.categories, reads.properties)


def _step(step: network.Step) -> NetworkStep:
    return NetworkStep(start=step.start, end=step.end, label=step.label, kind=step.kind, forward=step.forward)


@strawberry.type
class NetworkQuery:
    """A customer's surroundings as questions to GraphQL."""

    related_customers: list[RelatedCustomer] | None = strawberry.field(
        name="relatedCustomers",
        resolver=_related,
        description="Customers of the same household, employer, group or goods, the nearest first.",
    )
    path: list[NetworkStep] | None = strawberry.field(
        resolver=_path,
        description="The shortest way between two customers, null when they do not meet nearby.",
    )
    graphml: str | None = strawberry.field(
        resolver=_graphml, description="The customer's surroundings as GraphML, for graph tools."
    )
