// A real identity provider on loopback, told by lines of JSON what to do:
// counts, rotate its keys, go down, come up again. A second one has another name and the same keys.
import { createServer } from 'node:http';
import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { createInterface } from 'node:readline';
import Provider from 'oidc-provider';

console.info = console.error; // the provider's notices have no place among the answers
const HOST = '127.0.0.1';
const HUB = 'https://hub.example.com';
const ALGORITHMS = { 'machine-rs256': 'RS256', 'machine-es256': 'ES256', 'machine-eddsa': 'EdDSA' };
const MACHINES = [...Object.keys(ALGORITHMS), 'brief', 'early'];

function newKeys() {
  const pairs = [
    ['RS256', generateKeyPairSync('rsa', { modulusLength: 2048 })],
    ['ES256', generateKeyPairSync('ec', { namedCurve: 'P-256' })],
    ['EdDSA', generateKeyPairSync('ed25519')],
  ];
  return {
    keys: pairs.map(([alg, { privateKey }]) => ({
      ...privateKey.export({ format: 'jwk' }), alg, use: 'sig', kid: randomUUID(),
    })),
  };
}

function configuration(jwks) {
  return {
    jwks,
    clients: [
      ...MACHINES.map((id) => ({
        client_id: id, client_secret: `${id}-secret`, grant_types: ['client_credentials'], redirect_uris: [],
        response_types: [],
      })),
      {
        client_id: 'desk', token_endpoint_auth_method: 'none', application_type: 'native',
        grant_types: ['authorization_code'], response_types: ['code'], redirect_uris: [`http://${HOST}/signed-in`],
      },
    ],
    cookies: { keys: [randomUUID()] },
    features: {
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        useGrantedResource: () => true,
        getResourceServerInfo: (_ctx, resource, client) => ({
          scope: 'hub', audience: resource, accessTokenFormat: 'jwt',
          accessTokenTTL: client.clientId === 'brief' ? 1 : 3600,
          jwt: { sign: { alg: ALGORITHMS[client.clientId] ?? 'RS256' } },
        }),
      },
    },
    findAccount: (_ctx, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
    extraTokenClaims: () => ({ access: { roles: ['support'] } }),
    formats: {
      customizers: {
        jwt: (_ctx, token, jwt) => {
          if (token.clientId === 'early') jwt.payload.nbf = jwt.payload.iat + 3600;
        },
      },
    },
  };
}

const listen = (server, port) => new Promise((resolve) => server.listen(port, HOST, resolve));

async function started() {
  const told = { counts: {}, answer: undefined, server: undefined, port: 0, issuer: '' };
  told.server = createServer((request, response) => {
    const path = request.url.split('?')[0];
    told.counts[path] = (told.counts[path] ?? 0) + 1;
    told.answer(request, response);
  });
  await listen(told.server, 0);
  told.port = told.server.address().port;
  told.issuer = `http://${HOST}:${told.port}`;
  return told;
}

const [one, other] = await Promise.all([started(), started()]);

function provide() {
  const jwks = newKeys();
  for (const each of [one, other]) each.answer = new Provider(each.issuer, configuration(jwks)).callback();
}

const DO = {
  counts: () => one.counts,
  rotate: () => provide(),
  down: () => new Promise((resolve) => {
    one.server.close(resolve);
    one.server.closeAllConnections();
  }),
  up: () => listen(one.server, one.port),
};

provide();
console.log(JSON.stringify({ issuer: one.issuer, other: other.issuer, audience: HUB }));
for await (const line of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify((await DO[JSON.parse(line).do]()) ?? null));
}
process.exit(0);
