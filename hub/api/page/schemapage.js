/** The pages of the schema: the root fields, one page a type, and what a search finds. */

import { button, byId, element } from "./dom.js";
import { INTROSPECTION, Schema, around, membersOf, named } from "./schema.js";

const MOST_FOUND = 80;

export class SchemaPages {
  #schema = null;
  #trail = [];

  constructor() {
    byId("schema-search").addEventListener("input", () => this.#search());
    this.forget();
  }

  /** No schema: nobody is signed in, or the caller may not see it. */
  forget(why = "Use a token to see the schema that it may ask.") {
    this.#schema = null;
    byId("schema-search").disabled = true;
    byId("schema-status").textContent = why;
    byId("schema-page").replaceChildren();
  }

  /** The schema that the caller may see, shown from its root types on; null when they may see none. */
  async load(session) {
    const { body, status } = await session.ask(INTROSPECTION);
    if (!body?.data?.__schema) {
      const why = body?.errors?.[0]?.message ?? `status ${status}`;
      this.forget(`Your role may not look into the schema here (${why}). The examples and your own queries work as before.`);
      return null;
    }
    this.#schema = new Schema(body.data.__schema);
    byId("schema-search").disabled = false;
    byId("schema-status").textContent = "";
    this.#trail = [];
    this.#show();
    return this.#schema;
  }

  #search() {
    const word = byId("schema-search").value.trim();
    if (!word) {
      this.#show();
      return;
    }
    const found = this.#schema.search(word, MOST_FOUND);
    const items = found.map(({ type, member }) => {
      const name = member ? `${type.name}.${member.name}` : type.name;
      return element("li", {}, button(name, () => this.#open(type.name), { className: "link" }));
    });
    byId("schema-status").textContent = found.length === MOST_FOUND ? `The first ${MOST_FOUND}:` : `${found.length} found`;
    byId("schema-page").replaceChildren(element("ul", { className: "entries" }, ...items));
  }

  #open(name) {
    byId("schema-search").value = "";
    this.#trail.push(name);
    this.#show();
    byId("schema-page").querySelector("h2").focus();
  }

  #back() {
    this.#trail.pop();
    this.#show();
    byId("schema-page").querySelector("h2")?.focus();
  }

  #show() {
    byId("schema-status").textContent = "";
    const type = this.#schema.types.get(this.#trail.at(-1));
    byId("schema-page").replaceChildren(...(type ? this.#typePage(type) : this.#rootsPage()));
    byId("schema").scrollTo(0, 0);
  }

  #rootsPage() {
    return this.#schema.roots.flatMap((kind) => {
      const type = this.#schema.types.get(this.#schema.root(kind).name);
      return [heading(kind === "query" ? "Queries" : `${kind[0].toUpperCase()}${kind.slice(1)}s`), this.#members(type)];
    });
  }

  #typePage(type) {
    const kind = type.kind.toLowerCase().replace("_", " ");
    const related = [...(type.interfaces ?? []), ...(type.possibleTypes ?? [])].map(({ name }) => this.#link(name));
    return [
      element("p", {}, button("← Back", () => this.#back(), { className: "link" })),
      heading(type.name),
      element("p", { className: "hint" }, kind, ...related.flatMap((link) => [" · ", link])),
      element("p", {}, type.description ?? ""),
      this.#members(type),
    ];
  }

  #members(type) {
    const items = membersOf(type).flatMap((member) => {
      const args = (member.args ?? []).map((each) => element("span", { className: "argument" }, ...this.#typed(each)));
      const close = args.length ? ")" : "";
      const head = args.length ? [`${member.name}(`, ...args, `): `] : null;
      const term = head ? [...head, ...this.#reference(member.type)] : this.#typed(member);
      const words = [member.description, member.isDeprecated && `Deprecated: ${member.deprecationReason}`];
      return [
        element("dt", { className: member.isDeprecated ? "deprecated" : "" }, ...term),
        element("dd", {}, words.filter(Boolean).join(" ")),
      ];
    });
    return element("dl", {}, ...items);
  }

  /** `name: Type = default`, or the bare name of an enum's value. */
  #typed({ name, type, defaultValue, description }) {
    if (!type) return [name];
    return [element("span", { title: description ?? "" }, name), ": ", ...this.#reference(type), defaultValue ? ` = ${defaultValue}` : ""];
  }

  #reference(type) {
    const [open, close] = around(type);
    return [open, this.#link(named(type)), close];
  }

  #link(name) {
    return button(name, () => this.#open(name), { className: "link" });
  }
}

const heading = (text) => element("h2", { tabIndex: -1 }, text);
