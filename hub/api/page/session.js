/** Who asks, for what purpose, and the way to the API. The token is kept for this tab alone, and never written to disk. */

const GRAPHQL = new URL("../graphql", import.meta.url);
const SDL = new URL("../graphql/schema.graphql", import.meta.url);
const MEDIA = "application/graphql-response+json, application/json;q=0.9";
const KEPT = "hub.console.session";

export class Session {
  #token = "";
  #purpose = "";

  /** The caller as the API knows them: subject, roles, department, purposes; null while nobody is signed in. */
  me = null;

  /** The token and purpose that this tab used before it was loaded again. */
  static kept() {
    return JSON.parse(sessionStorage.getItem(KEPT) ?? "null");
  }

  get purpose() {
    return this.#purpose;
  }

  set purpose(purpose) {
    this.#purpose = purpose;
    sessionStorage.setItem(KEPT, JSON.stringify({ token: this.#token, purpose }));
  }

  /** Use the token, with this purpose if it may be stated. Throws an Error that says why the API refuses it. */
  async open(token, purpose = "") {
    this.close();
    if (!/^[\x21-\x7e]+$/.test(token)) throw new Error("That is no token: it has spaces or unusual characters.");
    this.#token = token;
    const candidates = [...new Set([purpose, ...claimedPurposes(token)])].filter(Boolean);
    try {
      await this.#introduce(candidates.length ? candidates : [""]);
    } finally {
      if (!this.me) this.close();
    }
  }

  /** Forget the token. */
  close() {
    this.#token = this.#purpose = "";
    this.me = null;
    sessionStorage.removeItem(KEPT);
  }

  /** Learn who the caller is, by the first purpose that they may state. */
  async #introduce(purposes) {
    let refusal;
    for (this.#purpose of purposes) {
      const { body, status } = await this.ask("{ me { subject roles department purpose purposes } }");
      this.me = body?.data?.me ?? null;
      if (this.me) {
        this.purpose = this.me.purpose;
        return;
      }
      refusal = body?.errors?.[0] ?? { message: `The API answered with status ${status}.` };
      if (refusal.extensions?.code !== "PURPOSE_REQUIRED") break;
    }
    throw new Error(refusal.message);
  }

  /** The API's answer. `variables` is JSON text, which is sent as it is: parsing would round long numbers. */
  async ask(query, { variables = "{}", operationName = null, signal } = {}) {
    const began = performance.now();
    const response = await fetch(GRAPHQL, {
      method: "POST",
      headers: { ...this.#headers(), accept: MEDIA, "content-type": "application/json" },
      body: `{"query":${JSON.stringify(query)},"operationName":${JSON.stringify(operationName)},"variables":${variables}}`,
      credentials: "omit",
      signal,
    });
    const bytes = await response.arrayBuffer();
    const text = new TextDecoder().decode(bytes);
    const milliseconds = performance.now() - began;
    return { status: response.status, text, body: parsed(text), size: bytes.byteLength, milliseconds };
  }

  /** The schema in GraphQL's schema language. */
  async sdl() {
    const response = await fetch(SDL, { headers: this.#token ? this.#headers() : {}, credentials: "omit" });
    if (!response.ok) throw new Error(`The API refuses the schema with status ${response.status}.`);
    return response.blob();
  }

  #headers() {
    return { authorization: `Bearer ${this.#token}`, ...(this.#purpose && { "x-purpose": this.#purpose }) };
  }
}

/** What the token says of purposes; the API has the last word. */
function claimedPurposes(token) {
  try {
    const claims = JSON.parse(atob(token.split(".")[1].replaceAll("-", "+").replaceAll("_", "/")));
    return claims.purposes.map(String);
  } catch {
    return [];
  }
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
