/** An answer that is sent while it is made: in what order, at whose pace, and how it breaks off. */
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { connect, type Socket } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { sendChunks } from '../../../shared/http/stream.ts';
import { listen } from '../../support/listen.ts';

type Chunks = () => AsyncGenerator<string, void, void>;
const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

/** A server that sends the chunks. `outcome` is what `sendChunks` returns or throws. */
async function startServer(chunks: Chunks, { shutdown = new AbortController(), stalledMs = 30_000 } = {}) {
  const outcome = Promise.withResolvers<unknown>();
  let response: ServerResponse | undefined;
  const server = createServer((_, created) => {
    response = created;
    sendChunks(created, chunks(), { 'Content-Type': 'text/plain' }, shutdown.signal, stalledMs).then(
      outcome.resolve,
      (error) => {
        if (!created.headersSent) created.writeHead(500).end('an error');
        outcome.resolve(error);
      },
    );
  });
  const host = await listen(server);
  ends.push(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  return { url: `http://${host}`, host, outcome: outcome.promise, shutdown, response: () => response };
}

/** A client that sends a request and reads nothing. */
async function connectWithoutReading(host: string): Promise<Socket> {
  const socket = connect(Number(host.split(':')[1]), '127.0.0.1');
  socket.pause();
  await once(socket, 'connect');
  socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
  ends.push(() => socket.destroy());
  return socket;
}

const megabyte = 'x'.repeat(1_000_000);

/** Chunks without end, and how many of them were made. */
function createEndless() {
  const state = { made: 0, isClosed: false };
  async function* chunks() {
    try {
      for (;;) {
        state.made += 1;
        yield megabyte;
      }
    } finally {
      state.isClosed = true;
    }
  }
  return { state, chunks };
}

it('sends every chunk in order, with the status and the headers', async () => {
  const { url, outcome } = await startServer(async function* () {
    yield 'one ';
    await new Promise((resolve) => setImmediate(resolve));
    yield 'two';
  });
  const response = await fetch(url);
  expect([response.status, response.headers.get('content-type')]).toEqual([200, 'text/plain']);
  expect([await response.text(), await outcome]).toEqual(['one two', {}]);
});

it('sends the first chunk before the second exists', async () => {
  const second = Promise.withResolvers<string>();
  const { url } = await startServer(async function* () {
    yield 'one ';
    yield await second.promise;
  });
  const reader = (await fetch(url)).body?.getReader();
  expect(Buffer.from((await reader?.read())?.value ?? []).toString()).toBe('one ');
  second.resolve('two');
  expect(Buffer.from((await reader?.read())?.value ?? []).toString()).toBe('two');
});

it('answers HEAD with the headers alone, and makes no second chunk', async () => {
  const { state, chunks } = createEndless();
  const { url, outcome } = await startServer(chunks);
  const response = await fetch(url, { method: 'HEAD' });
  expect([response.headers.get('content-type'), await response.text()]).toEqual(['text/plain', '']);
  expect([await outcome, state]).toEqual([{}, { made: 1, isClosed: true }]);
});

it('throws an error before the first chunk, and sends nothing', async () => {
  // biome-ignore lint/correctness/useYield: the error comes first.
  const { url, outcome } = await startServer(async function* () {
    throw new Error('no database');
  });
  expect(await (await fetch(url)).text()).toBe('an error');
  expect(await outcome).toEqual(new Error('no database'));
});

it('breaks the connection off at an error in the middle, so that the client sees no whole answer', async () => {
  const { url, outcome } = await startServer(async function* () {
    yield '[1,';
    await new Promise((resolve) => setImmediate(resolve));
    throw new Error('no database');
  });
  const response = await fetch(url);
  expect(response.status).toBe(200);
  await expect(response.text()).rejects.toThrow('terminated');
  expect(await outcome).toEqual(new Error('no database'));
});

it('makes no more chunks than the client takes', async () => {
  const { state, chunks } = createEndless();
  const { host, response } = await startServer(chunks);
  const socket = await connectWithoutReading(host);
  await expect.poll(() => response()?.listenerCount('drain')).toBe(1);
  // What fits into the buffers of both sockets.
  const made = state.made;
  expect(made).toBeLessThan(20);
  socket.resume();
  await expect.poll(() => state.made).toBeGreaterThan(made + 20);
});

it('ends when the client leaves, while it waits for the client', async () => {
  const { state, chunks } = createEndless();
  const { host, outcome, response } = await startServer(chunks);
  const socket = await connectWithoutReading(host);
  await expect.poll(() => response()?.listenerCount('drain')).toBe(1);
  socket.destroy();
  expect(await outcome).toEqual({ clientLeft: true });
  expect(state.isClosed).toBe(true);
  expect(response()?.listenerCount('drain')).toBe(0);
});

it('ends when the client has left, while it waits for a chunk', async () => {
  const second = Promise.withResolvers<string>();
  let isClosed = false;
  const { url, outcome, response } = await startServer(async function* () {
    try {
      yield 'one';
      yield await second.promise;
      yield 'three';
    } finally {
      isClosed = true;
    }
  });
  const leave = new AbortController();
  await fetch(url, { signal: leave.signal });
  leave.abort();
  await expect.poll(() => response()?.destroyed).toBe(true);
  second.resolve('two');
  expect(await outcome).toEqual({ clientLeft: true });
  expect(isClosed).toBe(true);
});

it('breaks off when a client takes nothing for too long', async () => {
  const { state, chunks } = createEndless();
  const { host, outcome } = await startServer(chunks, { stalledMs: 50 });
  await connectWithoutReading(host);
  expect(await outcome).toEqual({ clientLeft: true });
  expect(state.isClosed).toBe(true);
});

it('breaks off at a shutdown', async () => {
  const { state, chunks } = createEndless();
  const { host, outcome, shutdown, response } = await startServer(chunks);
  await connectWithoutReading(host);
  await expect.poll(() => response()?.listenerCount('drain')).toBe(1);
  shutdown.abort(new Error('The server is being replaced.'));
  expect(await outcome).toEqual(new Error('The server is being replaced.'));
  expect([state.isClosed, response()?.destroyed]).toEqual([true, true]);
});
