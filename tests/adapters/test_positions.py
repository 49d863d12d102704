"""A cursor is kept while the same is read in the same way, and given up when another thing is."""

from __future__ import annotations

from typing import Any

import pytest

from hub.adapters.config import StreamConfig
from hub.adapters.connectors.files import FilesRead
from hub.adapters.positions import cursor_text, kept_cursor
from hub.adapters.records import ConfigModel

READ: dict[str, Any] = {"glob": "*.edi", "format": {"type": "edi"}}
CURSOR = {"files": {"a.edi": "1"}}


def stream(**read: object) -> StreamConfig:
    """A stream of files with this reading; it maps nothing, of which its cursor says nothing."""
    return StreamConfig.model_construct(read=FilesRead.model_validate({**READ, **read}), cursor=None)


def is_kept(before: StreamConfig, after: StreamConfig) -> bool:
    return kept_cursor(after, cursor_text(before, CURSOR)) == CURSOR


@pytest.mark.parametrize("changed", [{"glob": "*.x12"}, {"after": "delete"}, {"format": {"type": "csv"}}])
def test_another_reading_begins_anew(changed: dict[str, object]) -> None:
    assert is_kept(stream(), stream())
    assert not is_kept(stream(), stream(**changed))


def test_answers_that_are_turned_on_keep_the_place() -> None:
    assert is_kept(stream(), stream(acknowledge={"to": "out"}))
    assert is_kept(stream(acknowledge={"to": "out"}), stream(acknowledge={"to": "elsewhere"}))


def test_only_fields_that_there_are_stand_aside() -> None:
    models = _models(ConfigModel)
    assert any(model.aside for model in models)
    assert not [(model, model.aside) for model in models if model.aside - set(model.model_fields)]


def _models(model: type[ConfigModel]) -> list[type[ConfigModel]]:
    return [model, *(each for below in model.__subclasses__() for each in _models(below))]
