/** The list of names that fit at the caret of an editor, as the ARIA pattern of a combobox has it. */

import { completion } from "./completion.js";
import { element } from "./dom.js";
import { around, named } from "./schema.js";

const MOST = 40;

export class Suggestions {
  /** The schema that the names come from; without one nothing is suggested. */
  schema = null;

  #editor;
  #area;
  #list;
  #found = { typed: "", names: [] };
  #chosen = 0;

  constructor(editor, area, list) {
    [this.#editor, this.#area, this.#list] = [editor, area, list];
    Object.assign(area, { ariaAutoComplete: "list", ariaHasPopup: "listbox" });
    area.setAttribute("aria-controls", list.id);
    // On the way down: the editor leaves alone what has been done here.
    area.parentElement.addEventListener("keydown", (event) => this.#pressed(event), { capture: true });
    area.addEventListener("input", (event) => this.#typed(event));
    area.addEventListener("blur", () => this.#close());
    area.addEventListener("click", () => this.#close());
    area.addEventListener("scroll", () => this.#close());
    list.addEventListener("mousedown", (event) => {
      event.preventDefault();
      this.#choose([...list.children].indexOf(event.target.closest("li")));
      this.#take();
    });
  }

  #typed(event) {
    if (event.inputType === "insertText" && /^\w$/.test(event.data ?? "")) this.#open(1);
    else if (!this.#list.hidden) this.#open(1);
  }

  #open(least) {
    this.#close();
    if (!this.schema) return;
    this.#found = completion(this.schema, this.#editor.textBeforeCaret);
    const { typed, names } = this.#found;
    this.#found.names = names.slice(0, MOST);
    if (typed.length < least || !names.length || (names.length === 1 && names[0].name === typed)) return;
    this.#list.replaceChildren(...this.#found.names.map(option));
    this.#list.hidden = false;
    this.#place();
    this.#choose(0);
  }

  /** Below the caret: the text is in a face of one width and does not wrap. */
  #place() {
    const lines = this.#editor.textBeforeCaret.split("\n");
    const style = getComputedStyle(this.#area);
    const top = lines.length * parseFloat(style.lineHeight) + parseFloat(style.paddingTop) - this.#area.scrollTop;
    const gutter = this.#area.offsetLeft + parseFloat(style.paddingLeft) - this.#area.scrollLeft;
    this.#list.style.font = style.font;
    this.#list.style.left = `calc(${gutter}px + ${lines.at(-1).length - this.#found.typed.length}ch)`;
    const isLow = top + this.#list.offsetHeight > this.#area.clientHeight && top > this.#area.clientHeight / 2;
    this.#list.style.top = isLow ? `${top - parseFloat(style.lineHeight) - this.#list.offsetHeight}px` : `${top}px`;
  }

  #close() {
    this.#list.hidden = true;
    this.#area.removeAttribute("aria-activedescendant");
  }

  #choose(index) {
    this.#list.children[this.#chosen]?.setAttribute("aria-selected", "false");
    this.#chosen = (index + this.#list.children.length) % this.#list.children.length;
    const chosen = this.#list.children[this.#chosen];
    chosen.setAttribute("aria-selected", "true");
    chosen.scrollIntoView({ block: "nearest" });
    this.#area.setAttribute("aria-activedescendant", chosen.id);
  }

  #take() {
    this.#editor.insert(this.#found.names[this.#chosen].name, this.#found.typed.length);
    this.#close();
  }

  #pressed(event) {
    if (event.key === " " && event.ctrlKey) this.#open(0);
    else if (this.#list.hidden || event.ctrlKey || event.metaKey || event.altKey) return;
    else if (event.key === "ArrowDown") this.#choose(this.#chosen + 1);
    else if (event.key === "ArrowUp") this.#choose(this.#chosen - 1);
    else if (event.key === "Enter" || (event.key === "Tab" && !event.shiftKey)) this.#take();
    else if (event.key === "Escape") this.#close();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }
}

function option(member, index) {
  const [open, close] = member.type ? around(member.type) : ["", ""];
  const type = member.type ? `${open}${named(member.type)}${close}` : "";
  return element(
    "li",
    { role: "option", id: `suggestion-${index}`, ariaSelected: "false", title: member.description ?? "" },
    member.name,
    element("small", {}, type),
  );
}
