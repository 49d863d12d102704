"""The demo company with the rules that it ships: what years later is overdue goes, and no sync brings it back."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from hub.audit import Action, EventFilter
from hub.commands import Author
from hub.privacy.retention import RunRetention, retention_report, run_retention
from tests.demo.test_erased import demo

LATER = datetime(2029, 7, 1, tzinfo=UTC)


def test_years_later_nothing_overdue_is_left_and_nothing_comes_back(tmp_path: Path) -> None:
    with demo(tmp_path, 7, None) as services:
        author = Author.operator("os:tester", services.access)
        before = retention_report(services, author, at=LATER)
        due = {rule.name: rule.due for rule in before.rules if rule.due}
        assert {"conversations", "offers", "prospects"} <= due.keys()
        assert any(rule.bound for rule in before.rules)
        done = run_retention(services, author, RunRetention("later", scrub=False), now=LATER)
        assert (done.overdue, done.remaining) == (0, 0)
        assert sum(done.rows.values()) + done.customers > 0
        assert services.audit.verify().ok
        for source in services.sources.configs:
            # The sources send what is new alone: forget how far they were read.
            with services.store.write() as connection:
                connection.exec_driver_sql("UPDATE stream_state SET cursor = NULL")
            report = services.syncer.sync(source)
            assert report.total.reconciles
            assert report.state in ("ok", "suspect"), report.doubts
        assert retention_report(services, author, at=LATER).overdue == 0
        services.publish_events()
        batches = services.audit.events(EventFilter(actions=(Action.ERASED,)), limit=1000)
        assert [each.event.id for each in batches] == list(done.erasures)
