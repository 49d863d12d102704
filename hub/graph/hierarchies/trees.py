"""Trees from edges: pure arithmetic on who stands directly above whom."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

DEEPEST = 10
"""Levels above a customer that are followed: groups have fewer, and a chain of mistakes ends."""


@dataclass(frozen=True, slots=True)
class Edge:
    """Who stands directly above a customer, and why."""

    parent: str
    declared: bool
    """Whether a source says so."""
    registered: bool
    """Whether numbers of a public registry say so."""
    stated_at: str


def ancestors(customer: str, edges: Mapping[str, Edge]) -> list[str]:
    """Who stands above the customer, the parent first; nobody above those who would stand above themselves.

    In a circle nobody is known to be on top: its edges count for nothing, whichever of them came first.
    """
    above: list[str] = []
    at = customer
    while at in edges and len(above) < DEEPEST and not _circles(at, edges):
        at = edges[at].parent
        above.append(at)
    return above


def _circles(customer: str, edges: Mapping[str, Edge]) -> bool:
    """Whether the edges lead from the customer back to it."""
    seen: set[str] = set()
    at = customer
    while at in edges and at not in seen:
        seen.add(at)
        at = edges[at].parent
    return at == customer
