from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hub.graph.resolution.models import MatchModel, load_model

ToyModels = Callable[..., Mapping[Any, MatchModel]]


@pytest.fixture(scope="session")
def toy_models() -> ToyModels:
    """Gives a model of a few exact comparisons, for people and organisations alike, with settings as named."""
    model = load_model(Path(__file__).parent / "toy_model")

    def made(**settings: Any) -> Mapping[Any, MatchModel]:
        changed = replace(model, settings=model.settings.model_copy(update=settings))
        return {"person": changed, "organization": changed}

    return made
