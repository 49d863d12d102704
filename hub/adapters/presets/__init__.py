"""Presets: sources of well-known systems as ready YAML, each a folder with what is known of it and its exchanges.

presets/zendesk/source.yaml    the source; addresses and credentials are `{env: ZENDESK_...}`
presets/zendesk/about.yaml     where its facts are from, what is read and what is not, whether it was tried
presets/zendesk/exchanges/     what the API is asked and answers, of synthetic people, for the contract test
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from hub.adapters.records import ConfigModel
from hub.errors import ConfigurationError, NotFoundError, QueryError
from hub.yamlfile import load_yaml, nearest, parse_model

__all__ = ["About", "Limit", "Preset", "preset", "presets"]

_FOLDER = Path(__file__).parent
_SOURCE = re.compile(r"[a-z][a-z0-9_]{0,62}")


def _https(address: str) -> str:
    if not address.startswith("https://"):
        raise ValueError("is no https address")
    return address


Address = Annotated[str, AfterValidator(_https)]


class Limit(ConfigModel):
    """A limit of the vendor's, and the page that states it."""

    what: str = Field(min_length=1, description="The limit, in words.")
    source: Address = Field(description="Page of the vendor's that states it.")


class About(ConfigModel):
    """What is known of a preset."""

    title: str = Field(min_length=1, description="The system's name, as its vendor writes it.")
    documentation: list[Address] = Field(min_length=1, description="Pages that the preset was written after.")
    api_version: str = Field(min_length=1, description="Version of the API.")
    read_on: date = Field(description="Day on which the pages were read.")
    checked: bool = Field(
        default=True,
        description="Whether all pages were opened on that day; if not, some of what is stated is unconfirmed.",
    )
    tried: str | None = Field(description="The real system and version it was tried against, or null.")
    reads: list[str] = Field(min_length=1, description="What is read.")
    leaves: list[str] = Field(min_length=1, description="What is not read, and what one has to know of it.")
    personal: dict[str, list[str]] = Field(
        default={},
        description="Fields by stream that hold personal data and become nothing: they are kept in the record alone.",
    )
    limits: list[Limit] = Field(default=[], description="The vendor's limits on requests.")
    settings: dict[str, str] = Field(description="What each environment variable holds.")

    @property
    def when(self) -> str:
        """When its pages were read, or that not all of them were."""
        return f"read on {self.read_on}" if self.checked else "not all of its pages were opened and checked"


@dataclass(frozen=True)
class Preset:
    """A source of a well-known system."""

    name: str
    about: About
    text: str
    """The source's YAML."""
    connector: str
    """Type of its connector."""
    streams: Mapping[str, tuple[str, ...]]
    """Entity types that each stream states."""
    environ: tuple[str, ...]
    """Environment variables that the YAML refers to, in their order."""

    @property
    def exchanges(self) -> Path:
        """Folder of what the API is asked and answers."""
        return _FOLDER / self.name / "exchanges"

    def named(self, source: str) -> str:
        """The YAML as that of a source of this name, whose variables begin with it.

        Raises:
            QueryError: no source can be called so.
        """
        if not _SOURCE.fullmatch(source):
            raise QueryError(
                "a source's name begins with a small letter and is of small letters, digits and _"
            )
        text = re.sub(rf"(?m)^source: {self.name}$", f"source: {source}", self.text)
        return text.replace(f"env: {self.name.upper()}_", f"env: {source.upper()}_")

    def settings(self, source: str) -> dict[str, str]:
        """What the variables of a source of this name hold."""
        own = f"{source.upper()}_"
        return {
            own + name.removeprefix(f"{self.name.upper()}_"): self.about.settings[name]
            for name in self.environ
        }


@cache
def presets() -> Mapping[str, Preset]:
    """All presets by name.

    Raises:
        ConfigurationError: one has faults.
    """
    folders = sorted(path.parent for path in _FOLDER.glob("*/source.yaml"))
    return MappingProxyType({folder.name: _loaded(folder) for folder in folders})


def preset(name: str) -> Preset:
    """The preset of this name.

    Raises:
        NotFoundError: there is none.
    """
    known = presets()
    if name not in known:
        meant = nearest(name, known)
        hint = f"; did you mean {meant!r}?" if meant else ""
        raise NotFoundError(f"there is no preset {name!r}{hint} See: hub adapter preset list")
    return known[name]


def _loaded(folder: Path) -> Preset:
    doc = load_yaml(folder / "about.yaml")
    about, faults = parse_model(doc, About)
    source = load_yaml(folder / "source.yaml").data
    environ = tuple(dict.fromkeys(_variables(source)))
    if about is not None:
        for name in sorted(set(environ) ^ set(about.settings)):
            faults.append(doc.fault(("settings",), f"{name} is not in both the source and the settings"))
        for name in sorted(set(about.personal) - set(source["streams"])):
            faults.append(doc.fault(("personal", name), f"the source has no stream {name}"))
    if about is None or faults:
        raise ConfigurationError(faults)
    return Preset(
        folder.name,
        about,
        (folder / "source.yaml").read_text(encoding="utf-8"),
        source["connector"]["type"],
        {
            name: tuple(dict.fromkeys(entity["type"] for entity in stream["entities"]))
            for name, stream in source["streams"].items()
        },
        environ,
    )


def _variables(value: Any) -> Iterator[str]:
    """Names in `{env: NAME}`, wherever they stand."""
    if isinstance(value, dict):
        if set(value) == {"env"}:
            yield value["env"]
        else:
            for inner in value.values():
                yield from _variables(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _variables(inner)
