"""What a person takes with them (GDPR Art. 20): what they gave and what was observed of them, in JSON and CSV.

Only categories that some purpose uses by consent or contract; nothing that was inferred of them (profiles, match
weights), and nothing that staff stated of them but for corrections, which the person asked for. Everything else is in
the access package.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Any, Final

from hub.access import AccessMap, Effect
from hub.adapters.dossier import Dossier
from hub.graph.entities import DESK
from hub.privacy.requests.planning import covers
from hub.privacy.requests.redaction import Redaction
from hub.services import Services

FORMAT: Final = "privacy-portability/1"
INFERRED: Final = ("user.demographic.profile", "user.household")
"""Categories of what is concluded of people, not given by them."""
COLUMNS: Final = ("kind", "record", "source", "stated_at", "property", "value")


def portable(services: Services, dossier: Dossier | None) -> dict[str, Any]:
    """What goes with the person, as JSON has it."""
    redaction = Redaction(dossier)
    items = list(_items(services, dossier, redaction)) if dossier is not None else []
    return {"format": FORMAT, "items": items}


def as_csv(content: dict[str, Any]) -> str:
    """The same as a table, a value a row."""
    out = io.StringIO()
    table = csv.DictWriter(out, COLUMNS)
    table.writeheader()
    for item in content["items"]:
        for name, value in item["values"].items():
            whole = "; ".join(map(str, value)) if isinstance(value, list) else value
            row = {key: item[key] for key in COLUMNS[:4]}
            table.writerow({**row, "property": name, "value": _harmless(whole)})
    return out.getvalue()


def by_agreement(access: AccessMap) -> frozenset[str]:
    """The purposes that rest on consent or a contract."""
    bases = ("consent", "contract")
    return frozenset(name for name, purpose in access.purposes.items() if purpose.legal_basis in bases)


def _items(services: Services, dossier: Dossier, redaction: Redaction) -> Iterator[dict[str, Any]]:
    purposes, cache = by_agreement(services.access), dict[str, bool]()
    mine = {row.id for row in dossier.rows}
    for row in dossier.rows:
        type_ = services.ontology.type(row.type)
        if row.source == DESK:
            continue
        values = {}
        for name, value in row.values.items():
            prop = type_.properties[name]
            if prop.category not in cache:
                cache[prop.category] = _goes(services.access, purposes, prop.category)
            if cache[prop.category] and (prop.range is None or value in mine):
                values[name] = redaction.clean(value)
        if values:
            yield {
                "kind": row.type,
                "record": row.record_key,
                "source": row.source,
                "stated_at": row.observed_at or row.landed_at,
                "values": values,
            }


def _goes(access: AccessMap, purposes: frozenset[str], category: str) -> bool:
    if any(covers(upper, category) for upper in INFERRED):
        return False
    return any(
        access.decide(frozenset({role}), purpose, category).effect is not Effect.DENY
        for role in access.roles
        for purpose in purposes
    )


def _harmless(value: Any) -> Any:
    """The value so that no spreadsheet takes it for a formula."""
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "@") else value
