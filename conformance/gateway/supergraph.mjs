// Composes the hub with a second subgraph by Apollo's own tools, and asks the supergraph through Apollo's gateway.
// Standard input: {"url": ..., "schema": {headers that may read the schema}, "whole": {headers of a role that sees
// names whole}, "masked": {headers of one that sees them masked}}; standard output: a JSON list of {"check", "ok", "seen"}.
import { text } from 'node:stream/consumers';
import { isDeepStrictEqual } from 'node:util';
import { composeServices } from '@apollo/composition';
import { ApolloGateway, LocalGraphQLDataSource, RemoteGraphQLDataSource } from '@apollo/gateway';
import { buildSubgraphSchema } from '@apollo/subgraph';
import { parse } from 'graphql';

const { url, schema, whole, masked } = JSON.parse(await text(process.stdin));
const quiet = { debug() {}, info() {}, warn() {}, error() {} };
const results = [];

function check(name, ok, seen) {
  results.push({ check: name, ok, seen: String(seen) });
}

async function askHub(headers, query) {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ query }),
  });
  const { data, errors } = await response.json();
  if (errors) throw new Error(errors.map((each) => each.message).join('; '));
  return data;
}

// A company's loyalty service: it knows customers and orders by the hub's ids, and nothing else of them.
const loyalty = parse(`
  extend schema @link(url: "https://specs.apollo.dev/federation/v2.3", import: ["@key", "@shareable"])
  type Customer @key(fields: "id") { id: ID! points: Int! }
  type Order @key(fields: "id") { id: ID! bonus: Int! }
  union Rewarded = Customer | Order
  type PageInfo @shareable { hasNextPage: Boolean! hasPreviousPage: Boolean! startCursor: String endCursor: String }
  type Money @shareable { amount: Decimal currency: String }
  scalar Decimal
  type Query { best: [Customer!]! rewarded: [Rewarded!]! members: PageInfo! paidOut: Money! }
`);

let known = { customers: [], orders: [] };
const points = (id) => id.length * 10 + known.customers.indexOf(id);
const resolvers = {
  Customer: { points: ({ id }) => points(id), __resolveReference: ({ id }) => ({ id }) },
  Order: { bonus: () => 5, __resolveReference: ({ id }) => ({ id }) },
  Rewarded: { __resolveType: ({ id }) => (known.orders.includes(id) ? 'Order' : 'Customer') },
  Query: {
    best: () => [known.customers[1], known.customers[0], 'cus_nobody', known.customers[1]].map((id) => ({ id })),
    rewarded: () => [known.orders[0], known.customers[0], known.orders[1]].map((id) => ({ id })),
    members: () => ({ hasNextPage: false, hasPreviousPage: false }),
    paidOut: () => ({ amount: '1.50', currency: 'GBP' }),
  },
};

const { _service } = await askHub(schema, '{ _service { sdl } }');
try {
  buildSubgraphSchema({ typeDefs: parse(_service.sdl) });
  check('the schema of `_service` is that of a subgraph', true, 'built');
} catch (error) {
  check('the schema of `_service` is that of a subgraph', false, error.message);
}

const composed = composeServices([
  { name: 'hub', url, typeDefs: parse(_service.sdl) },
  { name: 'loyalty', url: 'http://loyalty.example/', typeDefs: loyalty },
]);
const faults = (composed.errors ?? []).map((each) => each.message);
check('it composes with a second subgraph that has fields of its own on Customer and Order', !faults.length, faults.join('; ') || 'composed');
check('composition has no hints', !composed.hints?.length, composed.hints?.map((each) => each.message).join('; ') || 'none');
const keys = (composed.supergraphSdl ?? '').match(/@join__type\(graph: HUB, key: "id"\)/g) ?? [];
const entities = (_service.sdl.match(/@key\(fields: "id"\)/g) ?? []).length;
check('every type with a key is an entity of the supergraph', keys.length === entities && entities > 2, `${keys.length} of ${entities}`);

const gateway = new ApolloGateway({
  supergraphSdl: composed.supergraphSdl,
  logger: quiet,
  buildService: ({ name }) =>
    name === 'loyalty'
      ? new LocalGraphQLDataSource(buildSubgraphSchema([{ typeDefs: loyalty, resolvers }]))
      : new RemoteGraphQLDataSource({
          url,
          willSendRequest({ request, context }) {
            for (const [header, value] of Object.entries(context.headers ?? {})) request.http.headers.set(header, value);
          },
        }),
});
const { schema: supergraph, executor } = await gateway.load();

async function ask(headers, query) {
  const document = parse(query);
  const request = { query, variables: {}, http: { method: 'POST', url: '/', headers: new Map() } };
  const { data, errors } = await executor({
    request,
    document,
    operationName: null,
    queryHash: query,
    source: query,
    context: { headers },
    schema: supergraph,
    logger: quiet,
    cache: { get: async () => undefined, set: async () => {}, delete: async () => {} },
    metrics: {},
    operation: document.definitions[0],
    overallCachePolicy: { restrict() {}, replace() {}, policyIfCacheable: () => null },
  });
  if (errors?.length) throw new Error(errors.map((each) => each.message).join('; '));
  return JSON.parse(JSON.stringify(data));
}

const listed = await askHub(
  whole,
  '{ customers(first: 3) { nodes { id name } } orders(first: 2) { nodes { id orderNumber total { amount } } } }',
);
const { nodes: customers } = listed.customers;
const { nodes: orders } = listed.orders;
known = { customers: customers.map(({ id }) => id), orders: orders.map(({ id }) => id) };

async function asks(name, headers, query, expected) {
  try {
    const found = await ask(headers, query);
    const ok = isDeepStrictEqual(found, expected);
    check(name, ok, ok ? 'as both know it' : 'something else');
  } catch (error) {
    check(name, false, error.message);
  }
}

await asks(
  'a list of the hub, with fields of the other subgraph',
  whole,
  '{ customers(first: 3) { nodes { name points } } }',
  { customers: { nodes: customers.map(({ id, name }) => ({ name, points: points(id) })) } },
);
await asks(
  'customers of the other subgraph with fields of the hub: in their order, twice, and one that the hub does not know',
  whole,
  '{ best { id name points } }',
  {
    best: [customers[1], customers[0], { id: 'cus_nobody', name: null }, customers[1]].map(({ id, name }) => ({
      id,
      name,
      points: points(id),
    })),
  },
);
await asks(
  'customers and orders of the other subgraph in one list, with fields of the hub',
  whole,
  '{ rewarded { __typename ... on Customer { name } ... on Order { orderNumber bonus total { amount } } } paidOut { amount } }',
  {
    rewarded: [
      { __typename: 'Order', orderNumber: orders[0].orderNumber, bonus: 5, total: orders[0].total },
      { __typename: 'Customer', name: customers[0].name },
      { __typename: 'Order', orderNumber: orders[1].orderNumber, bonus: 5, total: orders[1].total },
    ],
    paidOut: { amount: '1.50' },
  },
);
const shown = (await askHub(masked, '{ customers(first: 3) { nodes { id name } } }')).customers.nodes;
const hidden = shown.every(({ name }, index) => name !== customers[index].name);
check('a role that sees names masked', hidden, hidden ? 'asks the hub itself' : 'sees them whole');
await asks(
  'the same role through the gateway sees what the hub shows it',
  masked,
  '{ best { name } }',
  { best: [shown[1].name, shown[0].name, null, shown[1].name].map((name) => ({ name })) },
);
await gateway.stop();

console.log(JSON.stringify(results));
