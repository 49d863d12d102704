"""A cache that is bounded by weight, so that neither many nor large entries can fill the memory."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from threading import Lock
from typing import Generic, TypeVar

ValueT = TypeVar("ValueT")


class BoundedCache(Generic[ValueT]):
    """Keeps what was used last, up to a total weight. Threads may share it."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._weight = 0
        self._kept: OrderedDict[Hashable, tuple[ValueT, int]] = OrderedDict()
        self._lock = Lock()

    def get(self, key: Hashable) -> ValueT | None:
        """The value, None when it is not kept."""
        with self._lock:
            found = self._kept.get(key)
            if found is None:
                return None
            self._kept.move_to_end(key)
            return found[0]

    def put(self, key: Hashable, value: ValueT, weight: int) -> None:
        """Keep the value; what was used longest ago goes."""
        with self._lock:
            before = self._kept.pop(key, None)
            self._weight += weight - (before[1] if before else 0)
            self._kept[key] = (value, weight)
            while self._weight > self._capacity:
                _, (_, gone) = self._kept.popitem(last=False)
                self._weight -= gone

    @property
    def weight(self) -> int:
        """The weight of all that is kept."""
        return self._weight

    def __len__(self) -> int:
        return len(self._kept)
