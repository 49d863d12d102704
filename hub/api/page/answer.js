/** Shows an answer: its status in a line, what went wrong, what the policy took away, and its JSON. */

import { button, byId, element } from "./dom.js";
import { shown } from "./json.js";

export class AnswerView {
  #moveTo;

  /** `moveTo(line, column)` leads to a place in the query. */
  constructor(moveTo) {
    this.#moveTo = moveTo;
  }

  /** The line that screen readers speak. */
  say(text, isBad = false) {
    byId("answer-status").textContent = text;
    byId("answer-status").className = isBad ? "bad" : "";
  }

  show({ status, text, body, size, milliseconds }) {
    const errors = body?.errors ?? [];
    const notes = body?.extensions?.access ?? [];
    const counts = [
      [errors.length, errors.length === 1 ? "error" : "errors"],
      [notes.filter(({ effect }) => effect === "mask").length, "masked"],
      [notes.filter(({ effect }) => effect === "deny").length, "denied"],
    ];
    const told = counts.filter(([count]) => count).map(([count, what]) => `${count} ${what}`);
    this.say([`Status ${status}`, `${milliseconds.toFixed(0)} ms`, bytes(size), ...told].join(" · "), errors.length > 0);
    byId("answer-notes").replaceChildren(...this.#errors(errors), ...accessTable(notes));
    byId("answer").replaceChildren(...(body ? shown(text) : [text]));
    byId("answer").scrollTo(0, 0);
  }

  #errors(errors) {
    const items = errors.map(({ message, locations = [], path, extensions = {} }) => {
      const places = locations.map(({ line, column }) =>
        button(`line ${line}, column ${column}`, () => this.#moveTo(line, column), { className: "link" }),
      );
      const code = element("p", { className: "hint" }, [extensions.code, path?.join(".")].filter(Boolean).join(" · "), " ");
      code.append(...places);
      return element("li", {}, element("p", {}, message), code);
    });
    return items.length ? [element("ul", { className: "errors", ariaLabel: "Errors" }, ...items)] : [];
  }
}

function accessTable(notes) {
  if (!notes.length) return [];
  const heads = ["Field", "Effect", "Rule"].map((head) => element("th", { scope: "col" }, head));
  const rows = notes.map(({ path, effect, category, mask, rule }) =>
    element(
      "tr",
      {},
      element("td", {}, element("code", {}, ...breakable(path)), element("p", { className: "hint" }, category ?? "")),
      element("td", { className: `effect ${effect}` }, { mask: `masked: ${mask}`, deny: "denied" }[effect] ?? effect),
      element("td", {}, rule ?? "no grant"),
    ),
  );
  const caption = element("caption", {}, "What the policy did not let through");
  return [element("table", {}, caption, element("thead", {}, element("tr", {}, ...heads)), element("tbody", {}, ...rows))];
}

/** A path that may be broken behind its dots. */
const breakable = (path) => path.flatMap((part, i) => (i ? [".", element("wbr"), part] : [part]));

function bytes(size) {
  return size < 1000 ? `${size} bytes` : `${(size / 1000).toLocaleString("en", { maximumFractionDigits: 1 })} kB`;
}
