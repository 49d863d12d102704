"""The worked examples of the ontology's reference: what an organisation adds of its own."""

from __future__ import annotations

from textwrap import dedent

OWN_TYPE = dedent(
    """
    type: Boat
    label: Boat
    plural: boats
    description: A boat that a customer keeps with us.
    customer: [customer]
    title: boatName
    properties:
      boatName: {label: Name, type: text, category: user.account, search: name}
      length: {label: Length, type: decimal, unit: m, scale: 2, category: user.account}
      customer: {label: Customer, type: reference, range: Party, reverse: boats, category: user.account}
    """
).strip()
"""The ontology reference's example of an organisation's own type."""

MORE_PROPERTIES = dedent(
    """
    extends: Person
    properties:
      crewNumber:
        label: Crew number
        description: Number of the regatta crew's card.
        type: text
        category: user.unique_id
        identifier: crew_number
        search: code
        survivorship: most_recent
    """
).strip()
"""The ontology reference's example of an organisation's own property."""

OWN_RULES = dedent(
    """
    survivorship:
      email: most_trusted
      streetAddress: most_trusted
    """
).strip()
"""The ontology reference's example of an organisation's own rules of survivorship."""

OWN_SCOPES = dedent(
    """
    scopes:
      region: {property: addressRegion}
    """
).strip()
"""The ontology reference's example of what an organisation's own row scopes compare."""
