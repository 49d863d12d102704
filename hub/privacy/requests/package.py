"""The answer to who asks for their data: all of it, where it came from, what for, who gets it (GDPR Art. 15).

The package is made anew each time it is handed out and kept nowhere. What others could be told by is taken out of it
(`redaction.py`); employees stay unnamed, as they are no recipients (CJEU C-579/21), their departments are told.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Final

from hub.access import Effect
from hub.adapters.dossier import Dossier
from hub.audit import ACCESSES, RecordedEvent, Wanted, find
from hub.commands.request_register import KeptRequest
from hub.graph.entities import STAFF
from hub.privacy.requests.planning import Known, covers
from hub.privacy.requests.redaction import Redaction
from hub.services import Services

FORMAT: Final = "privacy-access-package/1"
_PAGE: Final = 1000
RIGHTS: Final = (
    ("Rectification", "to have what is wrong put right", "Art. 16"),
    ("Erasure", "to have data erased, where no law has it kept", "Art. 17"),
    ("Restriction", "to have data kept without being used", "Art. 18"),
    ("Portability", "to get what you gave in a form that machines read", "Art. 20"),
    ("Objection", "to object to uses that rest on interests, and to direct marketing at any time", "Art. 21"),
    ("Human review", "to have somebody look at what was decided of you by machine alone", "Art. 22(3)"),
    ("Withdrawal", "to take back a consent at any time", "Art. 7(3)"),
    ("Complaint", "to complain to a supervisory authority", "Art. 77"),
)
PROFILING: Final = (
    "Records of several systems are taken to be the same person's by the weight of evidence in names, addresses, dates"
    " and identifiers (Fellegi-Sunter match weights in bits); doubtful pairs are decided by a person. No decision with"
    " legal or similar effect on you is made by that alone."
)


class Package:
    """The package of one person."""

    def __init__(self, services: Services, request: KeptRequest, dossier: Dossier | None) -> None:
        self._services, self._request, self._dossier = services, request, dossier
        self._known = Known.of(services, dossier) if dossier is not None else Known(frozenset(), frozenset())
        self._redaction = Redaction(dossier)

    @property
    def categories(self) -> tuple[str, ...]:
        """The data categories that are held of the person."""
        return tuple(sorted(self._known.categories))

    def content(self) -> dict[str, Any]:
        """The whole package, as JSON has it."""
        dossier = self._dossier
        told: dict[str, Any] = {
            "format": FORMAT,
            "request": {
                "id": self._request.id,
                "law": self._request.law,
                "received": self._request.received_at,
            },
            "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "controller": self._controller(),
            "rights": [{"right": name, "what": what, "article": article} for name, what, article in RIGHTS],
            "holds_data": dossier is not None,
        }
        if dossier is None:
            return told
        return {
            **told,
            "customer_ids": list(dossier.customers),
            "known_since": dossier.since,
            "profile": self._profile(dossier),
            "statements": list(self._statements(dossier)),
            "identifiers": [{"scheme": scheme, "value": value} for scheme, value in dossier.identifiers],
            "records": [self._raw(each) for each in dossier.records],
            "calls": [self._redaction.clean(dict(call)) for call in dossier.calls],
            "restrictions": list(dossier.bars),
            "household": {"others": dossier.housemates},
            "purposes": list(self._purposes()),
            "categories": [self._category(key) for key in self.categories],
            "recipients": list(self._partners()),
            "disclosures": self._disclosures(dossier),
            "profiling": self._profiling(dossier),
            "redacted": self._redaction.count,
        }

    def _controller(self) -> dict[str, Any]:
        organisation = self._services.organisation
        controller, dpo = organisation.controller, organisation.dpo
        return {
            "name": controller.name if controller is not None else None,
            "contact": controller.contact.model_dump(exclude_none=True) if controller is not None else None,
            "dpo": dpo.model_dump(exclude_none=True) if dpo is not None else None,
            "privacy_policy": organisation.privacy_policy,
        }

    def _profile(self, dossier: Dossier) -> list[dict[str, Any]]:
        """What is served of the person, each value with who states it."""
        props, parties = self._services.ontology.customer_properties, {row.id: row for row in dossier.rows}
        told = []
        for name, value in dossier.golden.items():
            party = parties.get(dossier.won.get(name, {}).get("party", ""))
            said = {"property": name, "label": props[name].label, "category": props[name].category}
            source = self._label(party.source) if party is not None else None
            as_of = (party.observed_at or party.landed_at) if party is not None else None
            told.append({**said, "value": value, "source": source, "as_of": as_of})
        return told

    def _statements(self, dossier: Dossier) -> Iterator[dict[str, Any]]:
        """Each entity as a source states it, each of its values with its category."""
        for row in dossier.rows:
            type_ = self._services.ontology.type(row.type)
            values = [
                {
                    "property": name,
                    "label": type_.properties[name].label,
                    "category": type_.properties[name].category,
                    "value": self._value(dossier, type_.properties[name].range, value),
                }
                for name, value in row.values.items()
            ]
            yield {
                "kind": type_.label,
                "type": row.type,
                "source": self._label(row.source),
                "system": row.source,
                "stream": row.stream,
                "record": row.record_key,
                "stated_at": row.observed_at or None,
                "collected_at": row.landed_at,
                "collected_from": "our staff" if row.source in STAFF else "the source system",
                "values": values,
            }

    def _value(self, dossier: Dossier, range_: str | None, value: Any) -> Any:
        if range_ is None:
            return self._redaction.clean(value)
        mine = {row.id for row in dossier.rows}
        parties = {type_.name for type_ in self._services.ontology.range_types(range_) if type_.is_party}
        return (
            value if not parties or value in mine else self._redaction.mark("another person or organisation")
        )

    def _raw(self, record: Any) -> dict[str, Any]:
        return {
            "place": record.place,
            "source": self._label(record.source),
            "stream": record.stream,
            "collected_at": record.landed_at,
            "content": self._redaction.clean(record.payload),
        }

    def _label(self, source: str) -> str:
        system = self._services.organisation.systems.get(source)
        config = self._services.sources.configs.get(source)
        if system is not None:
            return system.label
        return (config.label if config is not None else None) or source

    def _category(self, key: str) -> dict[str, Any]:
        term = self._services.ontology.taxonomy.categories.get(key)
        return {"category": key, "label": term.label if term is not None else key}

    def _purposes(self) -> Iterator[dict[str, Any]]:
        """What the data are used for, by the policy in force: basis, time, departments, categories."""
        access = self._services.access
        for name, purpose in access.purposes.items():
            seen: dict[str, set[str]] = defaultdict(set)
            for role_name, role in access.roles.items():
                for category in self._known.categories:
                    if access.decide(frozenset({role_name}), name, category).effect is not Effect.DENY:
                        seen[role.department].add(category)
            if seen:
                yield {
                    "purpose": name,
                    "label": purpose.label,
                    "data_use": purpose.data_use,
                    "legal_basis": purpose.legal_basis,
                    "retention_days": purpose.retention_days,
                    "departments": sorted(access.policy.departments[each] for each in seen),
                    "categories": sorted(set().union(*seen.values())),
                    "notice": self._services.organisation.notices.get(name),
                }

    def _partners(self) -> Iterator[dict[str, Any]]:
        """Who outside gets such data, by name, with where and on which ground it goes abroad."""
        for partner in self._services.organisation.partners.values():
            got = {
                category
                for received in partner.receives
                for category in self._known.categories
                if any(covers(upper, category) for upper in received.categories)
            }
            if got:
                yield {
                    "name": partner.label,
                    "role": partner.role,
                    "countries": list(partner.countries),
                    "transfer_mechanism": partner.transfer_mechanism,
                    "purposes": sorted({name for received in partner.receives for name in received.purposes}),
                    "categories": sorted(got),
                }

    def _disclosures(self, dossier: Dossier) -> list[dict[str, Any]]:
        """Who was told of the person, by department, role and purpose: from the audit log, not from memory."""
        groups: dict[tuple[str, str, str, str], list[RecordedEvent]] = defaultdict(list)
        for each in self._told_of(dossier):
            event = each.event
            key = (event.action.value, event.department or "", ", ".join(event.roles), event.purpose or "")
            groups[key].append(each)
        departments = self._services.access.policy.departments
        return [
            {
                "how": action,
                "department": departments.get(department, department or "operation of the hub"),
                "roles": roles,
                "purpose": purpose,
                "times": len(events),
                "first": _moment(events[0]),
                "last": _moment(events[-1]),
                "categories": sorted(
                    {category for each in events for category in each.event.data_categories}
                ),
            }
            for (action, department, roles, purpose), events in sorted(groups.items())
        ]

    def _told_of(self, dossier: Dossier) -> Iterator[RecordedEvent]:
        wanted, after = Wanted(actions=ACCESSES, customers=dossier.customers), -1
        while True:
            page = find(self._services.audit, wanted, first=_PAGE, after=after)
            yield from page.events
            if page.next is None:
                return
            after = page.next

    def _profiling(self, dossier: Dossier) -> dict[str, Any]:
        parties = [row for row in dossier.rows if row.id in dossier.parties and row.source not in STAFF]
        told = [{"source": self._label(row.source), "record": row.record_key} for row in parties]
        pairs = [{"evidence_bits": round(weight, 1), "joined": joined} for weight, joined in dossier.matches]
        return {"logic": PROFILING, "records_taken_as_one": told, "matches": pairs}


def _moment(each: RecordedEvent) -> str:
    return each.event.at.isoformat(timespec="seconds")
