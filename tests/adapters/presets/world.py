"""Sources made of presets: the system answers what was recorded, out of exchanges or out of a database."""

from __future__ import annotations

import httpx
from sqlalchemy import create_engine, make_url, text

from hub.adapters import Sources, Syncer, load_sources
from hub.adapters.kit.exchanges import load_exchanges
from hub.adapters.kit.replaying import Replayer
from hub.adapters.presets import presets
from tests.adapters.presets.facts import FACTS


class Expiring(Replayer):
    """Answers as recorded, but that a token ends: requests for data of these numbers, from 1, are refused."""

    def __init__(self, *given, refuses=()):
        super().__init__(*given)
        self.refuses, self.asked, self.tokens = refuses, 0, 0

    def handle_request(self, request):
        if b"grant_type=" in request.read():
            self.tokens += 1
            return super().handle_request(request)
        self.asked += 1
        if self.asked in self.refuses:
            return httpx.Response(401, request=request)
        return super().handle_request(request)


class World:
    """A source made of a preset, whose system answers what is in its exchanges."""

    def __init__(self, name, url, store, ontology, folder) -> None:
        self.name, self.url, self.store, self.ontology, self.folder = name, url, store, ontology, folder
        self.preset, self.facts = presets()[name], FACTS[name]
        (folder / f"{name}.yaml").write_text(self.preset.named(name))
        self.configs = load_sources(folder, ontology)

    def consents(self):
        """What people decided: e-mail address, channel, state."""
        return frozenset(
            self.rows(
                "SELECT p.email, c.channel, c.state FROM e_consent c JOIN e_person p ON c.customer_id = p.id"
            )
        )

    def people(self):
        """E-mail addresses, each with the number of events of that person; or what the facts count instead."""
        return dict(
            self.rows(
                self.facts.counted
                or "SELECT p.email, count(e.id) FROM e_person p "
                f"LEFT JOIN {self.facts.events} e ON e.party_id = p.id GROUP BY p.email"
            )
        )

    def rows(self, sql):
        engine = create_engine(self.url)
        with engine.connect() as connection:
            found = [tuple(row) for row in connection.execute(text(sql))]
        engine.dispose()
        return found


class Exchanged(World):
    """An API, by `rest`."""

    FILES = frozenset({"first.yaml", "second.yaml", "refused.yaml", "error.yaml"})

    def sync(self, file, refuses=()):
        """A sync by these exchanges: its report, and what was not asked for; those requests for data meet a 401."""
        exchanges = load_exchanges(self.preset.exchanges / f"{file}.yaml")
        wires = []

        def wire():
            wires.append(Expiring(self.name, exchanges, [*self.facts.environ.values()], refuses=refuses))
            return wires[-1]

        sources = Sources(self.configs, self.ontology, self.facts.environ, self.folder, wire=wire)
        report = Syncer(self.store, sources).sync(self.name)
        self.tokens = sum(wire.tokens for wire in wires)
        return report, [each for one in wires for each in one.left]


class Recorded(World):
    """A database, by `sql`: tables and rows as the vendor's documentation has them, on SQLite or PostgreSQL.

    `schema.sql` makes the tables and `first.sql` fills them; `second.sql` is what was written between two syncs, and
    `error.sql` what makes the queries fail. A refusal is of the login, which no recording is needed for.
    """

    FILES = frozenset({"schema.sql", "first.sql", "second.sql", "error.sql"})

    def __init__(self, database, *given) -> None:
        super().__init__(*given)
        self.database = make_url(database)
        self.run("schema", "first")

    def sync(self, file):
        """A sync of the database as it is after this file; `refused`: by a login that may not, or of a locked file."""
        url = self.refusing() if file == "refused" else self.database
        if file in ("second", "error"):
            self.run(file)
        environ = {next(iter(self.facts.environ)): url.render_as_string(hide_password=False)}
        sources = Sources(self.configs, self.ontology, environ, self.folder)
        return Syncer(self.store, sources).sync(self.name), []

    def refusing(self):
        """The database's URL for who may not read it."""
        if self.database.get_backend_name() == "sqlite":
            locked = self.folder / "locked.sqlite"
            locked.write_bytes(b"not for everybody " * 100)
            return self.database.set(database=str(locked))
        self.execute(["DROP ROLE IF EXISTS t0psecret_hub", "CREATE ROLE t0psecret_hub NOLOGIN"])
        return self.database.set(username="t0psecret_hub")

    def run(self, *files):
        for file in files:
            script = (self.preset.exchanges / f"{file}.sql").read_text(encoding="utf-8")
            lines = (line for line in script.splitlines() if not line.startswith("--"))
            self.execute([each for each in "\n".join(lines).split(";\n") if each.strip(";\n ")])

    def execute(self, statements):
        engine = create_engine(self.database)
        with engine.begin() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement.rstrip(";\n "))
        engine.dispose()
