/** What fits at the caret: fields, arguments, keys of inputs, enum values, types, by the schema. */

import { tokens } from "./document.js";
import { byName, named } from "./schema.js";

/** The names that fit where the text ends, and how much of one is typed already. */
export function completion(schema, text) {
  const all = tokens(text);
  if (isInside(all.at(-1), text)) return { typed: "", names: [] };
  const found = all.filter(({ kind }) => kind !== "comment");
  const last = found.at(-1);
  const typed = last?.kind === "name" && last.at + last.text.length === text.length ? found.pop().text : "";
  const names = fitting(schema, found.at(-1)?.text, frameAt(schema, found));
  return { typed, names: names.filter(({ name }) => name.toLowerCase().startsWith(typed.toLowerCase())) };
}

/** Whether the text ends within a comment or a quoted value. */
function isInside(last, text) {
  if (last?.kind === "comment") return last.at + last.text.length === text.length;
  return last?.kind === "string" && (last.text.length === 1 || !last.text.endsWith('"'));
}

/**
 * What the innermost bracket holds: its members by name, and the one of them that was named last.
 *
 * A bracket opens what belongs to the last member of the one around it: its fields, arguments, or keys of its input type.
 */
function frameAt(schema, found) {
  const frames = [{ isTop: true, members: new Map(), last: { type: schema.root("query") } }];
  for (const [i, { kind, text }] of found.entries()) {
    const frame = frames.at(-1);
    if (text === "{") frames.push(inside(schema, frame.last));
    else if (text === "(") frames.push({ members: byName(frame.last?.args), last: null });
    else if (text === "}" || text === ")") frames.length > 1 && frames.pop();
    else if (kind === "spread") frame.last = { type: frame.type };
    else if (kind === "directive") frame.last = { ...frame.last, args: schema.directives.get(text.slice(1))?.args };
    else if (kind === "name") frame.last = memberNamed(schema, frame, text, found[i - 1]?.text) ?? frame.last;
  }
  return frames.at(-1);
}

function inside(schema, member) {
  const type = schema.types.get(named(member?.type));
  return { type, members: byName(type?.fields ?? type?.inputFields), last: null };
}

/** The member that a name stands for; a name after a colon is a value, unless it is the field behind an alias. */
function memberNamed(schema, frame, name, before) {
  if (before === "on") return { type: { name } };
  if (frame.isTop) return schema.root(name) && { type: schema.root(name) };
  return before === ":" && !frame.type?.fields ? null : frame.members.get(name);
}

function fitting(schema, before, frame) {
  if (before === "on") return schema.within(frame.type).map((name) => ({ name }));
  if (before === "...") return [{ name: "on" }];
  if (before === ":" && !frame.type?.fields) return schema.types.get(named(frame.last?.type))?.enumValues ?? [];
  return [...frame.members.values()];
}
