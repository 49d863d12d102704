"""Kinds of a component by the names YAML knows them by: the built-in ones and third parties', through one door."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Annotated, Any, TypeVar, Union, get_args

from pydantic import Field

from hub.adapters.records import ConfigModel
from hub.errors import ConfigurationError

KindT = TypeVar("KindT", bound=ConfigModel)


def kinds(group: str, built_in: Sequence[type[KindT]], base: type[KindT]) -> dict[str, type[KindT]]:
    """Each kind by its names, sorted: `built_in`, and the classes that entry points in `group` name.

    Raises:
        ConfigurationError: an entry point cannot be loaded, is no `base`, or takes a name that is taken.
    """
    found: dict[str, type[KindT]] = {}
    for kind in (*built_in, *_third_party(group, base)):
        for name in get_args(kind.model_fields["type"].annotation):
            if name in found:
                raise ConfigurationError(
                    [f"{group}: {kind.__module__} takes the name {name!r}, which is taken"]
                )
            found[name] = kind
    return dict(sorted(found.items()))


def choice(named: Mapping[str, type[ConfigModel]]) -> Any:
    """The type of a pydantic field that holds one of the kinds, chosen by its `type`."""
    members = tuple(dict.fromkeys(named.values()))
    return Annotated[Union[members], Field(discriminator="type")]  # noqa: UP007  (made from a list)


@cache
def installed(group: str) -> tuple[EntryPoint, ...]:
    """What packages offer, looked for once: what is installed later needs another process to be imported in anyway."""
    return tuple(entry_points(group=group))


def _third_party(group: str, base: type[KindT]) -> list[type[KindT]]:
    loaded = []
    for entry in installed(group):
        try:
            kind = entry.load()
        except (ImportError, AttributeError) as error:
            raise ConfigurationError([f"{group}: {entry.value} cannot be loaded ({error})"]) from error
        if not (isinstance(kind, type) and issubclass(kind, base) and "type" in kind.model_fields):
            raise ConfigurationError([f"{group}: {entry.value} is no {base.__name__} with a type"])
        loaded.append(kind)
    return loaded
