"""Documents that the hub ships: files of GraphQL, checked at start, asked for by name or by hash.

`queries/sales/open_quotes.graphql` is the document `sales/open_quotes`; its folder is a department or a role of the
policy, its first comment says what it answers. Its id is that name, or `sha256:` and the hash of the file's text. No
client can add one: a document that anybody could register would be no trusted one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from hub.access import AccessMap
from hub.errors import ConfigurationError, LimitError
from hub.ontology import Ontology
from hub.schema.catalogue import make_catalogue
from hub.schema.documents import DocumentError, Documents, document_hash
from hub.settings import Settings
from hub.yamlfile import Fault, nearest

SUFFIX = ".graphql"
HASHED = "sha256:"
"""What the id of a document begins with that is its hash."""


@dataclass(frozen=True, slots=True)
class ShippedDocument:
    """One document."""

    name: str
    """Like `sales/open_quotes`."""
    text: str = field(repr=False)
    sha256: str

    @property
    def folder(self) -> str:
        """The department or role that it is for."""
        return self.name.partition("/")[0]

    @property
    def id(self) -> str:
        """Its id by hash, which changes with its text."""
        return f"{HASHED}{self.sha256}"

    @property
    def about(self) -> str:
        """What it answers: its first comment, empty where it begins with none."""
        first = self.text.lstrip().partition("\n")[0]
        return first.removeprefix("#").strip() if first.startswith("#") else ""


class Shipped:
    """The documents of one folder, in the order of their names."""

    def __init__(self, documents: Iterable[ShippedDocument]) -> None:
        self._by_name = {document.name: document for document in documents}
        self._by_hash = {document.sha256: document for document in self._by_name.values()}
        self._texts = frozenset(document.text for document in self._by_name.values())

    def find(self, id_: str) -> ShippedDocument | None:
        """The document of this id, a hash or a name; None when there is none."""
        if id_.startswith(HASHED):
            return self._by_hash.get(id_.removeprefix(HASHED).lower())
        return self._by_name.get(id_)

    def holds(self, text: str) -> bool:
        """Whether one of them has exactly this text."""
        return text in self._texts

    def __iter__(self) -> Iterator[ShippedDocument]:
        return iter(self._by_name.values())

    def __len__(self) -> int:
        return len(self._by_name)


def load_shipped(folder: Path, documents: Documents, access: AccessMap) -> Shipped:
    """The documents in the folder, each prepared and never forgotten; its folders are named as the policy's owners are.

    Raises:
        ConfigurationError: with every fault of every file.
    """
    owners = {*access.policy.departments, *access.roles}
    if not folder.is_dir():
        raise ConfigurationError(
            [Fault(str(folder), 1, 1, "", "is not a folder", "a folder of queries by department")]
        )
    faults: list[Fault] = []
    found = []
    for path in sorted(folder.rglob(f"*{SUFFIX}")):
        faults += _place_faults(path, folder, owners)
        text = _text(path, faults)
        if text is not None:
            faults += _text_faults(path, text, documents)
            name = path.relative_to(folder).with_suffix("").as_posix()
            found.append(ShippedDocument(name, text, document_hash(text)))
    if faults:
        raise ConfigurationError(faults)
    return Shipped(found)


def shipped_documents(settings: Settings, ontology: Ontology, access: AccessMap) -> Shipped:
    """The documents that the settings' folder holds, for the schema of this ontology.

    Raises:
        ConfigurationError: with every fault of every file.
    """
    documents = Documents(make_catalogue(ontology).graphql, settings.max_depth)
    return load_shipped(settings.queries_dir, documents, access)


def _place_faults(path: Path, folder: Path, owners: Collection[str]) -> Iterator[Fault]:
    owner, *rest = path.relative_to(folder).parts
    if len(rest) != 1:
        yield Fault(str(path), 1, 1, "", "is in no department's folder", f"DEPARTMENT/NAME{SUFFIX}")
    elif owner not in owners:
        yield Fault(
            str(path),
            1,
            1,
            "",
            f"the policy has no department or role {owner!r}",
            f"one of {', '.join(sorted(owners))}",
            nearest(owner, owners),
        )


def _text(path: Path, faults: list[Fault]) -> str | None:
    try:
        return path.read_bytes().decode("utf-8")
    except OSError as error:
        faults.append(Fault(str(path), 1, 1, "", f"cannot be read: {error.strerror}"))
    except UnicodeDecodeError:
        faults.append(Fault(str(path), 1, 1, "", "is not UTF-8", "UTF-8 text"))
    return None


def _text_faults(path: Path, text: str, documents: Documents) -> Iterator[Fault]:
    try:
        documents.ship(text)
    except LimitError as limit:
        yield Fault(str(path), 1, 1, "", str(limit))
    except DocumentError as refused:
        for error in refused.errors:
            place = error.locations[0] if error.locations else None
            line, column = (place.line, place.column) if place else (1, 1)
            yield Fault(str(path), line, column, "", error.message)
