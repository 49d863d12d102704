"""The page on presets: what each reads and leaves, from where its facts are, and whether it was tried."""

from __future__ import annotations

from hub.adapters.presets import Preset, presets
from hub.reference.markdown import code, header, table

_INTRODUCTION = """
Sources of well-known systems as ready YAML. `hub adapter preset use zendesk` writes one into the folder of the sources
and tells which variables to set; `--as` gives it another name. What says *not yet tried* was written after the vendor's
documentation and is tested on exchanges of its documented shapes only: check it with `hub adapter test NAME --live`
before you rely on it.
"""


def presets_page() -> str:
    """The page of all presets."""
    rows = [
        [
            f"[{code(each.name)}](#{each.name})",
            each.about.title,
            code(each.connector),
            ", ".join(code(stream) for stream in each.streams),
            _tried(each),
        ]
        for each in presets().values()
    ]
    parts = [
        header("Presets", "`hub/adapters/presets`"),
        _INTRODUCTION,
        table(["Preset", "System", "Connector", "Streams", "Tried against the real system"], rows),
    ]
    return "\n\n".join([*parts, *(_section(each) for each in presets().values())]) + "\n"


def _tried(each: Preset) -> str:
    return each.about.tried or "by documentation, not yet tried"


def _section(each: Preset) -> str:
    about = each.about
    streams = [[code(name), ", ".join(map(code, types))] for name, types in each.streams.items()]
    lines = [*(f"- Reads: {line}" for line in about.reads), *(f"- Leaves: {line}" for line in about.leaves)]
    lines += [f"- Limit: {limit.what} ([source]({limit.source}))" for limit in about.limits]
    lines += [
        f"- Kept in the record alone: {', '.join(map(code, fields))} of {code(stream)}, which hold personal data"
        for stream, fields in about.personal.items()
    ]
    pages = ", ".join(f"<{address}>" for address in about.documentation)
    return "\n\n".join(
        [
            f"## {each.name}",
            f"{about.title}, API {about.api_version}; {about.when}: {pages}",
            "\n".join(lines),
            table(["Stream", "States"], streams),
            table(["Variable", "Holds"], [[code(name), what] for name, what in about.settings.items()]),
        ]
    )
