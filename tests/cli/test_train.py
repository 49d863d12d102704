"""`hub resolve train` without a file: a model out of the hub's own profiles."""

from __future__ import annotations

from pathlib import Path

from hub.audit import Action
from hub.graph.resolution.models import load_model
from tests.cli.test_decide import hub, run, said
from tests.commands.command_world import ANN
from tests.commands.stewards_world import StewardShop

GIVEN = ("Ada", "Bob", "Cleo", "Dan", "Eve", "Finn", "Gus", "Hal")
FAMILY = ("Abel", "Bond", "Cole", "Dean", "Eden", "Ford")


def people() -> list[dict[str, str]]:
    """One of each name; the addresses of some are known."""
    return [
        {
            **ANN,
            "key": f"{place}{number}",
            "name": f"{given} {family}",
            "postcode": f"AB{number} {place}CD",
            "email": f"{given}.{family}@example.com" if (place + number) % 3 else "",
            "card": "",
        }
        for place, given in enumerate(GIVEN)
        for number, family in enumerate(FAMILY)
    ]


def test_a_model_is_learnt_from_the_store_which_leaves_an_audit_event(
    shop: StewardShop, tmp_path: Path
) -> None:
    with hub(shop):
        shop.write("club", people())
        shop.write("till", [{**each, "changed": "2026-02-01"} for each in people()[::2]])
        shop.sync()
    told = said(run("train", "--out", str(tmp_path / "m")))
    assert "72 records" in told
    assert " of them kept apart now" in told
    assert not [name for name in (*GIVEN, *FAMILY) if name in told.replace(str(tmp_path), "")]
    assert load_model(tmp_path / "m").settings.kind == "person"
    assert (tmp_path / "m" / "thresholds.svg").read_text().count("<polyline") == 2
    some = said(run("train", "--out", str(tmp_path / "s"), "--sample", "40"))
    assert "72 records" not in some
    with hub(shop) as services:
        events = [each.event for each in services.audit.events(limit=1_000)]
    read = [event for event in events if event.action is Action.READ]
    assert [(event.reason_code, event.counts["results"]) for event in read][:1] == [("match_sample", 72)]
    assert {event.actor.partition(":")[0] for event in read} == {"os"}
