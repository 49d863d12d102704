"""What the hub knows about: entity types and properties as data, the privacy taxonomy, loader and lint."""

from hub.ontology.loader import load_ontology
from hub.ontology.model import (
    CUSTOMER,
    PARTY,
    Category,
    EntityType,
    Ontology,
    Property,
    PropertyType,
    Reverse,
    Taxonomy,
    snake_case,
)

__all__ = [
    "CUSTOMER",
    "PARTY",
    "Category",
    "EntityType",
    "Ontology",
    "Property",
    "PropertyType",
    "Reverse",
    "Taxonomy",
    "load_ontology",
    "snake_case",
]
