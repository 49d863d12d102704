// PostGraphile 5 as its documentation sets it up as a library, for production: one process, Node's own HTTP server,
// no GraphiQL, no watching, no explain, prepared statements on (the adaptor's default).
import { createServer } from "node:http";
import { postgraphile } from "postgraphile";
import { makePgService } from "postgraphile/adaptors/pg";
import { grafserv } from "postgraphile/grafserv/node";
import { PostGraphileAmberPreset } from "postgraphile/presets/amber";

const [connectionString, poolSize, port] = process.argv.slice(2);
const preset = {
  extends: [PostGraphileAmberPreset],
  pgServices: [makePgService({ connectionString, schemas: ["peer"], poolConfig: { max: Number(poolSize) } })],
  gather: { pgStrictFunctions: true },
  grafserv: { graphiql: false, watch: false, websockets: false },
  grafast: { explain: false },
};
const serv = postgraphile(preset).createServ(grafserv);
const server = createServer();
await serv.addTo(server);
await serv.ready();
server.listen(Number(port), "127.0.0.1");
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => process.exit(0));
