from __future__ import annotations

import pytest

from hub.ontology import Ontology, load_ontology
from hub.schema import Catalogue, make_catalogue


@pytest.fixture(scope="session")
def ontology() -> Ontology:
    return load_ontology()


@pytest.fixture(scope="session")
def catalogue(ontology: Ontology) -> Catalogue:
    """The shipped schema."""
    return make_catalogue(ontology)
