"""The `hub` command.

What only one command needs of the API, which takes longest to import, is imported in it: each call is a process.
"""

from __future__ import annotations

import gc
import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated
from uuid import uuid4

import stamina
import typer
from rich.markup import escape

from hub import commands
from hub.access import AUDIENCE, DEMO_ISSUER, DemoIssuer, missing_assessments
from hub.adapters import source_statuses
from hub.adapters.frozen import frozen_sources, frozen_words
from hub.adapters.preview import preview as preview_stream
from hub.adapters.runs import RunReport
from hub.adapters.sync import Progress
from hub.cli import (
    access,
    adapter,
    audit,
    breach,
    consent,
    consent_lists,
    erase,
    glass,
    keys,
    locate,
    oversight,
    payloads,
    privacy,
    quarantine,
    questions,
    records_of_processing,
    request,
    resolve,
    retain,
    search,
    source,
    staff,
)
from hub.cli.common import SourceName, Values, command, opened, operator, out, record_values_shown
from hub.cli.terminal import (
    print_preview,
    print_report,
    print_shipped,
    print_sources,
    sync_progress,
)
from hub.errors import NotFoundError, SourceError
from hub.services import Services, load_configuration, open_services
from hub.settings import load_settings

app = typer.Typer(
    name="hub",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    help="One customer graph out of many source systems.",
)
app.add_typer(quarantine.app, name="quarantine")
consent.register(staff.consent_app)
consent_lists.register(staff.consent_app)
app.add_typer(staff.consent_app, name="consent")
app.add_typer(staff.restriction_app, name="restriction")
app.add_typer(staff.interaction_app, name="interaction")
app.add_typer(staff.correction_app, name="correction")
app.add_typer(audit.app, name="audit")
audit.app.add_typer(payloads.data_keys_app, name="data-keys")
command(audit.app, "show")(payloads.show)
for ask in questions.QUESTIONS:
    command(audit.app, ask.__name__.replace("_", "-"))(ask)
app.add_typer(keys.app, name="key")
access.app.add_typer(glass.app, name="glass")
app.add_typer(access.app, name="access")
app.add_typer(erase.app, name="erase")
app.add_typer(privacy.app, name="privacy")
for oversee in (*oversight.COMMANDS, *records_of_processing.COMMANDS):
    command(privacy.app, oversee.__name__.replace("_", "-"))(oversee)
app.add_typer(retain.app, name="retention")
app.add_typer(retain.hold_app, name="hold")
app.add_typer(breach.app, name="breach")
app.add_typer(request.app, name="request")
app.add_typer(resolve.app, name="resolve")
app.add_typer(search.app, name="index")
app.add_typer(privacy.app, name="privacy")
for _name, _function in locate.COMMANDS.items():
    command(privacy.app, _name)(_function)
command(app)(search.search)
app.add_typer(source.app, name="source")
app.add_typer(adapter.app, name="adapter")
command(app)(source.worker)


@app.callback()
def _start() -> None:
    # What a retry waits for shows in the progress bars and, when it is in vain, in the run's report.
    stamina.instrumentation.set_on_retry_hooks([])
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s", level=logging.WARNING)
    # A line a request: what no line shows need not be found out.
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False


@command(app)
def check(
    schema: Annotated[
        Path | None, typer.Option(help="Also write the JSON Schema of the sources' YAML here.")
    ] = None,
) -> None:
    """Check ontology, policy, all sources and shipped queries; show every fault with its place."""
    from hub.reference import source_schema
    from hub.schema import shipped_documents

    settings = load_settings()
    found = load_configuration(settings)
    shipped = shipped_documents(settings, found.ontology, found.access)
    streams = sum(len(source.streams) for source in found.sources.values())
    if schema is not None:
        schema.write_text(source_schema(found.ontology), encoding="utf-8")
    out.print(
        f"No fault: {len(found.ontology.types)} entity types, {len(found.access.roles)} roles, "
        f"{len(found.sources)} sources with {streams} streams, {len(found.retention.rules)} rules of retention, "
        f"{len(found.organisation.systems)} systems, {len(found.organisation.partners)} partners, "
        f"{len(shipped)} shipped queries."
    )
    for finding in missing_assessments(found.access):
        place = f"{settings.policy_file}:{finding.line}"
        out.print(f"To be assessed: {place}: {finding.message}", highlight=False, markup=False)


@command(app)
def queries(
    folder: Annotated[str | None, typer.Argument(help="Only those of this department or role.")] = None,
) -> None:
    """List the GraphQL documents that the hub ships, with the ids to ask for them by."""
    from hub.schema import shipped_documents

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
    with opened() as services:
        config = services.sources.config(source)
        if stream is not None and stream not in config.streams:
            raise NotFoundError(f"{source} has no stream {stream!r}, only {', '.join(config.streams)}")
        if values:
            record_values_shown(services, source)
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
    with opened() as services:
        reports = sync_all(services, sources or _not_frozen(services))
    for report in reports:
        print_report(out, report)
    states = {report.state for report in reports}
    if states - {"ok", "suspect"}:
        raise typer.Exit(1)
    if "suspect" in states:
        raise typer.Exit(3)


def _not_frozen(services: Services) -> list[str]:
    """The sources that may be read; of the others is told why not."""
    with services.store.read() as connection:
        frozen = frozen_sources(connection)
    for name in sorted(frozen):
        out.print(f"[yellow]{name}[/] {frozen_words(frozen[name])}", highlight=False)
    return sorted(services.sources.configs.keys() - frozen)


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
        return commands.sync_source(services, operator(services), order, progress).outcome()
    except SourceError as error:
        return RunReport(0, name, "failed", (str(error),))


@command(app)
def forget(
    source: SourceName,
    stream: Annotated[str | None, typer.Argument(help="Only this stream.")] = None,
) -> None:
    """Remove what a source, or a stream, stated before it was taken out of the configuration."""
    with opened() as services:
        report = services.syncer.forget(source, stream)
        services.publish()
    print_report(out, report)


@command(app)
def sources() -> None:
    """Show every source's state, age, counts and drift."""
    with opened() as services:
        print_sources(out, source_statuses(services.store, services.sources.configs))


@command(app)
def serve() -> None:
    """Start the API."""
    from hub import api

    logging.getLogger("hub").setLevel(logging.INFO)
    api.serve(load_settings())


@command(app)
def demo(
    people: Annotated[int, typer.Option(min=20, help="People of the demo company.")] = 2000,
    organisations: Annotated[int, typer.Option(min=1, help="Its business customers.")] = 150,
    port: Annotated[int, typer.Option(help="Port of the API; 0 takes a free one.")] = 8360,
    fresh: Annotated[bool, typer.Option(help="Forget the data of an earlier demo.")] = False,
    serving: Annotated[bool, typer.Option("--serve/--no-serve", help="Start the API.")] = True,
) -> None:
    """Build the demo company, sync its five sources, start the API, print tokens and queries to paste."""
    from hub import demo_run

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
    from hub import demo_run

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
    from hub import reference

    if check_only:
        stale = reference.stale(folder)
        for name in stale:
            out.print(f"{name} is out of date; run `make docs`")
        raise typer.Exit(1 if stale else 0)
    out.print(f"{len(reference.write(folder))} pages written")
