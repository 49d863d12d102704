"""The `hub` command."""

from __future__ import annotations

import gc
import logging
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated
from uuid import uuid4

import stamina
import typer
from rich.markup import escape

from hub import (
    access_commands,
    commands,
    demo_run,
    erase_commands,
    glass_commands,
    payload_commands,
    reference,
)
from hub.access import AUDIENCE, DEMO_ISSUER, DemoIssuer
from hub.adapters import quarantine, source_statuses
from hub.adapters.preview import preview as preview_stream
from hub.adapters.runs import RunReport
from hub.adapters.sync import Progress
from hub.api import serve as serve_api
from hub.audit import Action, AuditEvent
from hub.audit_commands import audit_app
from hub.commandline import actor, command, out
from hub.errors import NotFoundError, QueryError, SourceError
from hub.key_commands import key_app
from hub.schema import shipped_documents
from hub.services import Services, load_configuration, open_services
from hub.settings import Settings, load_settings
from hub.terminal import (
    print_preview,
    print_quarantine,
    print_quarantined,
    print_report,
    print_shipped,
    print_sources,
    sync_progress,
)

app = typer.Typer(
    name="hub",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    help="One customer graph out of many source systems.",
)
quarantine_app = typer.Typer(no_args_is_help=True, help="Records that could not be accepted.")
restriction_app = typer.Typer(no_args_is_help=True, help="Who restricted the use of their data, or objected.")
consent_app = typer.Typer(no_args_is_help=True, help="What customers said yes or no to.")
interaction_app = typer.Typer(
    no_args_is_help=True, help="Calls, visits, messages and other touches with customers."
)
correction_app = typer.Typer(no_args_is_help=True, help="Values that win over what every source states.")
app.add_typer(quarantine_app, name="quarantine")
app.add_typer(consent_app, name="consent")
app.add_typer(restriction_app, name="restriction")
app.add_typer(interaction_app, name="interaction")
app.add_typer(correction_app, name="correction")
app.add_typer(audit_app, name="audit")
audit_app.add_typer(payload_commands.data_keys_app, name="data-keys")
command(audit_app, "show")(payload_commands.show)
app.add_typer(key_app, name="key")
access_commands.app.add_typer(glass_commands.app, name="glass")
app.add_typer(access_commands.app, name="access")
app.add_typer(erase_commands.app, name="erase")


@app.callback()
def _start() -> None:
    # What a retry waits for shows in the progress bars and, when it is in vain, in the run's report.
    stamina.instrumentation.set_on_retry_hooks([])
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s", level=logging.WARNING)
    # A line a request: what no line shows need not be found out.
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False


SourceName = Annotated[str, typer.Argument(help="Name of a source, as in its YAML.")]
Values = Annotated[
    bool, typer.Option("--values", help="Show values instead of their form; leaves an audit event.")
]

CustomerId = Annotated[str, typer.Argument(help="Public id of the customer.")]
PropertyName = Annotated[str, typer.Argument(help="A property of customers, such as `email`.")]
PropertyValues = Annotated[list[str], typer.Argument(help="What is said, each as property=value.")]
Reason = Annotated[str, typer.Option(help="Why; it is kept with the value.")]
IdempotencyKey = Annotated[
    str | None, typer.Option(help="Given again with the same command, it does nothing more.")
]


def _author(services: Services) -> commands.Author:
    return commands.Author.operator(actor(), services.access)


@command(app)
def check(
    schema: Annotated[
        Path | None, typer.Option(help="Also write the JSON Schema of the sources' YAML here.")
    ] = None,
) -> None:
    """Check ontology, policy, all sources and shipped queries; show every fault with its place."""
    settings = load_settings()
    found = load_configuration(settings)
    shipped = shipped_documents(settings, found.ontology, found.access)
    streams = sum(len(source.streams) for source in found.sources.values())
    if schema is not None:
        schema.write_text(reference.source_schema(found.ontology), encoding="utf-8")
    out.print(
        f"No fault: {len(found.ontology.types)} entity types, {len(found.access.roles)} roles, "
        f"{len(found.sources)} sources with {streams} streams, {len(shipped)} shipped queries."
    )


@command(app)
def queries(
    folder: Annotated[str | None, typer.Argument(help="Only those of this department or role.")] = None,
) -> None:
    """List the GraphQL documents that the hub ships, with the ids to ask for them by."""
    settings = load_settings()
    found = load_configuration(settings)
    shipped = shipped_documents(settings, found.ontology, found.access)
    if folder is not None and folder not in (known := {each.folder for each in shipped}):
        raise NotFoundError(f"there are no queries for {folder!r}, only for {', '.join(sorted(known))}")
    print_shipped(out, [each for each in shipped if folder in (None, each.folder)])


@command(app)
def preview(
    source: SourceName,
    stream: Annotated[str | None, typer.Option(help="Only this stream.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="Records of each stream.")] = 5,
    values: Values = False,
) -> None:
    """Show what a source's first records would become, and what would be quarantined; writes nothing."""
    with _services() as services:
        config = services.sources.config(source)
        if stream is not None and stream not in config.streams:
            raise NotFoundError(f"{source} has no stream {stream!r}, only {', '.join(config.streams)}")
        if values:
            _record_values_shown(services, source)
        connector = services.sources.connect(config)
        try:
            for name in [stream] if stream else config.streams:
                mapping = services.syncer.mapping(source, name)
                print_preview(out, preview_stream(config, name, mapping, connector, limit), values=values)
        finally:
            connector.close()


@command(app)
def sync(
    sources: Annotated[list[str] | None, typer.Argument(help="Names of sources; all unless given.")] = None,
) -> None:
    """Read new and changed records. Exit code 3 when a run is suspect, 1 when one failed."""
    with _services() as services:
        names = sources or sorted(services.sources.configs)
        reports = sync_all(services, names)
    for report in reports:
        print_report(out, report)
    states = {report.state for report in reports}
    if states - {"ok", "suspect"}:
        raise typer.Exit(1)
    if "suspect" in states:
        raise typer.Exit(3)


def sync_all(services: Services, names: Sequence[str]) -> list[RunReport]:
    """Sync sources one after the other with progress bars, then publish what has changed."""
    for name in names:
        services.sources.config(name)
    reports = []
    # What was loaded at start lives on: the collector need not look at it again at each of its passes.
    gc.freeze()
    with sync_progress(out, names) as bars:
        for name in names:
            report = _sync_one(services, name, lambda stream, counts, n=name: bars.update(n, stream, counts))  # type: ignore[misc]
            services.publish_events()
            bars.finish(report)
            reports.append(report)
    with out.status("bringing the search index up to date"):
        services.publish_changes()
    return reports


def _sync_one(services: Services, name: str, progress: Progress) -> RunReport:
    """The report of a sync; one that could not start is a failed one, so that the other sources go on."""
    order = commands.SyncSource(name, uuid4().hex)
    try:
        return commands.sync_source(services, _author(services), order, progress).outcome()
    except SourceError as error:
        return RunReport(0, name, "failed", (str(error),))


@command(app)
def forget(
    source: SourceName,
    stream: Annotated[str | None, typer.Argument(help="Only this stream.")] = None,
) -> None:
    """Remove what a source, or a stream, stated before it was taken out of the configuration."""
    with _services() as services:
        report = services.syncer.forget(source, stream)
        services.publish()
    print_report(out, report)


@command(app)
def sources() -> None:
    """Show every source's state, age, counts and drift."""
    with _services() as services:
        print_sources(out, source_statuses(services.store, services.sources.configs))


@command(quarantine_app, "list")
def quarantine_list(
    source: Annotated[str | None, typer.Argument(help="Only this source.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="Rows at most.")] = 100,
) -> None:
    """Show what waits in quarantine: where from, which field, why."""
    with _services() as services:
        if source is not None:
            services.sources.config(source)
        with services.store.read() as connection:
            waiting = quarantine.waiting(connection, source, limit=limit)
    print_quarantine(out, waiting)


@command(quarantine_app, "show")
def quarantine_show(
    number: Annotated[int, typer.Argument(help="Number of the record in `hub quarantine list`.")],
    values: Values = False,
) -> None:
    """Show one waiting record with its payload's form, or with --values the payload."""
    with _services() as services:
        with services.store.read() as connection:
            found = quarantine.show(connection, number)
        if values:
            _record_values_shown(services, found.source)
    print_quarantined(out, found, values=values)


@command(quarantine_app, "replay")
def quarantine_replay(
    source: SourceName,
    numbers: Annotated[list[int] | None, typer.Argument(help="Only these records.")] = None,
) -> None:
    """Map the waiting records of a source anew, after its mapping was corrected."""
    with _services() as services:
        order = commands.ReplayQuarantine(source, tuple(numbers or ()), uuid4().hex)
        report = commands.replay_quarantine(services, _author(services), order).outcome()
        services.publish()
    print_report(out, report)


@command(quarantine_app, "discard")
def quarantine_discard(
    number: Annotated[int, typer.Argument(help="Number of the record in `hub quarantine list`.")],
) -> None:
    """Take one waiting record out for good; leaves an audit event."""
    with _services() as services:
        found = services.syncer.discard(number, actor())
        services.publish()
    out.print(f"Discarded {found.source}.{found.stream} at {found.position}.", highlight=False)


@command(consent_app, "record")
def consent_record(customer: CustomerId, values: PropertyValues, key: IdempotencyKey = None) -> None:
    """Record a yes or no of a customer: purpose=..., channel=..., state=... and what else there is to say."""
    with _services() as services:
        order = commands.RecordConsent(customer, _by_property(values), key or uuid4().hex)
        noted = commands.record_consent(services, _author(services), order)
        services.publish()
    out.print(f"Consent {noted.id} of {noted.customer}.", highlight=False)


@command(restriction_app, "record")
def restriction_record(customer: CustomerId, values: PropertyValues, key: IdempotencyKey = None) -> None:
    """Record that data may not be used: kind=restriction or kind=objection purpose=..., state=in_force or lifted."""
    with _services() as services:
        order = commands.RecordRestriction(customer, _by_property(values), key or uuid4().hex)
        noted = commands.record_restriction(services, _author(services), order)
        services.publish()
    out.print(f"Restriction {noted.id} of {noted.customer}.", highlight=False)


@command(interaction_app, "log")
def interaction_log(customer: CustomerId, values: PropertyValues, key: IdempotencyKey = None) -> None:
    """Log a touch with a customer: kind=call, direction=inbound, summary=... and what else there is to say."""
    with _services() as services:
        order = commands.LogInteraction(customer, _by_property(values), key or uuid4().hex)
        noted = commands.log_interaction(services, _author(services), order)
        services.publish()
    out.print(f"Interaction {noted.id} with {noted.customer}.", highlight=False)


@command(correction_app, "make")
def correction_make(
    customer: CustomerId,
    name: PropertyName,
    value: Annotated[str, typer.Argument(help="What it should be; money as `12.50 EUR`.")],
    reason: Reason,
    key: IdempotencyKey = None,
) -> None:
    """Correct a value of a customer, whatever the sources state now and later."""
    with _services() as services:
        order = commands.CorrectProperty(customer, name, value, reason, key or uuid4().hex)
        done = commands.correct_property(services, _author(services), order)
        services.publish()
    out.print(f"Corrected {', '.join(done.properties)} of {done.customer}.", highlight=False)


@command(correction_app, "withdraw")
def correction_withdraw(
    customer: CustomerId, name: PropertyName, reason: Reason, key: IdempotencyKey = None
) -> None:
    """Take a correction back: what the sources state is served again."""
    with _services() as services:
        order = commands.WithdrawCorrection(customer, name, reason, key or uuid4().hex)
        done = commands.withdraw_correction(services, _author(services), order)
        services.publish()
    out.print(f"{', '.join(done.properties)} of {done.customer}: as the sources state.", highlight=False)


def _by_property(pairs: Sequence[str]) -> dict[str, str]:
    """The values by property; what was said of one twice counts as said last."""
    if not all("=" in pair for pair in pairs):
        raise QueryError("a value is given as property=value")
    return dict(pair.split("=", 1) for pair in pairs)


@command(app)
def serve() -> None:
    """Start the API."""
    logging.getLogger("hub").setLevel(logging.INFO)
    serve_api(load_settings())


@command(app)
def demo(
    people: Annotated[int, typer.Option(min=20, help="People of the demo company.")] = 2000,
    organisations: Annotated[int, typer.Option(min=1, help="Its business customers.")] = 150,
    port: Annotated[int, typer.Option(help="Port of the API; 0 takes a free one.")] = 8360,
    fresh: Annotated[bool, typer.Option(help="Forget the data of an earlier demo.")] = False,
    serving: Annotated[bool, typer.Option("--serve/--no-serve", help="Start the API.")] = True,
) -> None:
    """Build the demo company, sync its five sources, start the API, print tokens and queries to paste."""
    plan = demo_run.DemoPlan(Path("var") / "demo", people, organisations, port, fresh)
    with demo_run.company(plan, out) as (settings, environ):
        with open_services(settings, environ) as services:
            reports = sync_all(services, demo_run.SOURCES)
        for report in reports:
            for doubt in report.doubts:
                out.print(f"  [yellow]![/] {report.source}: {escape(doubt)}", highlight=False)
        if serving:
            demo_run.serve(settings, out)


@command(app)
def token(
    role: Annotated[str, typer.Argument(help="A role of the policy, such as `support`.")],
    subject: Annotated[
        str | None, typer.Option(help="Opaque id of the person; the role's name unless given.")
    ] = None,
) -> None:
    """Print a token of the demo issuer for a role; for trying things out, in demo mode only."""
    settings = load_settings()
    access = load_configuration(settings).access
    if not settings.demo:
        raise NotFoundError("tokens are issued in demo mode only: set HUB_DEMO=true")
    if role not in access.roles:
        raise NotFoundError(f"the policy has no role {role!r}, only {', '.join(sorted(access.roles))}")
    issuer = DemoIssuer(settings.data_dir, DEMO_ISSUER, AUDIENCE)
    sys.stdout.write(demo_run.issue(issuer, access, role, subject or f"demo-{role}") + "\n")


@command(app)
def docs(
    folder: Annotated[Path, typer.Option(help="Folder of the pages.")] = Path("docs"),
    check_only: Annotated[
        bool, typer.Option("--check", help="Only tell which pages are out of date.")
    ] = False,
) -> None:
    """Write the generated pages of the documentation."""
    if check_only:
        stale = reference.stale(folder)
        for name in stale:
            out.print(f"{name} is out of date; run `make docs`")
        raise typer.Exit(1 if stale else 0)
    out.print(f"{len(reference.write(folder))} pages written")


@contextmanager
def _services(
    settings: Settings | None = None, environ: Mapping[str, str] = os.environ
) -> Iterator[Services]:
    with open_services(settings or load_settings(), environ) as services:
        yield services


def _record_values_shown(services: Services, source: str) -> None:
    """Nobody sees raw values of a source without the log saying who."""
    event = AuditEvent(
        Action.READ, actor=actor(), roles=("operator",), purpose="system_operation", source=source
    )
    services.recorder.record_sync(event)
