"""The page `organisation.md`: what the file of the organisation may say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from pydantic import BaseModel

from hub.organisation import (
    Abilities,
    Contact,
    Itself,
    JointController,
    Organisation,
    Partner,
    Party,
    Place,
    Received,
    Representative,
    SubProcessor,
    System,
    model,
)
from hub.reference.markdown import docstring, header, keys_table

_INTRODUCTION = """
`organisation.yaml` beside the policy (`HUB_ORGANISATION_FILE`). What the hub can find out by itself is not written
there: fields, categories, counts, last reads. `hub check` reports unknown keys and names with file, line and column.
What is *not said*, such as a partner's contract or a source without a system, is no fault of the file but a gap: the
[map](privacy-map.md) lists it as a finding. Departments, purposes and roles are those of the
[policy](access.md), categories those of the taxonomy, countries ISO 3166-1 alpha-2.
"""

_PARTS: Final[Mapping[str, type[BaseModel]]] = {
    "The file": Organisation,
    "A party": Party,
    "A joint controller": JointController,
    "A representative": Representative,
    "A contact": Contact,
    "The hub itself": Itself,
    "A system": System,
    "A partner": Partner,
    "What a partner receives": Received,
    "A sub-processor": SubProcessor,
    "A place outside of the hub": Place,
    "What a place can do": Abilities,
}


def organisation_page() -> str:
    """The reference of the organisation's file."""
    links = {part.__name__: f"[{title.lower()}](#{_anchor(title)})" for title, part in _PARTS.items()}
    return "\n".join(
        [
            header("Organisation", "`hub/organisation/model.py`"),
            _INTRODUCTION,
            docstring(model).split("\n\n", 1)[1] + "\n",
            *(f"## {title}\n\n{keys_table(part, links)}" for title, part in _PARTS.items()),
        ]
    )


def _anchor(title: str) -> str:
    return title.lower().replace(" ", "-")
