"""What processes of tests find done when they are forked: imports, and the ontology."""

import tests.adapters.killed.eraser
import tests.adapters.killed.worker
import tests.commands.erasing_worker
import tests.search.index_worker  # noqa: F401
from hub.ontology import load_ontology

load_ontology()
