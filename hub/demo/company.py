"""The demo company "Harbour & Pine": five source systems about one invented population, and what is true of it."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from random import Random

from hub.demo import erp, legacy, pos, supply, support
from hub.demo.accounts import Registers, enrol
from hub.demo.people import BEST, Population, populate
from hub.demo.trade import trade
from hub.demo.truth import BestCustomer, Truth

TODAY = date(2026, 11, 1)
"""The demo's day unless another is given, fixed so that the same seed gives the same bytes on any day."""

SMALLEST = 20
"""Fewer people do not fill five systems."""


def generate(
    directory: Path,
    people: int = 2000,
    organisations: int = 150,
    seed: int = 7,
    *,
    today: date = TODAY,
    erp_url: str | None = None,
) -> Truth:
    """What is true of the company whose five systems now lie in `directory`, which must be new or empty.

    `erp.sqlite` (or the empty database at `erp_url`), the folders `pos`, `support`, `supply` and `legacy`, and the
    truth in `truth.json` and `truth.jsonl`. Sales grow with the people. The same arguments
    give the same files, byte for byte.

    Raises:
        ValueError: too few people, or the directory is not empty; give other arguments.
    """
    if people < SMALLEST or organisations < 1:
        raise ValueError(f"the demo needs at least {SMALLEST} people and 1 organisation")
    directory.mkdir(parents=True, exist_ok=True)
    if any(directory.iterdir()):
        raise ValueError(f"{directory} is not empty")
    population, registers = inhabitants(seed, people, organisations, today)
    history = trade(chance(seed, "trade"), population, registers, today)
    homes = {home.id: home.members for home in population.households}
    truth = Truth(seed, people, organisations, today, _best(registers), households=homes)
    erp.write(
        erp_url or erp_address(directory), erp.Books(chance(seed, "erp"), registers, history, truth).rows()
    )
    pos.write(directory / "pos", chance(seed, "pos"), population, registers, history.receipts, truth)
    support.write(directory / "support", chance(seed, "support"), registers, history, truth, people)
    supply.write(directory / "supply", chance(seed, "supply"), population, history, truth)
    legacy.write(directory / "legacy", chance(seed, "legacy"), registers, history, truth)
    truth.save(directory)
    return truth


def chance(seed: int, part: str) -> Random:
    """The stream of chance of one part: a change to one system leaves the others as they were."""
    return Random(f"{seed}:{part}")


def inhabitants(seed: int, people: int, organisations: int, today: date) -> tuple[Population, Registers]:
    """The population and its accounts, always the same for the same arguments."""
    population = populate(chance(seed, "people"), people, organisations, today)
    return population, enrol(chance(seed, "accounts"), population, today)


def erp_address(directory: Path) -> str:
    """SQLAlchemy URL of the ERP that `generate` makes in a directory."""
    return f"sqlite:///{directory / 'erp.sqlite'}"


def _best(registers: Registers) -> BestCustomer:
    return BestCustomer(
        true_id=BEST,
        customer_number=registers.erp.of[BEST][0].number,
        loyalty_card=registers.cards[BEST],
        legacy_account=registers.legacy.of[BEST][0].number,
        support_contact=registers.support.of[BEST][0].number,
    )
