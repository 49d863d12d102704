/** JSON text, indented without being parsed: numbers stay as they were sent. */

const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\],:]|[^\s{}[\],:"]+/g;
const MOST_COLOURED = 300_000;

/** The text in pieces of one kind each: [kind, text], kind empty for what is between the values. */
export function* pieces(json) {
  const tokens = json.match(TOKEN) ?? [];
  let depth = 0;
  const line = () => `\n${"  ".repeat(depth)}`;
  for (const [i, token] of tokens.entries()) {
    const next = tokens[i + 1];
    if (token === "{" || token === "[") {
      depth += 1;
      yield ["", next === "}" || next === "]" ? token : token + line()];
    } else if (token === "}" || token === "]") {
      depth -= 1;
      yield ["", /[{[]/.test(tokens[i - 1]) && tokens[i - 1].length === 1 ? token : line() + token];
    } else if (token === ",") yield ["", token + line()];
    else if (token === ":") yield ["", ": "];
    else yield [kindOf(token, next), token];
  }
}

function kindOf(token, next) {
  if (token[0] === '"') return next === ":" ? "key" : "string";
  if (token === "null") return "null";
  return /^[-\d]/.test(token) ? "number" : "word";
}

/** The text for a `pre`: indented, with a coloured span a value; a very long one without colours. */
export function shown(json) {
  const all = [...pieces(json)];
  if (json.length > MOST_COLOURED) return [all.map(([, text]) => text).join("")];
  return all.map(([kind, text]) => {
    if (!kind) return text;
    const span = document.createElement("span");
    span.className = kind;
    span.textContent = text;
    return span;
  });
}
