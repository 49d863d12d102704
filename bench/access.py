"""Access: how long a policy takes to compile, and a decision to be looked up.

    python bench/access.py [--rounds 20] [--check]

A drawn policy of 14 roles and 12 purposes over all data categories of the taxonomy, of as many grants as a large
company may write, and the shipped one. Times are of CPU, the least and the median of all rounds: a busy machine bends
the median.
`--check` makes a missed target exit code 1.
"""

from __future__ import annotations

import argparse
import random
import statistics
import sys
import time
from collections.abc import Callable
from datetime import date
from itertools import cycle, islice, product
from pathlib import Path

from hub.access import MASKS, AccessMap, Grant, Policy, Purpose, Role, compile_policy, load_policy
from hub.ontology import Taxonomy, load_ontology

POLICY = Path(__file__).parent.parent / "policy.yaml"
ROLES, PURPOSES, GRANTS = 14, 12, 400
COMPILE_MS = 100.0
DECISION_US = 1.0
DECISIONS = 100_000


def drawn(taxonomy: Taxonomy) -> Policy:
    """A large policy, the same each time."""
    draw = random.Random("access")
    roles = [f"role_{number}" for number in range(ROLES)]
    purposes = [f"purpose_{number}" for number in range(PURPOSES)]
    effects = ["allow", "allow", "deny", *(f"mask:{name}" for name in MASKS)]
    grants = tuple(
        Grant(
            roles=tuple(draw.sample(roles, draw.randint(1, 4))),
            purposes=tuple(draw.sample(purposes, draw.randint(1, 4))),
            categories=tuple(draw.sample(sorted(taxonomy.categories), draw.randint(1, 8))),
            effect=draw.choice(effects),
            why=f"reason {number}",
            owner="desk",
            review=date(2027, 1, 1),
        )
        for number in range(GRANTS)
    )
    role = Role(label="Role", department="desk", default_purpose=purposes[0])
    purpose = Purpose(label="Purpose", data_use="sales", legal_basis="contract", retention_days=1)
    return Policy(
        departments={"desk": "Desk"},
        roles=dict.fromkeys(roles, role),
        purposes=dict.fromkeys(purposes, purpose),
        grants=grants,
    )


def cpu_s(act: Callable[[], object], rounds: int) -> tuple[float, float]:
    """Least and median seconds of CPU."""
    found = []
    for _ in range(rounds):
        begin = time.process_time()
        act()
        found.append(time.process_time() - begin)
    return min(found), statistics.median(found)


def decide_all(access: AccessMap) -> Callable[[], None]:
    """Decisions over all roles, purposes and categories, in an order that no cache could guess."""
    cells = list(product(access.roles, access.purposes, access.categories))
    random.Random("cells").shuffle(cells)
    asked = [
        (frozenset({role}), purpose, category) for role, purpose, category in islice(cycle(cells), DECISIONS)
    ]
    decide = access.decide

    def act() -> None:
        for roles, purpose, category in asked:
            decide(roles, purpose, category)

    return act


def main() -> None:
    """Measure, print a table, check the targets."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--check", action="store_true")
    given = parser.parse_args()
    taxonomy = load_ontology().taxonomy
    missed = False
    print("| policy | grants | cells | compiled in ms, least / median | a decision in us, least / median |")
    print("|---|---|---|---|---|")
    for name, policy in (("drawn", drawn(taxonomy)), ("shipped", load_policy(POLICY, taxonomy))):
        access = compile_policy(policy, taxonomy)
        compiled = [
            1e3 * s for s in cpu_s(lambda policy=policy: compile_policy(policy, taxonomy), given.rounds)
        ]
        decided = [1e6 * s / DECISIONS for s in cpu_s(decide_all(access), given.rounds)]
        cells = len(access.roles) * len(access.purposes) * len(access.categories)
        times = f"{compiled[0]:.1f} / {compiled[1]:.1f} | {decided[0]:.2f} / {decided[1]:.2f}"
        print(f"| {name} | {len(policy.grants)} | {cells:,} | {times} |")
        missed |= compiled[0] >= COMPILE_MS or decided[0] >= DECISION_US
    if given.check and missed:
        sys.exit(f"a target is missed: {COMPILE_MS:.0f} ms to compile, {DECISION_US:.0f} us a decision")


if __name__ == "__main__":
    main()
