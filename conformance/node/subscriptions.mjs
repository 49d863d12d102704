// Checks the endpoint's WebSocket against graphql-transport-ws: with the client of graphql-ws where a client behaves,
// with bare frames where it must not. The protocol: PROTOCOL.md of the graphql-ws package.
//
// First line of standard input: {"url", "authorization", "purpose", "changes", "progress", "query", "slow"}: two
// subscriptions, a query, and the seconds in which everything happens. Standard output, a JSON value a line:
// {"ask": "change"} when something has to happen that the subscriptions tell, {"check", "ok", "seen"} for each check.
import { createHash, randomBytes } from 'node:crypto';
import { connect as connectTcp } from 'node:net';
import { createInterface } from 'node:readline';
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';

const PROTOCOL = 'graphql-transport-ws';
const { value: firstLine } = await createInterface({ input: process.stdin })[Symbol.asyncIterator]().next();
const { url, authorization, purpose, changes, progress, query, slow } = JSON.parse(firstLine);
const login = { authorization, 'x-purpose': purpose };
const init = { type: 'connection_init', payload: login };
const subscribe = (id, document = changes) => ({ id, type: 'subscribe', payload: { query: document } });

const tell = (line) => process.stdout.write(JSON.stringify(line) + '\n');
const askForChange = () => tell({ ask: 'change' });

function within(seconds, promise, what) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no ${what} within ${seconds} s`)), seconds * 1000);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/** One bare connection: what it was told, in order, and with which code it was closed. */
class Frames {
  constructor(options = {}) {
    this.received = [];
    this.waiting = [];
    this.socket = new WebSocket(url, options.protocols ?? PROTOCOL, { headers: options.headers ?? {} });
    this.closed = new Promise((resolve) => this.socket.on('close', (code, reason) => resolve({ code, reason: `${reason}` })));
    this.opened = new Promise((resolve, reject) => this.socket.on('open', resolve).on('error', reject));
    this.opened.catch(() => {}); // told where it is waited for
    this.socket.on('message', (data) => {
      this.received.push(JSON.parse(data));
      this.waiting.forEach((look) => look());
    });
  }

  send(message) {
    this.socket.send(typeof message === 'string' ? message : JSON.stringify(message));
  }

  /** The first message that fits, also of those that came already. */
  message(fits, what) {
    const found = new Promise((resolve) => {
      const look = () => {
        const message = this.received.find(fits);
        if (message) resolve(message);
      };
      this.waiting.push(look);
      look();
    });
    const gone = this.closed.then(({ code }) => Promise.reject(new Error(`closed with ${code} before ${what}`)));
    return within(slow, Promise.race([found, gone]), what);
  }

  async acknowledged() {
    await within(slow, this.opened, 'handshake');
    this.send(init);
    await this.message(({ type }) => type === 'connection_ack', 'connection_ack');
    return this;
  }

  async code() {
    return (await within(slow, this.closed, 'close')).code;
  }

  async pong() {
    const mark = randomBytes(4).toString('hex');
    this.send({ type: 'ping', payload: { mark } });
    return this.message(({ type, payload }) => type === 'pong' && (!payload || payload.mark === mark), 'pong');
  }

  end() {
    this.socket.terminate();
  }
}

function client(options = {}) {
  return createClient({ url, webSocketImpl: WebSocket, connectionParams: login, retryAttempts: 0, lazy: true, ...options });
}

/** The first answer of a subscription, with changes asked for until one is told. */
async function firstChange(answers) {
  const next = answers.next();
  for (let tries = 0; tries < 3; tries += 1) {
    askForChange();
    try {
      return await within(slow, next, 'next');
    } catch (error) {
      if (tries === 2) throw error;
    }
  }
}

function expect(holds, seen) {
  if (!holds) throw new Error(seen);
  return seen;
}

/** Subscribes as a client does, and leaves when something was told. */
async function told(document) {
  const whole = client();
  const answers = whole.iterate({ query: document });
  const { value, done } = await firstChange(answers);
  await answers.return();
  await whole.dispose();
  expect(!done && value.data && !value.errors, `got ${JSON.stringify(Object.keys(value ?? {}))}`);
  return 'next, with data and no errors';
}

async function closedWith(expected, act, options) {
  const frames = new Frames(options);
  try {
    await act(frames);
    const code = await frames.code();
    return expect(code === expected, `closed with ${code}`);
  } finally {
    frames.end();
  }
}

/** The close code, or the status of a refused handshake, that a client with this subprotocol is given.
 *
 * Written on a bare TCP connection: client libraries give up as soon as the server agrees to no subprotocol.
 */
function answerToSubprotocol(name) {
  const { hostname, port, pathname } = new URL(url);
  const key = randomBytes(16).toString('base64');
  const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
  const head = [
    `GET ${pathname} HTTP/1.1`, `Host: ${hostname}:${port}`, 'Connection: Upgrade', 'Upgrade: websocket',
    'Sec-WebSocket-Version: 13', `Sec-WebSocket-Key: ${key}`, `Sec-WebSocket-Protocol: ${name}`, '', '',
  ];
  return new Promise((resolve, reject) => {
    const socket = connectTcp(Number(port), hostname, () => socket.write(head.join('\r\n')));
    let received = Buffer.alloc(0);
    socket.on('error', reject);
    socket.on('data', (data) => {
      received = Buffer.concat([received, data]);
      const end = received.indexOf('\r\n\r\n');
      if (end < 0) return;
      const answer = received.subarray(0, end).toString();
      const frame = received.subarray(end + 4);
      if (!answer.startsWith('HTTP/1.1 101') || !answer.includes(accept)) resolve(`handshake refused: ${answer.split('\r\n')[0]}`);
      else if (frame.length >= 4) resolve(frame[0] === 0x88 ? `closed with ${frame.readUInt16BE(2)}` : 'no close frame');
      else return;
      socket.destroy();
    });
  });
}

const CHECKS = {
  'the subprotocol is agreed on': async () => {
    const frames = await new Frames().acknowledged();
    frames.end();
    return expect(frames.socket.protocol === PROTOCOL, `agreed on ${frames.socket.protocol}`);
  },
  'a token in connection_init is acknowledged': async () => {
    let acknowledged;
    const connected = new Promise((resolve) => (acknowledged = resolve));
    const eager = client({ lazy: false, on: { connected: () => acknowledged() }, onNonLazyError: () => {} });
    await within(slow, connected, 'connection_ack');
    await eager.dispose();
    return 'connection_ack';
  },
  'a token in the headers of the handshake is acknowledged': async () => {
    const frames = new Frames({ headers: login });
    await within(slow, frames.opened, 'handshake');
    frames.send({ type: 'connection_init' });
    await frames.message(({ type }) => type === 'connection_ack', 'connection_ack');
    frames.end();
    return 'connection_ack';
  },
  'subscribe tells changes of customers': () => told(changes),
  'subscribe tells how syncs come along': () => told(progress),
  'a query is answered once, then complete': async () => {
    const whole = client();
    const answers = [];
    for await (const answer of whole.iterate({ query })) answers.push(answer);
    await whole.dispose();
    return expect(answers.length === 1 && answers[0].data && !answers[0].errors, `${answers.length} next, then complete`);
  },
  'complete ends one subscription and leaves the connection': async () => {
    const frames = await new Frames().acknowledged();
    frames.send(subscribe('one'));
    await frames.pong();
    frames.send({ id: 'one', type: 'complete' });
    frames.send(subscribe('one')); // the id is free again: 4409 else
    frames.send(subscribe('two'));
    frames.send({ id: 'one', type: 'complete' });
    frames.send({ id: 'never', type: 'complete' }); // of one that ended already: ignored
    await frames.pong();
    askForChange();
    await frames.message(({ type, id }) => type === 'next' && id === 'two', 'next for the other subscription');
    await frames.pong();
    const late = frames.received.filter(({ id, type }) => id === 'one' && type === 'next').length;
    frames.end();
    return expect(late === 0, late ? `${late} next after complete` : 'no next after complete; the id is free again');
  },
  'a document that does not fit gets an error, and the connection stays': async () => {
    const frames = await new Frames().acknowledged();
    frames.send(subscribe('bad', 'subscription { thereIsNoSuchField }'));
    const { payload } = await frames.message(({ type, id }) => type === 'error' && id === 'bad', 'error');
    await frames.pong();
    frames.end();
    return expect(Array.isArray(payload) && payload.length > 0 && payload.every(({ message }) => message), 'error, with a list of GraphQL errors');
  },
  'ping is answered by pong, before and after connection_init': async () => {
    const frames = new Frames();
    await within(slow, frames.opened, 'handshake');
    await frames.pong();
    frames.received.length = 0;
    await frames.acknowledged();
    await frames.pong();
    frames.end();
    return 'pong, pong';
  },
  'the client of graphql-ws keeps a connection alive by pings': async () => {
    let pongs = 0;
    let enough;
    const answered = new Promise((resolve) => (enough = resolve));
    const on = { pong: (received) => received && (pongs += 1) === 2 && enough() };
    const lively = client({ lazy: false, keepAlive: 100, on, onNonLazyError: () => {} });
    await within(slow, answered, 'pongs');
    await lively.dispose();
    return 'pong to each ping';
  },
  'an unasked pong is ignored': async () => {
    const frames = await new Frames().acknowledged();
    frames.send({ type: 'pong', payload: { mark: 'mine' } });
    frames.received.length = 0;
    await frames.pong();
    frames.end();
    return 'the connection stays';
  },
  '4400: a message that is no JSON': () => closedWith(4400, async (frames) => (await frames.acknowledged()).send('{')),
  '4400: a message that is no object': () => closedWith(4400, async (frames) => (await frames.acknowledged()).send('[]')),
  '4400: a message of no known type': () => closedWith(4400, async (frames) => (await frames.acknowledged()).send({ type: 'start' })),
  '4400: a subscribe without an id': () =>
    closedWith(4400, async (frames) => (await frames.acknowledged()).send({ type: 'subscribe', payload: { query: changes } })),
  '4400: a subscribe without a query': () =>
    closedWith(4400, async (frames) => (await frames.acknowledged()).send({ id: 'one', type: 'subscribe', payload: {} })),
  '4400: a message that is binary and no text': () =>
    closedWith(4400, async (frames) => (await frames.acknowledged()).socket.send(Buffer.from([0xff, 0xfe, 0x00]))),
  '4401: subscribe before connection_init': () =>
    closedWith(4401, async (frames) => {
      await within(slow, frames.opened, 'handshake');
      frames.send(subscribe('one'));
    }),
  '4403: a token that is none': () =>
    closedWith(4403, async (frames) => {
      await within(slow, frames.opened, 'handshake');
      frames.send({ type: 'connection_init', payload: { ...login, authorization: 'Bearer not.a.token' } });
    }),
  '4403: no token': () =>
    closedWith(4403, async (frames) => {
      await within(slow, frames.opened, 'handshake');
      frames.send({ type: 'connection_init' });
    }),
  '4406: no subprotocol': () => closedWith(4406, async () => {}, { protocols: [] }),
  '4406: a subprotocol of another name': async () => {
    const seen = await within(slow, answerToSubprotocol('graphql-ws'), 'close');
    return expect(seen === 'closed with 4406', seen);
  },
  '4408: no connection_init in time': () => closedWith(4408, async () => {}),
  '4409: two subscriptions with one id': () =>
    closedWith(4409, async (frames) => {
      await frames.acknowledged();
      frames.send(subscribe('one'));
      frames.send(subscribe('one'));
    }),
  '4429: connection_init twice': () => closedWith(4429, async (frames) => (await frames.acknowledged()).send(init)),
};

for (const [check, run] of Object.entries(CHECKS)) {
  try {
    tell({ check, ok: true, seen: await run() });
  } catch (error) {
    tell({ check, ok: false, seen: error.message ?? String(error) });
  }
}
process.exit(0);
