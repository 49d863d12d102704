"""The map as JSON, as GraphML for other tools, and as a picture."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from html import escape
from typing import Final

import networkx as nx
from pydantic import BaseModel

from hub.organisation import HUB
from hub.privacy.places.build import AUTO, OWN
from hub.privacy.places.model import Flow, Location, LocationMap, State


def as_json(found: LocationMap) -> str:
    """The whole map, as its models have it."""
    return json.dumps(asdict(found), indent=1, ensure_ascii=False, default=_plain) + "\n"


def _plain(part: BaseModel) -> object:
    return part.model_dump()


def as_graphml(found: LocationMap) -> str:
    """The map as GraphML: a node a location, an edge a flow; lists are joined by blanks."""
    graph: nx.DiGraph[str] = nx.DiGraph()
    for each in found.locations:
        told = {key: _flat(value) for key, value in asdict(each).items() if key not in ("fields", "can")}
        abilities = {f"can_{name}": ability for name, ability in each.can}
        graph.add_node(each.id, **{k: v for k, v in told.items() if v is not None}, **abilities)
    for flow in found.flows:
        told = {key: _flat(value) for key, value in asdict(flow).items() if key not in ("source", "target")}
        graph.add_edge(flow.source, flow.target, **{k: v for k, v in told.items() if v is not None})
    return "\n".join(nx.generate_graphml(graph)) + "\n"


def _flat(value: object) -> object:
    if isinstance(value, tuple):
        return " ".join(map(str, value))
    return str(value) if isinstance(value, str) else value


# the picture

WIDTH: Final = 250
GAP: Final = 130
HEIGHT: Final = 46
ROW: Final = 58
MARGIN: Final = 40
HEAD: Final = 96
SWEEPS: Final = 7
_COLUMNS: Final = ("Sources", "Landing", "Graph", "Made of it", "Outside")
_COLOURS: Final[Mapping[str, str]] = {
    "source": "#dbeafe",
    "hub": "#e7f5e4",
    "derived": "#f3f0dc",
    "outside": "#fde2d6",
}
_SHORT: Final = 34


def as_svg(found: LocationMap) -> str:
    """A picture that a person can read: systems on the left, what the hub makes of them, who gets it on the right.

    Streams of a source are one box, and so are the tables of entities: their numbers are in it.
    """
    boxes = _boxes(found.locations)
    column = {key: _column(box) for key, box in boxes.items()}
    of = {each.id: key for key, box in boxes.items() for each in box}
    graph: nx.DiGraph[str] = nx.DiGraph()
    for key in boxes:
        graph.add_node(key, layer=column[key])
    flows: dict[tuple[str, str], list[Flow]] = defaultdict(list)
    for flow in found.flows:
        if flow.source not in of or flow.target not in of:
            continue
        ends = of[flow.source], of[flow.target]
        if ends[0] != ends[1] and column[ends[0]] < column[ends[1]]:
            flows[ends].append(flow)
    graph.add_edges_from(flows)
    at = _placed(graph)
    height = HEAD + max((y for _, y in at.values()), default=0) + HEIGHT + MARGIN
    width = 2 * MARGIN + len(_COLUMNS) * WIDTH + (len(_COLUMNS) - 1) * GAP
    parts = [_opening(width, height), *_heads()]
    parts += [_arrow(at[a], at[b], each) for (a, b), each in flows.items()]
    parts += [_box(at[key], key, box) for key, box in boxes.items()]
    return "\n".join([*parts, "</svg>"]) + "\n"


def _boxes(locations: Sequence[Location]) -> Mapping[str, list[Location]]:
    found: dict[str, list[Location]] = defaultdict(list)
    for each in locations:
        if each.state is State.ABSENT:
            continue
        if each.system == HUB:
            found["Entities" if each.id.startswith(f"{HUB}.e_") else each.label].append(each)
        elif each.id.startswith(("place.", "partner.")):
            found[each.label].append(each)
        else:
            found[each.label.partition(":")[0]].append(each)
    return found


def _column(box: Sequence[Location]) -> int:
    first = box[0]
    if first.id.startswith(("place.", "partner.")):
        return 4
    if first.system != HUB:
        return 0
    if first.id in (f"{HUB}.record", f"{HUB}.quarantine"):
        return 1
    is_stated = first.id.startswith(f"{HUB}.e_") or first.can == AUTO
    return 2 if is_stated and first.id not in OWN else 3


def _placed(graph: nx.DiGraph[str]) -> Mapping[str, tuple[float, float]]:
    """Left upper corners: a column for each layer, in it each box near the mean of those it is tied to.

    That is the barycentre method of Sugiyama, Tagawa and Toda (1981), which leaves few arrows crossing. The layouts
    of networkx need numpy, which the hub does without.
    """
    columns: dict[int, list[str]] = defaultdict(list)
    layers: dict[str, int] = {key: graph.nodes[key]["layer"] for key in graph}
    for key, layer in layers.items():
        columns[layer].append(key)
    row_of = {key: float(n) for keys in columns.values() for n, key in enumerate(keys)}
    tallest = max(map(len, columns.values()), default=0)
    for sweep in range(SWEEPS):
        near = graph.predecessors if sweep % 2 == 0 else graph.successors
        for layer in sorted(columns, reverse=bool(sweep % 2)):
            ordered = sorted(columns[layer], key=lambda key: (_mean(row_of, near(key), row_of[key]), key))
            start = (tallest - len(ordered)) / 2
            row_of.update({key: start + number for number, key in enumerate(ordered)})
    return {key: (MARGIN + layer * (WIDTH + GAP), HEAD + row_of[key] * ROW) for key, layer in layers.items()}


def _mean(row_of: Mapping[str, float], keys: Iterator[str], alone: float) -> float:
    rows = [row_of[key] for key in keys]
    return sum(rows) / len(rows) if rows else alone


def _opening(width: float, height: float) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" width="{width:g}" '
        f'height="{height:g}" font-family="sans-serif" role="img" aria-label="Where personal data lies">\n'
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        '<path d="M0 0L8 4L0 8z" fill="#8a94a6"/></marker></defs>\n'
        f'<rect width="{width:g}" height="{height:g}" fill="#ffffff"/>'
    )


def _heads() -> Iterator[str]:
    yield f'<text x="{MARGIN}" y="34" font-size="20" font-weight="bold">Where personal data lies</text>'
    yield (
        f'<text x="{MARGIN}" y="54" font-size="12" fill="#555">Grey arrows stay within the EEA and the UK; '
        "red ones cross the border. Numbers are rows.</text>"
    )
    for number, title in enumerate(_COLUMNS):
        x = MARGIN + number * (WIDTH + GAP)
        yield f'<text x="{x}" y="82" font-size="14" font-weight="bold" fill="#333">{title}</text>'


def _arrow(start: tuple[float, float], end: tuple[float, float], flows: Sequence[Flow]) -> str:
    x1, y1 = start[0] + WIDTH, start[1] + HEIGHT / 2
    x2, y2 = end[0], end[1] + HEIGHT / 2
    middle = min(GAP, x2 - x1) * 0.6
    leaves = any(flow.leaves for flow in flows)
    colour, width = ("#c2410c", 2) if leaves else ("#b6bfcc", 1)
    dashed = ' stroke-dasharray="4 3"' if all(flow.derived for flow in flows) else ""
    purposes = ", ".join(sorted({purpose for flow in flows for purpose in flow.purposes}))
    return (
        f'<path d="M{x1:g} {y1:g}C{x1 + middle:g} {y1:g} {x2 - middle:g} {y2:g} {x2:g} {y2:g}" fill="none" '
        f'stroke="{colour}" stroke-width="{width}"{dashed} marker-end="url(#tip)">'
        f"<title>{escape(purposes)}</title></path>"
    )


def _box(at: tuple[float, float], title: str, box: Sequence[Location]) -> str:
    first = box[0]
    kind = {0: "source", 1: "hub", 2: "hub", 3: "derived"}.get(_column(box), "outside")
    rows = [each.rows for each in box if each.rows is not None]
    counted = f"{sum(rows):,} rows" if rows else first.kind
    where = " · ".join(filter(None, [counted, first.country or "", first.owner or ""]))
    categories = ", ".join(sorted({each for location in box for each in location.categories}))
    return (
        f'<g><title>{escape(title)}: {escape(categories)}</title><rect x="{at[0]:g}" y="{at[1]:g}" width="{WIDTH}" '
        f'height="{HEIGHT}" rx="6" fill="{_COLOURS[kind]}" stroke="#7b8794"/>'
        f'<text x="{at[0] + 10:g}" y="{at[1] + 19:g}" font-size="13">{escape(_shortened(title))}</text>'
        f'<text x="{at[0] + 10:g}" y="{at[1] + 36:g}" font-size="11" fill="#555">{escape(where)}</text></g>'
    )


def _shortened(title: str) -> str:
    return title if len(title) <= _SHORT else f"{title[: _SHORT - 1]}…"
