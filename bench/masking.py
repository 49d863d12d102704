"""What access costs the 360 view: the same question of the same customers, as plans of other requesters put it.

    python bench/masking.py [--customers 500] [--rounds 40] [--check]

`whole` sees everything of everybody. The others differ in one thing each: `standing` leaves out who restricted or
objected, `masked` has names, addresses, numbers, dates and amounts masked as the shipped policy does for its roles,
`region` reaches one region, `consent` those who agreed. Every hundredth customer has a restriction. The plans' SQL is
run on SQLite, in this process, turn by turn; what counts is the least CPU time of a round, which a busy machine bends
least. `--check` fails where standing or masks add more than 5 %.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from serving.company import TRUST, Company
from serving.questions import HUB_360

from hub.access import AccessMap, Grant, Policy, Purpose, Requester, Role, compile_policy, plan_access
from hub.graph import GraphWriter
from hub.graph.plans import ReadPlan, answer
from hub.ontology import Ontology, load_ontology
from hub.schema.catalogue import make_catalogue
from hub.schema.planner import GraphQLRequest, Planner
from hub.settings import Settings
from hub.store import Store

LIMIT = 1.05
"""Times the plain question's CPU that standing and masks may take."""
CHECKED = ("standing", "masked")
COUNTRIES = ("DE", "ES", "FR", "GB")
PURPOSES = {
    "whole": {"sees_restricted": True},
    "standing": {},
    "masked": {"sees_restricted": True},
    "region": {"sees_restricted": True},
    "consent": {"sees_restricted": True, "requires_consent": True},
}
_MASKS = {
    "user.name": "initial",
    "user.contact.email": "email",
    "user.contact.phone_number": "phone",
    "user.contact.address.street": "last4",
    "user.financial": "band",
    "user.demographic.date_of_birth": "age_band",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print the table, and say whether the limit holds."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--customers", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--check", action="store_true")
    given = parser.parse_args(arguments)
    ontology = load_ontology()
    with tempfile.TemporaryDirectory() as folder:
        store = Store.open(f"sqlite:///{folder}/hub.sqlite", ontology)
        try:
            customers = _fill(store, given.customers)
            plans = _plans(ontology)
            best = _measured(store, plans, customers, given.rounds)
        finally:
            store.close()
    plain = best["whole"]
    print(f"{'requester':<10} {'us a question':>14} {'times whole':>12}")
    for name, cpu_s in best.items():
        print(f"{name:<10} {cpu_s / len(customers) * 1e6:>14.0f} {cpu_s / plain:>12.3f}")
    failed = [name for name in CHECKED if best[name] / plain > LIMIT]
    if given.check and failed:
        print(f"more than {LIMIT} times the plain question: {', '.join(failed)}", file=sys.stderr)
    return int(given.check and bool(failed))


def _fill(store: Store, customers: int) -> list[str]:
    writer = GraphWriter(store, TRUST, restate=lambda _connection, _heads: [])
    people = Company(store.secret)
    with store.write() as connection:
        writer.apply(connection, 1, people.products())
        writer.apply(connection, 1, [said for number in range(customers) for said in people.customer(number)])
        found = connection.exec_driver_sql("SELECT id FROM customer ORDER BY id").scalars().all()
        for place, id_ in enumerate(found):
            country = COUNTRIES[place % len(COUNTRIES)]
            connection.exec_driver_sql(
                "UPDATE customer SET address_country = :country WHERE id = :id",
                {"country": country, "id": id_},
            )
        for id_ in found[::100]:
            connection.exec_driver_sql(
                "INSERT INTO standing SELECT party_id, 'restriction', customer_id FROM membership"
                " WHERE customer_id = :id",
                {"id": id_},
            )
        connection.exec_driver_sql("ANALYZE")
    return [id_ for place, id_ in enumerate(found) if place % 100]


def _plans(ontology: Ontology) -> dict[str, ReadPlan]:
    access = _access(ontology)
    with tempfile.TemporaryDirectory() as no_queries:
        settings = Settings(queries_dir=Path(no_queries))
        planner = Planner(make_catalogue(ontology), settings, "sqlite", access)
    found = {}
    for name in PURPOSES:
        requester = Requester("u", frozenset({"r"}), "d", name, "c", (name,), (("region", COUNTRIES),))
        planned = planner.make(GraphQLRequest(HUB_360, None, {"id": ""}), plan_access(access, requester))
        if planned.plan is not None:
            found[name] = planned.plan.fields[0].plan
    return found


def _access(ontology: Ontology) -> AccessMap:
    grants = [
        _grant(name, category, "allow", "region" if name == "region" else "none")
        for name in PURPOSES
        for category in ontology.taxonomy.categories
        if name != "masked" or not any(category.startswith(masked) for masked in _MASKS)
    ]
    grants += [_grant("masked", category, f"mask:{mask}") for category, mask in _MASKS.items()]
    policy = Policy(
        departments={"d": "D"},
        roles={"r": Role(label="R", department="d", default_purpose="whole")},
        purposes={name: _purpose(**more) for name, more in PURPOSES.items()},
        grants=tuple(grants),
    )
    return compile_policy(policy, ontology.taxonomy)


def _purpose(**more: object) -> Purpose:
    use = {"label": "P", "data_use": "operations", "legal_basis": "contract", "retention_days": 1}
    return Purpose.model_validate({**use, **more})


def _grant(purpose: str, category: str, effect: str, scope: str = "none") -> Grant:
    rule = {"roles": "r", "purposes": purpose, "categories": category, "effect": effect, "scope": scope}
    return Grant.model_validate({**rule, "why": "bench", "owner": "d", "review": date(2099, 1, 1)})


def _measured(
    store: Store, plans: dict[str, ReadPlan], customers: Sequence[str], rounds: int
) -> dict[str, float]:
    """The least CPU seconds of a round over all customers, by requester."""
    best = dict.fromkeys(plans, float("inf"))
    for _ in range(rounds):
        for name, plan in plans.items():
            began = time.process_time()
            for customer in customers:
                answer(store, plan, {"id": customer})
            best[name] = min(best[name], time.process_time() - began)
    return best


if __name__ == "__main__":
    sys.exit(main())
