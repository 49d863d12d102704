"""Each check of the contract rejects an adapter that breaks its promise, and none rejects one that keeps all."""

from __future__ import annotations

import pytest

from hub.adapters.drift import Field
from hub.adapters.kit.checks import CHECKS
from hub.adapters.kit.contract import failures, verdicts
from hub.adapters.mapping import compile_stream
from hub.adapters.specs import EntitySpec, SourceConfig, StreamConfig
from hub.ontology import load_ontology
from tests.adapters.kit.broken import BROKEN, BrokenRead, GoodConfig, GoodConnector, Hasty, subject_of

ONTOLOGY = load_ontology()


def mapping():
    entity = {"type": "Order", "properties": {"orderNumber": "name", "total": "total"}}
    stream = StreamConfig(
        read=BrokenRead(), key="id", cursor="at", entities=(EntitySpec.model_validate(entity),)
    )
    source = SourceConfig(
        source="tested", currency="GBP", connector=GoodConfig(), streams={"records": stream}
    )
    return compile_stream(source, stream, ONTOLOGY, "records")


def subject(connector):
    known = {"total": Field(frozenset({"number"}), always=True)}
    return subject_of(connector, mapping=mapping(), deletes="full_scan", known=known)


def test_an_adapter_that_keeps_its_promises_passes_every_check():
    assert {each.check: each.state for each in verdicts(subject(GoodConnector))} == {
        check.name: "ok" for check in CHECKS
    }


@pytest.mark.parametrize("broken", BROKEN, ids=lambda each: f"{each.check}-{each.connector.__name__}")
def test_a_broken_adapter_is_rejected_by_the_check_of_its_promise(broken):
    found = {each.check: each for each in verdicts(subject(broken.connector))}[broken.check]
    assert found.state == "failed"
    assert broken.says in found.detail
    assert "hunter2" not in found.detail
    assert failures(subject(broken.connector))


def test_no_check_lacks_an_adapter_that_it_must_reject():
    assert {broken.check for broken in BROKEN} == {check.name for check in CHECKS}


def test_checks_have_names_and_promises_of_their_own():
    assert len({check.name for check in CHECKS}) == len({check.promise for check in CHECKS}) == len(CHECKS)


def test_of_a_long_stream_the_beginning_is_looked_at():
    cut = subject_of(GoodConnector, limit=120)
    assert not cut.whole.is_whole
    assert failures(cut) == []
    found = {each.check: each for each in verdicts(subject_of(Hasty, limit=120))}["resumes"]
    assert "interrupted after batch 1" in found.detail
