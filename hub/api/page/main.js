/** The console: who asks, the question, the answer, and the library beside them. */

import { AnswerView } from "./answer.js";
import { operations, variablesToGive } from "./document.js";
import { byId, connectTabs, element } from "./dom.js";
import { Editor } from "./editor.js";
import { Examples, History } from "./library.js";
import { SchemaPages } from "./schemapage.js";
import { Session } from "./session.js";
import { Suggestions } from "./suggestions.js";

const FIRST_QUERY = "{\n  me {\n    department\n    purpose\n    purposes\n  }\n}\n";

const session = new Session();
const query = new Editor(byId("query-editor"), offerOperations);
const variables = new Editor(byId("variables-editor"));
const suggestions = new Suggestions(query, byId("query"), byId("suggestions"));
const answer = new AnswerView((line, column) => query.moveTo(line, column));
const schemaPages = new SchemaPages();
const examples = new Examples(take);
const history = new History(take);
let running = null;

// who asks

function say(text, isBad = false) {
  byId("session-status").textContent = text;
  byId("session-status").className = isBad ? "bad" : "";
}

async function signIn({ token, purpose }) {
  say("Asking the API who this token is for …");
  try {
    await session.open(token, purpose);
  } catch (error) {
    say(error instanceof TypeError ? "The API cannot be reached." : error.message, true);
    return;
  }
  byId("token").value = "";
  say("");
  showCaller();
  suggestions.schema = await schemaPages.load(session);
}

function signOut() {
  session.close();
  suggestions.schema = null;
  schemaPages.forget();
  showCaller();
  say("The token is forgotten.");
  byId("token").focus();
}

function showCaller() {
  const { me } = session;
  byId("sign-in").hidden = Boolean(me);
  byId("signed-in").hidden = !me;
  byId("who").textContent = me ? `${me.subject} · ${me.roles.join(", ")}` : "";
  const purposes = me?.purposes.map((value) => element("option", { value, selected: value === me.purpose }, value));
  byId("purpose").replaceChildren(...(purposes ?? []));
  examples.show(me?.department);
}

byId("sign-in").addEventListener("submit", (event) => {
  event.preventDefault();
  signIn({ token: byId("token").value.trim() });
});
byId("sign-out").addEventListener("click", signOut);
byId("purpose").addEventListener("change", () => {
  session.purpose = byId("purpose").value;
});

// the question

function take(text) {
  variables.text = variablesToGive(text);
  query.text = text.trim() + "\n";
  answer.say("");
}

function offerOperations() {
  const names = operations(query.text);
  const chosen = byId("operation").value;
  byId("operation").hidden = names.length < 2;
  byId("operation").replaceChildren(...names.map((value) => element("option", { value, selected: value === chosen }, value)));
}

async function run() {
  if (running) {
    running.abort();
    return;
  }
  const given = variables.text.trim() || "{}";
  try {
    JSON.parse(given);
  } catch (error) {
    answer.say(`The variables are no JSON: ${error.message}`, true);
    return;
  }
  history.add(query.text);
  running = new AbortController();
  byId("run").textContent = "Stop";
  answer.say("Waiting for the answer …");
  try {
    const operationName = byId("operation").value || null;
    answer.show(await session.ask(query.text, { variables: given, operationName, signal: running.signal }));
  } catch {
    answer.say(running.signal.aborted ? "Stopped." : "The API cannot be reached.", true);
  }
  running = null;
  byId("run").textContent = "Run";
}

byId("run").addEventListener("click", run);
document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
  event.preventDefault();
  run();
});

// beside them

byId("sdl").addEventListener("click", async () => {
  try {
    const href = URL.createObjectURL(await session.sdl());
    element("a", { href, download: "schema.graphql" }).click();
    setTimeout(() => URL.revokeObjectURL(href), 60_000); // browsers read it a little later
  } catch (error) {
    byId("schema-status").textContent = error.message;
  }
});
connectTabs(document.querySelector("[role=tablist]"));

query.text = FIRST_QUERY;
await examples.load();
const kept = Session.kept();
if (kept) await signIn(kept);
else byId("token").focus();
