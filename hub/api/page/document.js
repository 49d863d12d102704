/** What can be known of a GraphQL document without parsing it: its tokens, operations, variables, values. */

const TOKEN = new RegExp(
  [
    /(?<comment>#[^\n\r]*)/,
    /(?<string>"""(?:\\"""|[^])*?(?:"""|$)|"(?:[^"\\\n]|\\.)*"?)/,
    /(?<spread>\.\.\.)/,
    /(?<variable>\$\w*)/,
    /(?<directive>@\w*)/,
    /(?<name>[A-Za-z_]\w*)/,
    /(?<number>-?\d[\w.+-]*)/,
    /(?<mark>[{}()[\]:=!|&])/,
  ].map((each) => each.source).join("|"),
  "g",
);

/** The document's tokens: kind, text and where each begins. */
export function tokens(text) {
  return [...text.matchAll(TOKEN)].map((match) => ({
    kind: Object.keys(match.groups).find((kind) => match.groups[kind] !== undefined),
    text: match[0],
    at: match.index,
  }));
}

/** The names of its operations. */
export function operations(text) {
  let depth = 0;
  const found = tokens(text).filter(({ kind }) => kind !== "comment");
  return found.flatMap((token, i) => {
    depth += { "{": 1, "(": 1, "}": -1, ")": -1 }[token.text] ?? 0;
    const opens = depth === 0 && /^(query|mutation|subscription)$/.test(token.text);
    return opens && found[i + 1]?.kind === "name" && found[i - 1]?.text !== "fragment" ? [found[i + 1].text] : [];
  });
}

/** JSON with an empty text for each variable that must be given; nothing when there is none. */
export function variablesToGive(text) {
  const names = [...text.matchAll(/\$(\w+)\s*:\s*[\w[\]!]*!(?!\s*=)/g)].map(([, name]) => name);
  return names.length ? JSON.stringify(Object.fromEntries(names.map((name) => [name, ""])), null, 2) : "";
}

/** The document with its quoted values empty and its comments gone: they may name a person. */
export function withoutValues(text) {
  return tokens(text).reduceRight((rest, { kind, text: token, at }) => {
    const kept = { comment: "", string: '""' }[kind];
    return kept === undefined ? rest : rest.slice(0, at) + kept + rest.slice(at + token.length);
  }, text);
}
