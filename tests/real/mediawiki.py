"""A real MediaWiki, by the preset: `make test-mediawiki` installs a wiki, fills it, syncs, changes, syncs again."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import sqlalchemy as sa

from hub.adapters.presets import preset
from hub.services import Services
from tests.real.world import free_port, hub, program, synced

SCRIPTS = Path("/usr/share/mediawiki")
"""Where Debian's package puts them."""
PAGES = 120
"""More than two replies hold; the texts are more than one reply may, so that their revisions are continued too."""
LIMITS = "\n$wgAPIMaxResultSize = 65536;\n$wgShowExceptionDetails = true;\n"


@dataclass(frozen=True)
class Wiki:
    """A wiki on SQLite, behind PHP's own server."""

    url: str
    folder: Path

    def maintain(self, script: str, *words: str, given: str | None = None) -> None:
        """Run one of its maintenance scripts."""
        environ = {**os.environ, "MW_CONFIG_FILE": str(self.folder / "LocalSettings.php")}
        subprocess.run(
            ["php", str(SCRIPTS / "maintenance" / f"{script}.php"), *words],
            input=given,
            text=True,
            env=environ,
            check=True,
            capture_output=True,
            timeout=300,
        )

    def write(self, title: str, text: str) -> None:
        """Make a page, or write it anew."""
        self.maintain("edit", "--user", "Editor", title, given=text)

    def delete(self, title: str) -> None:
        """Delete a page."""
        titles = self.folder / "titles.txt"
        titles.write_text(f"{title}\n")
        self.maintain("deleteBatch", "-u", "Editor", str(titles))


@pytest.fixture(scope="module")
def wiki(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wiki]:
    folder, port = tmp_path_factory.mktemp("mediawiki"), free_port()
    url = f"http://127.0.0.1:{port}"
    install = ["--dbtype", "sqlite", "--dbpath", str(folder), "--dbname", "wiki", "--confpath", str(folder)]
    install += [
        "--server",
        url,
        "--scriptpath",
        "",
        "--pass",
        "of-a-demo-only-2026",
        "Example Wiki",
        "Editor",
    ]
    subprocess.run(
        ["php", str(SCRIPTS / "maintenance" / "install.php"), *install],
        check=True,
        capture_output=True,
        timeout=300,
    )
    settings = folder / "LocalSettings.php"
    settings.write_text(settings.read_text() + LIMITS)
    made = Wiki(url, folder)
    texts = folder / "texts"
    texts.mkdir()
    for number in range(PAGES):
        (texts / f"Article {number:03}.txt").write_text(f"Text {number}. " + "It drips. " * 200)
    files = [str(file) for file in sorted(texts.iterdir())]
    made.maintain("importTextFiles", "--user", "Editor", *files)
    made.write("Old name", "#REDIRECT [[Article 001]]")
    environ = {**os.environ, "MW_CONFIG_FILE": str(settings)}
    words = ["php", "-S", f"127.0.0.1:{port}", "-t", str(SCRIPTS)]
    with program(words, port, folder / "php.log", **environ):
        yield made


def articles(services: Services) -> dict[str, str]:
    """The text of each article that the hub holds, by its title."""
    statement = sa.text("SELECT title, text FROM e_document WHERE kind = 'article'")
    with services.store.read() as connection:
        return {row.title: row.text for row in connection.execute(statement)}


def test_a_wiki_is_read_whole_through_both_ways_of_continuing(wiki: Wiki, tmp_path: Path) -> None:
    with hub(tmp_path, "mediawiki", preset("mediawiki").text, MEDIAWIKI_URL=wiki.url) as services:
        first = synced(services, "mediawiki").total
        held = articles(services)
        assert first.read == first.accepted == len(held) == PAGES + 1  # the main page
        assert {f"Article {number:03}" for number in range(PAGES)} < set(held)
        assert all(held[f"Article {number:03}"].startswith(f"Text {number}.") for number in range(PAGES))
        assert "Old name" not in held

        wiki.write("Article 007", "Written anew.")
        wiki.write("Article 999", "A new one.")
        wiki.delete("Article 003")
        second = synced(services, "mediawiki").total
        assert (second.read, second.deleted) == (PAGES + 1, 1)
        assert second.accepted >= 2  # and pages that the wiki has touched, such as by its caches
        del held["Article 003"]
        assert articles(services) == held | {"Article 007": "Written anew.", "Article 999": "A new one."}

        assert synced(services, "mediawiki").total.unchanged == PAGES + 1
