"""The normal form of identifiers: two statements of one identifier are equal texts, whoever states it."""

from __future__ import annotations

from hub.ontology.model import PropertyType
from hub.values import normalise_email, normalise_phone


def normal_identifier(kind: PropertyType, value: str, region: str | None = None) -> str:
    """`value` as identifiers of a property of this type are compared.

    Phone numbers in E.164 (those without a country code are of `region`), e-mail addresses in lower case, all others
    in capitals without blanks at their ends. The normal form of a normal form is itself.

    Raises:
        ValueError: it is no phone number or e-mail address; the message does not repeat it.
    """
    if kind is PropertyType.PHONE:
        return normalise_phone(value, region)
    if kind is PropertyType.EMAIL:
        return normalise_email(value)
    return value.strip().upper()
