"""What the `hub` command shows: tables, progress bars and reports, without values of personal data."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from hub.adapters.kit.contract import Verdict
from hub.adapters.kit.coverage import Coverage
from hub.adapters.preview import Preview, form, shown_values
from hub.adapters.quarantine import Quarantined
from hub.adapters.runs import Counts, RunReport
from hub.adapters.status import SourceStatus

if TYPE_CHECKING:
    from hub.schema import ShippedDocument

_STATE_STYLES = {
    "ok": "green",
    "suspect": "yellow",
    "removed": "yellow",
    "failed": "red",
    "interrupted": "red",
    "running": "cyan",
}


def _styled(state: str) -> str:
    style = _STATE_STYLES.get(state)
    return f"[{style}]{state}[/]" if style else state


def ago(seconds: int | None) -> str:
    """A span of time as a person says it.

    >>> ago(90), ago(7200), ago(None)
    ('1 min', '2 h', 'never')
    """
    if seconds is None:
        return "never"
    for unit, length in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= length:
            return f"{seconds // length} {unit}"
    return f"{seconds} s"


@contextmanager
def sync_progress(console: Console, names: Sequence[str]) -> Iterator[SyncProgress]:
    """Progress bars of several syncs, one line a source."""
    bars = Progress(
        SpinnerColumn(),
        TextColumn("[bold]{task.description:<10}"),
        BarColumn(bar_width=24),
        TextColumn("{task.fields[numbers]}"),
        TimeElapsedColumn(),
        console=console,
    )
    with bars:
        yield SyncProgress(bars, {name: bars.add_task(name, total=None, numbers="waiting") for name in names})


class SyncProgress:
    """Shows what each source's run has done so far."""

    def __init__(self, bars: Progress, tasks: dict[str, TaskID]) -> None:
        self._bars, self._tasks = bars, tasks
        self._done: dict[tuple[str, str], Counts] = {}

    def update(self, source: str, stream: str, counts: Counts) -> None:
        """Take over what a batch has added."""
        self._done[source, stream] = counts
        total = Counts()
        for (name, _), each in self._done.items():
            if name == source:
                total.add(each)
        self._bars.update(self._tasks[source], numbers=_numbers(total, stream))

    def finish(self, report: RunReport) -> None:
        """Show a run's end."""
        read = max(report.total.read, 1)
        numbers = f"{_styled(report.state)}: {_numbers(report.total)}"
        self._bars.update(self._tasks[report.source], total=read, completed=read, numbers=numbers)
        self._bars.stop_task(self._tasks[report.source])


def _numbers(counts: Counts, stream: str = "") -> str:
    parts = [
        f"{counts.read:,} read",
        f"{counts.accepted:,} new or changed",
        f"{counts.unchanged:,} unchanged",
    ]
    parts += [f"{counts.deleted:,} deleted"] if counts.deleted else []
    parts += [f"[yellow]{counts.quarantined:,} quarantined[/]"] if counts.quarantined else []
    parts += [f"{counts.suppressed:,} suppressed"] if counts.suppressed else []
    return (f"{stream}: " if stream else "") + ", ".join(parts)


def print_report(console: Console, report: RunReport) -> None:
    """A run's counts by stream, and what to look at; a run that could not start has no number."""
    run = f"run {report.run_id}, " if report.run_id else ""
    table = Table(title=f"{report.source}: {run}{_styled(report.state)}", title_justify="left")
    table.add_column("stream")
    for heading in ("read", "unchanged", "accepted", "quarantined", "suppressed", "deleted", "entities"):
        table.add_column(heading, justify="right")
    for name, counts in [*sorted(report.streams.items()), ("total", report.total)]:
        row = (
            *(counts.read, counts.unchanged, counts.accepted),
            *(counts.quarantined, counts.suppressed, counts.deleted),
        )
        table.add_row(name, *(f"{number:,}" for number in row), f"{counts.entities_written:,}")
    console.print(table)
    for doubt in report.doubts:
        console.print(f"  [yellow]![/] {escape(doubt)}", highlight=False)


def print_sources(console: Console, statuses: Sequence[SourceStatus]) -> None:
    """The sources' states, ages, counts and drift."""
    table = Table("source", "state", "last success", title="Sources", title_justify="left")
    for heading in ("records", "quarantined"):
        table.add_column(heading, justify="right")
    table.add_column("drift")
    for status in statuses:
        drift = ", ".join(f"{stream}.{each.field} {each.kind}" for stream, each, _ in status.drift)
        table.add_row(
            f"{status.name}\n[dim]{status.label}[/]",
            _styled(status.state),
            ago(status.lag_s) + (" ago" if status.lag_s is not None else ""),
            f"{status.records:,}",
            f"{status.waiting:,}",
            drift,
        )
    console.print(table)
    for status in statuses:
        if status.message:
            console.print(f"  [yellow]![/] {status.name}: {status.message}", highlight=False)


def print_preview(console: Console, preview: Preview, *, values: bool) -> None:
    """What a stream's first records would become, what would be refused, and what is not mapped."""
    console.rule(f"{preview.stream}: {preview.read} records read", align="left")
    for position, entity in preview.entities:
        console.print(f"[bold]{entity.type}[/] {position} [dim]{entity.id}[/]", highlight=False)
        for name, text in shown_values(entity, values=values).items():
            console.print(f"    {name:<20} {text}", highlight=False, markup=False)
    for refused in preview.refused:
        console.print(
            f"[yellow]would be quarantined[/] {refused.position}: {refused.field}: {refused.reason} ({refused.code})",
            highlight=False,
        )
    if preview.unmapped:
        console.print(f"[dim]not mapped: {', '.join(preview.unmapped)}[/]", highlight=False)


def print_quarantine(console: Console, waiting: Sequence[Quarantined]) -> None:
    """Waiting records: where they came from, which field, why."""
    table = Table("no.", "source", "position", "field", "reason", "tries", "since", title="Quarantine")
    for each in waiting:
        table.add_row(
            str(each.id),
            f"{each.source}.{each.stream}",
            each.position,
            each.field,
            f"{each.reason} [dim]({each.code})[/]",
            str(each.attempts),
            each.first_seen_at[:16].replace("T", " "),
        )
    console.print(table)


def print_quarantined(console: Console, one: Quarantined, *, values: bool) -> None:
    """One waiting record with its payload, or the payload's form."""
    print_quarantine(console, [one])
    raw = one.payload or ""
    console.print(raw if values else form(raw, limit=4000), highlight=False, markup=False, soft_wrap=True)


def print_shipped(console: Console, documents: Sequence[ShippedDocument]) -> None:
    """Show the names of documents, their ids by hash, and what they answer."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("name", no_wrap=True)
    table.add_column("id", no_wrap=True)
    table.add_column("answers")
    for document in documents:
        table.add_row(document.name, document.id, escape(document.about))
    console.print(table)


def print_verdicts(console: Console, source: str, verdicts: Sequence[Verdict]) -> None:
    """What each check said of each stream."""
    for stream in dict.fromkeys(each.stream for each in verdicts):
        mine = [each for each in verdicts if each.stream == stream]
        table = Table("check", "", "promise", title=f"{source}.{stream}", title_justify="left")
        for each in mine:
            style = {"ok": "green", "failed": "red"}.get(each.state, "dim")
            detail = f"\n{escape(each.detail)}" if each.detail else ""
            table.add_row(each.check, f"[{style}]{each.state}[/]", f"{each.promise}[{style}]{detail}[/]")
        console.print(table, highlight=False)
    failed = sum(each.state == "failed" for each in verdicts)
    passed = sum(each.state == "ok" for each in verdicts)
    console.print(
        f"{passed} promises kept, {failed} broken, {len(verdicts) - passed - failed} not checked",
        highlight=False,
    )


def print_coverage(console: Console, source: str, found: Coverage) -> None:
    """Fields of a stream, those that nothing maps first."""
    title = (
        f"{source}.{found.stream}: {found.share:.0%} of the fields of {found.records:,} records are mapped"
    )
    table = Table("field", "in", "mapped to", "detected", "category", title=title, title_justify="left")
    for each in found.fields:
        mapped = escape(", ".join(each.mapped_to)) or "[yellow]nothing[/]"
        there = f"{each.share:.0%}" if each.records else "[yellow]never[/]"
        table.add_row(escape(each.name), there, mapped, each.detected, each.category)
    console.print(table, highlight=False)
