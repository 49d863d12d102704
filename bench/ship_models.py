"""Makes the match models that the hub ships out of a seeded world of made-up people and organisations.

    python bench/ship_models.py [--people 60000] [--organisations 8000] [--seed 20260101]

The same arguments give the same files, byte for byte. `docs/resolution-quality.md` says how good they are.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from dataclasses import replace

from parties import Party, World

from hub.graph.resolution.learning import learn
from hub.graph.resolution.models import SHIPPED
from hub.graph.resolution.profiles import Kind, profile_of

SETTINGS = {"person": {"merge_weight": 2.0, "review_weight": -2.0}, "organization": {"merge_weight": 1.0}}
"""Where the shipped models differ from what learning chooses; docs/resolution-quality.md says why."""


def ship(kind: Kind, parties: Iterable[Party]) -> None:
    made = list(parties)
    profiles = [profile_of(kind, party.values) for party in made]
    model = learn(kind, profiles, f"standard-{kind}", truth=[party.true_id for party in made])
    settings = model.settings.model_copy(update=SETTINGS[kind])
    replace(model, settings=settings).write(SHIPPED / kind)
    for file in (SHIPPED / kind).iterdir():
        # Made-up names are nobody's: these files are for everybody to read.
        file.chmod(0o644)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=60_000)
    parser.add_argument("--organisations", type=int, default=8_000)
    parser.add_argument("--seed", type=int, default=20260101)
    given = parser.parse_args()
    world = World(given.seed)
    ship("person", world.people(given.people))
    ship("organization", world.organisations(given.organisations))


if __name__ == "__main__":
    main()
