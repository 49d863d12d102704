/** What can be taken into the editor: the departments' examples, and the queries run before. */

import { button, byId, element } from "./dom.js";
import { operations, withoutValues } from "./document.js";

const EXAMPLES = new URL("./examples.json", import.meta.url);
const KEPT = "hub.console.history";
const MOST = 50;
const LONGEST = 20_000;

/** A name as a heading: `supply_chain` as "Supply chain", `it` as "IT". */
const words = (name) => name.replaceAll("_", " ").replace(/^(..$|.)/, (first) => first.toUpperCase());

/** The departments' named queries; `take` is given the text of the chosen one. */
export class Examples {
  #byDepartment = {};
  #take;

  constructor(take) {
    this.#take = take;
  }

  async load() {
    const response = await fetch(EXAMPLES, { credentials: "omit" });
    this.#byDepartment = response.ok ? await response.json() : {};
    this.show();
  }

  /** Show them, the caller's department first. */
  show(own = "") {
    const departments = Object.entries(this.#byDepartment).sort(([one], [other]) => (other === own) - (one === own));
    const parts = departments.flatMap(([department, queries]) => [
      element("h2", {}, words(department)),
      entries(Object.entries(queries).map(([name, text]) => button(words(name), () => this.#take(text)))),
    ]);
    byId("examples").replaceChildren(...(parts.length ? parts : [hint("This hub comes with no example queries.")]));
  }
}

/**
 * The queries that were run, the newest first; without their variables and answers.
 *
 * On disk they stand without quoted values, which may name a person; this tab knows them whole until it is closed.
 */
export class History {
  #queries = stored();
  #take;

  constructor(take) {
    this.#take = take;
    this.#show();
  }

  add(query) {
    if (!query.trim() || query.length > LONGEST) return;
    const others = this.#queries.filter((each) => each !== query && each !== withoutValues(query));
    this.#keep([query, ...others].slice(0, MOST));
  }

  #keep(queries) {
    this.#queries = queries;
    localStorage.setItem(KEPT, JSON.stringify(queries.map(withoutValues)));
    this.#show();
  }

  #show() {
    const items = this.#queries.map((query) => {
      const name = operations(query).join(", ") || "Query without a name";
      const line = element("code", {}, query.replace(/\s+/g, " ").trim().slice(0, 200));
      return button(name, () => this.#take(query), { title: query.slice(0, 2000) }, line);
    });
    const clear = button("Clear history", () => this.#keep([]), { disabled: !items.length });
    const told = hint("The last 50 queries of this browser, kept without what stands in quotes.");
    byId("history").replaceChildren(element("div", { className: "bar" }, clear), told, entries(items));
  }
}

/** What an earlier tab left; nothing where it is not readable. */
function stored() {
  try {
    return JSON.parse(localStorage.getItem(KEPT) ?? "[]").filter((each) => typeof each === "string").slice(0, MOST);
  } catch {
    return [];
  }
}

const entries = (items) => element("ul", { className: "entries" }, ...items.map((item) => element("li", {}, item)));
const hint = (text) => element("p", { className: "hint" }, text);
