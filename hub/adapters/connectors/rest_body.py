"""Requests that are asked by a JSON body: a template whose placeholders take the request's parameters.

    body: {method: model.party.party.search_read, params: [[], "{offset}", "{limit}", null, [name], {}]}

What paging and increments would put into the query string goes to where the body names it. A text that is nothing but a
placeholder becomes the value: a number for offsets, pages and sizes. A member of an object whose parameter has no value
(the first page has no token) is left out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

from hub.adapters.connectors import watermark

_HOLE = re.compile(r"\{([A-Za-z_]\w*)(?:\.(year|month|day|hour|minute|second))?\}")
_ABSENT = object()


def named(template: Any) -> frozenset[str]:
    """The parameters that the template takes.

    >>> sorted(named({"skip": "{offset}", "since": {"year": "{since.year}"}}))
    ['offset', 'since']
    """
    return frozenset(hole[1] for text in _texts(template) for hole in _HOLE.finditer(text))


def _texts(template: Any) -> Iterator[str]:
    if isinstance(template, str):
        yield template
    elif isinstance(template, dict):
        for member in template.values():
            yield from _texts(member)
    elif isinstance(template, list):
        for item in template:
            yield from _texts(item)


def filled(
    template: Any,
    params: Mapping[str, str],
    numbers: Collection[str] = (),
    of_parent: Callable[[str], str] = lambda text: text,
) -> Any:
    """The body for these parameters; those in `numbers` are numbers. `of_parent` fills in what is the parent's.

    Raises:
        ValueError: an item of a list, or a part of a text, has no value; or a part of a time is asked of no time.
    """
    return _Filling(params, numbers, of_parent).of(template)


class _Filling:
    def __init__(
        self, params: Mapping[str, str], numbers: Collection[str], of_parent: Callable[[str], str]
    ) -> None:
        self._params, self._numbers, self._of_parent = params, numbers, of_parent

    def of(self, template: Any) -> Any:
        if isinstance(template, dict):
            members = ((name, self._member(member)) for name, member in template.items())
            return {name: member for name, member in members if member is not _ABSENT}
        if isinstance(template, list):
            return [self.of(item) for item in template]
        if not isinstance(template, str):
            return template
        whole = _HOLE.fullmatch(template)
        if whole is not None:
            return self._value(whole)
        return self._of_parent(_HOLE.sub(lambda hole: str(self._value(hole)), template))

    def _member(self, template: Any) -> Any:
        whole = _HOLE.fullmatch(template) if isinstance(template, str) else None
        return _ABSENT if whole is not None and whole[1] not in self._params else self.of(template)

    def _value(self, hole: re.Match[str]) -> str | int:
        name, part = hole[1], hole[2]
        value = self._params.get(name)
        if value is None:
            raise ValueError(f"the body needs a value for {name!r}, such as `initial` of incremental")
        if part is not None:
            at = watermark.instant(value)
            if at is None:
                raise ValueError(f"the body asks for the {part} of {name!r}, which is no time")
            return int(getattr(at, part))
        return int(value) if name in self._numbers else value
