"""All generated pages by file name, and their way to the disk."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from hub.access import load_access_map
from hub.adapters import jsonschema
from hub.ontology import Ontology, load_ontology
from hub.reference.access import access_page
from hub.reference.adapters import adapters_page
from hub.reference.api import api_page
from hub.reference.audit import audit_page
from hub.reference.compliance import compliance_page
from hub.reference.errors import errors_page
from hub.reference.graphql import graphql_page
from hub.reference.markdown import code, header, table
from hub.reference.ontology import ontology_page
from hub.reference.organisation import organisation_page
from hub.reference.presets import presets_page
from hub.settings import Settings

POLICY = Path("policy.yaml")
"""The policy that the project comes with, in its own folder."""
QUERIES = Path("queries")
"""The documents that it ships."""


def pages(policy: Path = POLICY) -> Mapping[str, str]:
    """The text of every generated page by file name: the hub's own ontology and sources' models, and the `policy`.

    Raises:
        ConfigurationError: the policy is missing or has faults.
    """
    ontology = load_ontology()
    access = load_access_map(policy, ontology.taxonomy)
    texts = {
        "access.md": access_page(access),
        "adapters.md": adapters_page(),
        "api.md": api_page(ontology, QUERIES),
        "audit.md": audit_page(),
        "compliance.md": compliance_page(),
        "errors.md": errors_page(),
        "graphql.md": graphql_page(ontology),
        "ontology.md": ontology_page(ontology),
        "organisation.md": organisation_page(),
        "presets.md": presets_page(),
        "settings.md": settings_page(),
    }
    return {
        **{name: _tidy(text) for name, text in texts.items()},
        "source.schema.json": source_schema(ontology),
    }


def source_schema(ontology: Ontology) -> str:
    """The JSON Schema of a source's YAML as text, for editors."""
    return json.dumps(jsonschema.source_schema(ontology), indent=1, ensure_ascii=False) + "\n"


def write(folder: Path, policy: Path = POLICY) -> list[str]:
    """The names of the pages that were out of date in `folder`, and are written now."""
    made = pages(policy)
    changed = _outdated(folder, made)
    folder.mkdir(parents=True, exist_ok=True)
    for name in changed:
        (folder / name).write_text(made[name], encoding="utf-8")
    return changed


def stale(folder: Path, policy: Path = POLICY) -> list[str]:
    """The names of the pages that are missing in `folder`, or are not as they would be made now."""
    return _outdated(folder, pages(policy))


def _outdated(folder: Path, made: Mapping[str, str]) -> list[str]:
    def holds(path: Path, text: str) -> bool:
        return path.is_file() and path.read_text(encoding="utf-8") == text

    return [name for name, text in made.items() if not holds(folder / name, text)]


_SETTINGS_INTRODUCTION = """
Environment variables, read once at start. `hub check` names every value that does not fit. Secrets of sources are no
settings: a source's YAML refers to them as `{env: NAME}` or `{file: path}`.
"""


def settings_page() -> str:
    """The reference of settings."""
    rows = []
    for name, prop in Settings.model_json_schema()["properties"].items():
        default = prop.get("default")
        shown = "" if default is None else json.dumps(default) if not isinstance(default, str) else default
        rows.append((code(f"HUB_{name.upper()}"), code(shown), prop["description"]))
    return "\n".join(
        [
            header("Settings", "`hub/settings.py`"),
            _SETTINGS_INTRODUCTION,
            table(("variable", "default", "meaning"), rows),
        ]
    )


def _tidy(text: str) -> str:
    """The text with single blank lines and one newline at its end."""
    lines: list[str] = []
    for line in text.splitlines():
        if line.strip() or (lines and lines[-1]):
            lines.append(line.rstrip())
    return "\n".join(lines).rstrip() + "\n"
