/** A text area with line numbers that indents and pairs brackets. */

import { element } from "./dom.js";

const PAIRS = { "(": ")", "{": "}", "[": "]", '"': '"' };
const INDENT = "  ";

export class Editor {
  #area;
  #gutter;
  #leaving = false;

  /** `box` holds the text area and the gutter; `changed` is called after each change. */
  constructor(box, changed = () => {}) {
    this.#area = box.querySelector("textarea");
    this.#gutter = box.querySelector(".gutter");
    this.#area.addEventListener("keydown", (event) => this.#pressed(event));
    this.#area.addEventListener("scroll", () => this.#follow());
    this.#area.addEventListener("input", () => {
      this.#number();
      changed();
    });
    this.#number();
  }

  get text() {
    return this.#area.value;
  }

  set text(text) {
    this.#area.focus();
    this.#area.select();
    this.insert(text);
    this.#area.setSelectionRange(0, 0);
    this.#area.scrollTo(0, 0);
  }

  get textBeforeCaret() {
    return this.text.slice(0, this.#area.selectionStart);
  }

  /** Put text in place of the selection and of `over` characters before it, such that it can be undone. */
  insert(text, over = 0) {
    const { selectionStart: start, selectionEnd: end } = this.#area;
    this.#area.setSelectionRange(start - over, end);
    // The only way that browsers keep the history of undo for; setRangeText() loses it.
    document.execCommand(text ? "insertText" : "delete", false, text);
  }

  /** Put the caret at a line and column, both from 1. */
  moveTo(line, column) {
    const before = this.text.split("\n").slice(0, line - 1);
    const at = before.join("\n").length + (before.length ? 1 : 0) + column - 1;
    this.#area.focus();
    this.#area.setSelectionRange(at, at);
  }

  #number() {
    const lines = this.text.split("\n").length;
    if (this.#gutter.childElementCount !== 1 || this.#gutter.textContent.split("\n").length !== lines) {
      this.#gutter.replaceChildren(element("div", {}, Array.from({ length: lines }, (_, i) => i + 1).join("\n")));
    }
    this.#follow();
  }

  #follow() {
    this.#gutter.firstElementChild.style.transform = `translateY(${-this.#area.scrollTop}px)`;
  }

  #pressed(event) {
    const leaving = this.#leaving;
    this.#leaving = event.key === "Escape";
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (event.key === "Tab") this.#tab(event, leaving);
    else if (event.key === "Enter") this.#newLine(event);
    else this.#pair(event);
  }

  /** Indents; Shift and Tab go back as everywhere, so that nobody is caught in the editor. */
  #tab(event, leaving) {
    if (leaving || event.shiftKey) return;
    event.preventDefault();
    this.insert(INDENT);
  }

  /** A new line as far in as the last one, and further in after a bracket. */
  #newLine(event) {
    event.preventDefault();
    const indent = this.textBeforeCaret.match(/( *)[^\n]*$/)[1];
    const { before, after } = this.#around();
    const opens = /[({[]/.test(before);
    this.insert(`\n${indent}${opens ? INDENT : ""}`);
    if (opens && after === PAIRS[before]) this.#insertBehind(`\n${indent}`);
  }

  /** An opening bracket brings its closing one where nothing follows; a closing one is not doubled. */
  #pair(event) {
    const { before, after, isSelected } = this.#around();
    if (isSelected) return;
    const caret = this.#area.selectionStart;
    if (Object.values(PAIRS).includes(event.key) && after === event.key) {
      event.preventDefault();
      this.#area.setSelectionRange(caret + 1, caret + 1);
    } else if (event.key in PAIRS && /^[\s)}\]]?$/.test(after) && !(event.key === '"' && /["\w]/.test(before))) {
      event.preventDefault();
      this.insert(event.key);
      this.#insertBehind(PAIRS[event.key]);
    }
  }

  #insertBehind(text) {
    const caret = this.#area.selectionStart;
    this.insert(text);
    this.#area.setSelectionRange(caret, caret);
  }

  #around() {
    const { selectionStart: start, selectionEnd: end } = this.#area;
    return { before: this.text.charAt(start - 1), after: this.text.charAt(end), isSelected: start !== end };
  }
}
