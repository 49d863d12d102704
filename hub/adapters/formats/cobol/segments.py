"""Files with several kinds of records: which kind a record is, which rows it makes, which tree it belongs to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Self

from pydantic import Field, model_validator

from hub.adapters.records import BadRecord, ConfigModel, Payload, RawRecord, Record

MAX_TREE = 100_000
"""Records below one root; a tree that is larger has lost its next root, and would fill the memory."""


class CobolSegments(ConfigModel):
    """How the kinds of records in one file are told apart, and what belongs together."""

    field: str = Field(min_length=1, description="Field of the copybook that says which kind a record is.")
    only: tuple[str, ...] | None = Field(
        default=None,
        min_length=1,
        description="Read only these kinds; the others are other streams' to read.",
    )
    groups: dict[str, tuple[str, ...]] = Field(
        default={},
        description="Group of the copybook, and the kinds of records that it describes; in other records it is None.",
    )
    children: dict[str, tuple[str, ...]] = Field(
        default={},
        description="Group, and the groups of the records that follow and belong to it: they become lists inside it.",
    )
    levels: tuple[tuple[str, ...], ...] = Field(
        default=(),
        description="Kinds by level, roots first: each record gets `Seg_Id0` of its root, and `Seg_Id1` and on of its "
        "own level.",
    )
    prefix: str = Field(default="", description="What the ids of `levels` begin with.")

    @model_validator(mode="after")
    def _tree(self) -> Self:
        kinds = [kind for values in self.groups.values() for kind in values]
        if len(set(kinds)) != len(kinds):
            raise ValueError("groups names one kind twice")
        below = [child for values in self.children.values() for child in values]
        unknown = sorted({*self.children, *below} - set(self.groups))
        if unknown:
            raise ValueError(f"children names what is not in groups: {', '.join(unknown)}")
        if len(set(below)) != len(below) or (self.children and set(below) == set(self.groups)):
            raise ValueError("children must be trees, each with a root")
        return self


class Ids:
    """Gives each record the ids of the tree it stands in."""

    def __init__(self, config: CobolSegments) -> None:
        self._levels = [frozenset(kinds) for kinds in config.levels]
        self._prefix = f"{config.prefix}_" if config.prefix else ""
        self._root: str | None = None
        self._counts: dict[int, int] = {}

    def of(self, kind: str, number: int) -> Payload:
        """The ids of the record of this kind and number, which follows the one asked for last."""
        level = next((n for n, kinds in enumerate(self._levels) if kind in kinds), None)
        if level == 0:
            self._root, self._counts = f"{self._prefix}{number}", {}
        made: Payload = {"Seg_Id0": self._root}
        if level and self._root is not None:
            self._counts[level] = self._counts.get(level, 0) + 1
            made[f"Seg_Id{level}"] = f"{self._root}_L{level}_{self._counts[level]}"
        return made


class Trees:
    """Gathers the records that follow a root into it."""

    def __init__(self, config: CobolSegments, keys: Mapping[str, str]) -> None:
        self._group = {kind: group for group, kinds in config.groups.items() for kind in kinds}
        self._parent = {child: parent for parent, below in config.children.items() for child in below}
        self._children, self._keys = config.children, keys
        self._root: RawRecord | None = None
        self._open: dict[str, Payload] = {}
        self._size = 0

    def add(self, kind: str, record: RawRecord | BadRecord, raw: str) -> Iterator[Record]:
        """What is finished by this record: the root before it, or itself when it has no place."""
        group = self._group.get(kind)
        parent = self._parent.get(group or "")
        if parent is None:
            yield from self.finish()
        if isinstance(record, BadRecord):
            # What follows belongs to it, and must not be taken for the last good one's.
            if group is not None:
                self._close(group)
            yield record
        elif group is None:
            yield record
        elif parent is None:
            self._root, self._size = record, 0
            self._begin(group, record.payload)
        elif parent not in self._open:
            yield BadRecord(
                raw, record.position, f"no good record of {parent}, which it belongs to, stands before it"
            )
        elif self._size >= MAX_TREE:
            yield BadRecord(raw, record.position, f"more than {MAX_TREE} records follow one root")
        else:
            self._size += 1
            self._close(group)
            values = record.payload.get(self._keys[group]) or {}
            self._open[parent][self._keys[group]].append(values)
            self._begin(group, {self._keys[group]: values})

    def finish(self) -> Iterator[Record]:
        """The last root with what was gathered."""
        if self._root is not None:
            yield self._root
        self._root, self._open = None, {}

    def _begin(self, group: str, payload: Payload) -> None:
        values = payload.get(self._keys[group])
        if not isinstance(values, dict):
            values = payload[self._keys[group]] = {}
        self._open[group] = values
        for child in self._children.get(group, ()):
            values[self._keys[child]] = []
        for other in self._parent:
            if group not in self._parent:
                payload.pop(self._keys[other], None)

    def _close(self, group: str) -> None:
        self._open.pop(group, None)
        for child in self._children.get(group, ()):
            self._close(child)
