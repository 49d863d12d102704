"""A bounded cache never holds more than its capacity, and forgets what was used longest ago."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hub.cache import BoundedCache


def test_what_was_used_longest_ago_goes_first() -> None:
    cache: BoundedCache[str] = BoundedCache(10)
    cache.put("a", "A", 4)
    cache.put("b", "B", 4)
    assert cache.get("a") == "A"
    cache.put("c", "C", 4)
    assert (cache.get("a"), cache.get("b"), cache.get("c")) == ("A", None, "C")


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(1, 20))))
def test_the_weight_is_the_sum_of_what_is_kept_and_never_above_the_capacity(
    puts: list[tuple[int, int]],
) -> None:
    cache: BoundedCache[int] = BoundedCache(15)
    for key, weight in puts:
        cache.put(key, weight, weight)
        assert cache.weight <= 15
        assert cache.weight == sum(cache.get(each) or 0 for each in range(6))
