// Runs all audits of graphql-http against the endpoint. Standard input: {"url": ..., "headers": {...}};
// standard output: a JSON list of {"id", "name", "status", "reason"}.
import { text } from 'node:stream/consumers';
import { auditServer } from 'graphql-http';

const { url, headers } = JSON.parse(await text(process.stdin));

const results = await auditServer({
  url,
  fetchFn: (input, init = {}) => fetch(input, { ...init, headers: { ...init.headers, ...headers } }),
});

console.log(
  JSON.stringify(results.map(({ id, name, status, reason }) => ({ id, name, status, reason: reason ?? null }))),
);
