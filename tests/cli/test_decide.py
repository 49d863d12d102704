"""`hub resolve` as a data steward uses it: what it prints, what it does, and who looked."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from hub.audit import Action
from hub.cli import app
from hub.services import Services, open_services
from hub.settings import load_settings
from hub.store import fixed
from tests.commands.command_world import ANN
from tests.commands.stewards_world import REASON, TOY, StewardShop

VALUES = (ANN["name"], ANN["email"], ANN["street"], ANN["postcode"], "7001")
WHY = ("--reason", REASON)


def run(*words: str) -> Result:
    return CliRunner().invoke(app, ["resolve", *words], catch_exceptions=False)


@contextmanager
def hub(shop: StewardShop) -> Iterator[Services]:
    with open_services(load_settings(), {}) as services:
        shop.services = services
        yield services


def ids(shop: StewardShop) -> tuple[str, str, str, str]:
    """The customers of Ann and of her namesake, and their parties."""
    with hub(shop):
        customers = shop.customer("club", "1"), shop.customer("till", "9")
        return *customers, shop.party("club", "1"), shop.party("till", "9")


def said(result: Result) -> str:
    assert result.exit_code == 0, result.output
    assert not [value for value in VALUES if value in result.output]
    return result.output


def act_of(result: Result) -> str:
    found = re.match(r"Act (\S+): ", said(result))
    assert found
    return found[1]


def test_a_steward_looks_asks_decides_and_takes_back(shop: StewardShop) -> None:
    ann, other, one, two = ids(shop)
    queue = said(run("review", "--kind", "doubt"))
    assert queue.startswith("doubt worth 0.")
    assert f"{min(one, two)}:{max(one, two)}" in queue
    assert "not one customer, too_little" in said(run("explain", one, two))
    why = said(run("why-not", ann, other))
    assert re.search(r"\+6\.61  given: \S", why)
    assert "in all; +6.00 would be enough" in why
    act = act_of(run("same", f"{one}:{two}", *WHY))
    assert f"{ann}: 2 parties" in said(run("customer", other))
    assert "weakest:" in said(run("customer", ann))
    assert "same" in said(run("decisions", "--act", act))
    assert "1 decisions, 1 of them the same; precision 1.0000, recall 0.0000" in said(run("agreement"))
    assert said(run("review")) == "Nothing is in doubt.\n"
    assert f"customers now: {ann}, {other}." in said(run("undo", act, *WHY))
    assert ", undone" in said(run("decisions", "--party", one))
    act_of(run("not-same", f"{two}:{one}", *WHY))
    assert ids(shop)[:2] == (ann, other)


def test_customers_are_merged_and_parted_again(shop: StewardShop) -> None:
    ann, other, _, two = ids(shop)
    key = ("--key", "once")
    act = act_of(run("merge", ann, other, *WHY, *key))
    assert act_of(run("merge", ann, other, *WHY, *key)) == act
    assert ids(shop)[:2] == (ann, ann)
    act_of(run("unmerge", ann, two, *WHY))
    assert ids(shop)[:2] == (ann, other)
    with hub(shop) as services:
        event = services.audit.event(services.audit.number_of(act))
    assert (event.action, event.roles, event.actor.partition(":")[0]) == (
        Action.REVIEW_DECIDED,
        ("operator",),
        "os",
    )


def test_who_looked_is_on_record(shop: StewardShop) -> None:
    ann, other, one, two = ids(shop)
    for words in (
        ("review",),
        ("explain", one, two),
        ("why-not", ann, other),
        ("customer", ann),
        ("household", ann),
        ("decisions",),
        ("preview",),
        ("agreement",),
    ):
        said(run(*words))
    with hub(shop) as services:
        read = [each.event for each in services.audit.events(limit=1_000) if each.event.action is Action.READ]
    assert [event.reason_code for event in read] == [
        "match_review",
        "explain_match",
        "why_not",
        "explain_customer",
        "explain_household",
        "match_decisions",
        "match_preview",
        "match_agreement",
    ]
    assert {event.actor.partition(":")[0] for event in read} == {"os"}


def test_another_merge_weight_or_model_is_previewed(shop: StewardShop, tmp_path: Path) -> None:
    ann, other, one, two = ids(shop)
    assert said(run("preview")) == (
        "0 customers would be made of several, 0 would split.\n0 decisions would hold, 0 would not.\n"
    )
    lax = said(run("preview", "--merge-weight", "1"))
    assert f"merge {ann}, {other}\n" in lax
    assert "0 customers" in said(run("preview", "--merge-weight", "1", "--kind", "organization"))
    model = tmp_path / "other"
    shutil.copytree(TOY, model)
    settings = (model / "model.yaml").read_text()
    (model / "model.yaml").write_text(settings.replace("merge_weight: 6", "merge_weight: 1"))
    assert said(run("preview", "--model", str(model))) == lax
    act_of(run("same", f"{one}:{two}", *WHY))
    assert "1 decisions would hold, 0 would not." in said(run("preview", "--merge-weight", "60"))
    assert ids(shop)[:2] == (ann, ann)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("same", "one", *WHY), "LEFT:RIGHT"),
        (("review", "--kind", "odd"), "a kind is one of doubt, apart, weak"),
        (("undo", "nothing", *WHY), "could be undone"),
    ],
)
def test_what_makes_no_sense_is_refused(shop: StewardShop, words: tuple[str, ...], message: str) -> None:
    result = run(*words)
    assert (result.exit_code, message in result.stderr) == (1, True)
    assert ids(shop)[0]


def test_nothing_was_decided_yet(shop: StewardShop) -> None:
    assert said(run("decisions")) == "Nothing was decided.\n"
    assert ids(shop)[0]


def test_a_steward_sees_with_whom_a_customer_lives_and_why(shop: StewardShop) -> None:
    ann, other, _, _ = ids(shop)
    with hub(shop) as services, services.store.write() as connection:
        connection.exec_driver_sql("DELETE FROM housemate")
    assert said(run("household", ann)) == "Nobody is known to live with this customer.\n"
    with hub(shop) as services, services.store.write() as connection:
        rows = [(ann, other, True, True, False, False), (other, ann, True, True, False, False)]
        columns = ("customer_id", "other_id", "address", "family_name", "contact", "account")
        services.store.dialect.insert(connection, fixed.housemate, columns, rows)
        homes = [(ann, "{}", "2026-01-02"), (other, "{}", "2026-01-03")]
        services.store.dialect.upsert(connection, fixed.home, ("customer_id", "content", "stated_at"), homes)
    assert said(run("household", ann)) == f"{other}: address, family_name; since 2026-01-03\n"
