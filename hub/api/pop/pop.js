// The page of an agent: it asks the hub for cards, which come as HTML that the hub has made, and shows them.

const TOKEN = "hub.pop.token";
const EXTENSION = "hub.pop.extension";
const at = (id) => document.getElementById(id);
const [card, status, signOut] = [at("card"), at("status"), at("sign-out")];

// The only HTML that is ever put into the page is the hub's own, of which every value is escaped.
const policy = globalThis.trustedTypes?.createPolicy("hub-card", { createHTML: (html) => html }) ?? {
  createHTML: (html) => html,
};

let listening = null;

const say = (text) => { status.textContent = text; };
const token = () => sessionStorage.getItem(TOKEN);
const headers = () => ({ authorization: `Bearer ${token()}` });

// A call goes on while the agent writes: what is half written goes over to the new card of the same call.
const nameOf = (form, field) => [form.getAttribute("aria-label"), form.closest("section")?.querySelector("h3")?.firstChild?.textContent, field].join("|");
const fields = () => [...card.querySelectorAll("form input, form select")].map((each) => [nameOf(each.form, each.name), each]);
const initial = (field) => (field.tagName === "SELECT" ? field.options[0].value : field.defaultValue);

function written() {
  const kept = new Map(fields().filter(([, each]) => each.value !== initial(each)).map(([name, each]) => [name, each.value]));
  const focused = fields().find(([, each]) => each === document.activeElement)?.[0];
  return { call: card.querySelector("article")?.dataset.call, kept, focused };
}

function restore({ call, kept, focused }) {
  if (!call || card.querySelector("article")?.dataset.call !== call) return;
  for (const [name, field] of fields()) {
    if (kept.has(name)) {
      field.value = kept.get(name);
      field.closest("details")?.setAttribute("open", "");
    }
    if (name === focused) field.focus();
  }
}

function show(html) {
  const before = written();
  card.innerHTML = policy.createHTML(html);
  restore(before);
  const name = card.querySelector("h2");
  if (name) say(`${name.textContent}. ${card.querySelector(".badge")?.textContent ?? ""}`);
}

async function refusal(response) {
  const body = await response.json().catch(() => ({}));
  return body.errors?.[0]?.message ?? `The hub answered ${response.status}.`;
}

async function look(query) {
  const response = await fetch(`pop/card?${new URLSearchParams(query)}`, { headers: headers() });
  if (response.ok) show(await response.text());
  else say(await refusal(response));
}

async function listen(extension) {
  listening?.abort();
  const mine = listening = new AbortController();
  while (!mine.signal.aborted) {
    try {
      const address = `pop/events?${new URLSearchParams({ extension })}`;
      const response = await fetch(address, { headers: headers(), signal: mine.signal });
      if (!response.ok) return say(await refusal(response));
      say(`Listening at extension ${extension}.`);
      await read(response.body);
    } catch (error) {
      if (mine.signal.aborted) return;
    }
    say("The connection is lost; trying again.");
    await new Promise((done) => setTimeout(done, 1000));
  }
}

async function read(stream) {
  const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    text += value;
    const events = text.split("\n\n");
    text = events.pop();
    for (const event of events) {
      const lines = event.split("\n");
      const data = lines.filter((line) => line.startsWith("data: ")).map((line) => line.slice(6)).join("\n");
      if (lines.includes("event: card")) show(data);
      if (lines.includes("event: refused")) say(data);
    }
  }
}

const INPUTS = { pickCaller: "CallerInput", rejectCaller: "CallerInput", confirmCaller: "ConfirmCallerInput", wrapUpCall: "WrapUpInput", correctCaller: "CorrectCallerInput", createCaller: "CreateCallerInput" };

async function tell(mutation, input, form) {
  const idempotencyKey = crypto.randomUUID();
  const query = mutation === "undoCaller"
    ? "mutation($callId: ID!, $key: String!) { undoCaller(callId: $callId, idempotencyKey: $key) { callId } }"
    : `mutation($input: ${INPUTS[mutation]}!) { ${mutation}(input: $input) { callId } }`;
  const variables = mutation === "undoCaller" ? { callId: input.callId, key: idempotencyKey } : { input: { ...input, idempotencyKey } };
  const response = await fetch("graphql", {
    method: "POST",
    headers: { ...headers(), "content-type": "application/json", accept: "application/json" },
    body: JSON.stringify({ query, variables }),
  });
  const body = await response.json();
  if (body.errors) return say(body.errors[0].message);
  form?.reset();
  await look({ callId: input.callId });
}

card.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-act]");
  if (!button) return;
  const input = { callId: button.dataset.call };
  if (button.dataset.customer) input.customerId = button.dataset.customer;
  if (button.dataset.act === "confirmCaller") input.method = button.closest(".acts").querySelector("[data-method]").value;
  tell(button.dataset.act, input);
});

card.addEventListener("submit", (event) => {
  event.preventDefault();
  const form = event.target;
  const values = Object.fromEntries([...new FormData(form)].filter(([, value]) => value));
  const { wrap, find, create, correct } = form.dataset;
  if (find) look({ callId: find, ...values });
  if (wrap) tell("wrapUpCall", { callId: wrap, ...values }, form);
  if (create) tell("createCaller", { callId: create, ...values }, form);
  if (correct) tell("correctCaller", { callId: correct, ...values }, form);
});

at("lookup").addEventListener("submit", (event) => {
  event.preventDefault();
  if (token()) look({ number: at("number").value });
  else say("Give a token first.");
});

at("sign-in").addEventListener("submit", (event) => {
  event.preventDefault();
  sessionStorage.setItem(TOKEN, at("token").value.trim());
  sessionStorage.setItem(EXTENSION, at("extension").value.trim());
  begin();
});

signOut.addEventListener("click", () => {
  listening?.abort();
  sessionStorage.removeItem(TOKEN);
  card.replaceChildren();
  signOut.hidden = true;
  at("sign-in").hidden = false;
  say("The token is forgotten.");
});

function begin() {
  at("sign-in").hidden = true;
  signOut.hidden = false;
  const linked = new URLSearchParams(location.search);
  const asked = ["callId", "number", "reference"].filter((name) => linked.get(name));
  if (asked.length) look(Object.fromEntries(asked.map((name) => [name, linked.get(name)])));
  const extension = linked.get("extension") ?? sessionStorage.getItem(EXTENSION);
  if (extension) listen(extension);
}

if (token()) begin();
