"""The documents of `corpus.yaml`."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML


@dataclass(frozen=True)
class Case:
    """A document, and what is sent with it."""

    name: str
    query: str
    variables: dict[str, Any] = field(default_factory=dict)
    operation: str | None = None
    refused: bool = False
    """Whether it is not executed at all."""


def _cases() -> list[Case]:
    themes = YAML(typ="safe").load(Path(__file__).with_suffix(".yaml"))
    return [
        Case(**{"refused": theme == "refused", **case, "name": f"{theme}: {case['name']}"})
        for theme, cases in themes.items()
        for case in cases
    ]


CORPUS = _cases()
