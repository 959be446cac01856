/** Limits and refusals of a connection before a request reaches a function: raw sockets against the real server. */
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { Failure } from '../../../shared/errors.ts';
import { connectionLimits } from '../../../shared/http/connections.ts';
import { type RawAnswer, type RawServer, startRawServer } from '../../support/rawServer.ts';
import { expectRefusal, json, lines, signedIn } from './support.ts';

/** Blocks this process, in which the server runs, as SIGSTOP does. */
const standStill = (milliseconds: number) =>
  void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);

const short = { headersMs: 300, requestMs: 600, checkMs: 20, lingerMs: 100 };
let server: RawServer;
let hasty: RawServer;

beforeAll(async () => {
  server = await startRawServer();
  hasty = await startRawServer({}, { limits: short });
  // Load the modules first, so that only the limits are measured.
  for (const name of ['generate', 'enhance', 'health']) {
    await fetch(`${hasty.url}/${name}`).then((response) => response.text());
  }
});
afterAll(() => Promise.all([server.close(), hasty.close()]));

describe('refuses a request that two servers could read differently, and closes its connection:', () => {
  const smuggled = 'GET /health HTTP/1.1\r\nHost: x\r\n\r\n';
  const post = (...headers: string[]) =>
    lines('POST /enhance HTTP/1.1', 'Host: x', signedIn, json, ...headers);

  it.each<[string, string]>([
    [
      'Content-Length, then chunked',
      `${post('Content-Length: 5', 'Transfer-Encoding: chunked')}0\r\n\r\n${smuggled}`,
    ],
    [
      'chunked, then Content-Length',
      `${post('Transfer-Encoding: chunked', 'Content-Length: 5')}0\r\n\r\n${smuggled}`,
    ],
    ['two different lengths', `${post('Content-Length: 0', 'Content-Length: 36')}${smuggled}`],
    ['the same length twice', `${post('Content-Length: 2', 'Content-Length: 2')}{}${smuggled}`],
    ['a list of lengths', `${post('Content-Length: 2, 36')}{}${smuggled}`],
    ['a signed length', `${post('Content-Length: +2')}{}${smuggled}`],
    ['a negative length', `${post('Content-Length: -2')}{}${smuggled}`],
    ['a length in hexadecimal', `${post('Content-Length: 0x2')}{}${smuggled}`],
    [
      'a length with too many digits for a number',
      `${post(`Content-Length: ${'9'.repeat(40)}`)}{}${smuggled}`,
    ],
    ['a space before the colon', `${post('Content-Length : 2')}{}${smuggled}`],
    [
      'two transfer encodings',
      `${post('Transfer-Encoding: chunked', 'Transfer-Encoding: identity')}0\r\n\r\n${smuggled}`,
    ],
    ['an unknown transfer encoding', `${post('Transfer-Encoding: xchunked')}0\r\n\r\n${smuggled}`],
    ['a folded header', `${post('Transfer-Encoding:\r\n chunked')}0\r\n\r\n${smuggled}`],
    ['a chunk without a size', `${post('Transfer-Encoding: chunked')}\r\n${smuggled}`],
    ['a chunk with a negative size', `${post('Transfer-Encoding: chunked')}-1\r\n${smuggled}`],
    ['a chunk longer than its size', `${post('Transfer-Encoding: chunked')}1\r\nabc\r\n0\r\n\r\n${smuggled}`],
    ['a NUL byte in a header', `${post('X-A: a\0b')}${smuggled}`],
    ['a bare line feed in a header', `${post('X-A: a\nContent-Length: 2')}{}${smuggled}`],
    ['a bare carriage return in a header', `${post('X-A: a\rContent-Length: 2')}{}${smuggled}`],
    ['an unknown version', `GET /health HTTP/9.9\r\nHost: x\r\n\r\n${smuggled}`],
    ['an unknown method', `PAINT /generate HTTP/1.1\r\nHost: x\r\n\r\n${smuggled}`],
    ['a TLS handshake', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'],
    ['an HTTP/2 preface', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
  ])('%s', async (_, bytes) => {
    const { answers, closed } = await server.exchange(Buffer.from(bytes, 'latin1'));
    expect(closed).toBe(true);
    // Exactly one answer: the smuggled request gets none.
    expect(answers).toHaveLength(1);
    expectRefusal(answers[0], 400, 'INVALID_REQUEST');
    expect(answers[0]?.headers.connection).toBe('close');
  });
});

describe('limits headers:', () => {
  it.each<[string, string[], string]>([
    ['refuses HTTP/1.1 without Host', [], 'Host'],
    ['refuses two Host headers', ['Host: a', 'Host: b'], 'host'],
    [
      'refuses two Authorization headers',
      ['Host: a', signedIn, 'Authorization: Bearer bob'],
      'authorization',
    ],
    [
      'refuses two Idempotency-Key headers',
      ['Host: a', 'Idempotency-Key: a', 'Idempotency-Key: b'],
      'idempotency-key',
    ],
    ['refuses two Content-Type headers', ['Host: a', json, 'Content-Type: text/plain'], 'content-type'],
    [
      'refuses two Content-Encoding headers',
      ['Host: a', 'Content-Encoding: identity', 'Content-Encoding: gzip'],
      'content-encoding',
    ],
  ])('%s', async (_, headers, field) => {
    const { answers } = await server.exchange(lines('POST /enhance HTTP/1.1', ...headers), 1);
    expectRefusal(answers[0], 400, 'INVALID_REQUEST');
    expect(answers[0]?.body.error.details[1].fieldViolations[0].field).toBe(field);
  });

  it('accepts HTTP/1.0 without Host', async () => {
    const { answers } = await server.exchange(lines('GET /health HTTP/1.0'));
    expect(answers[0]?.status).toBe(200);
  });

  it('accepts 100 headers and refuses 101', async () => {
    const send = async (count: number) => {
      const some = Array.from({ length: count - 1 }, (_, i) => `X-${i}: ${i}`);
      return (await server.exchange(lines('GET /health HTTP/1.1', 'Host: x', ...some), 1)).answers[0];
    };
    expect((await send(100))?.status).toBe(200);
    for (const count of [101, 300, 5_000]) expectRefusal(await send(count), 431, 'TOO_LARGE');
  });

  it.each<[string, string]>([
    ['refuses a URL of 20,000 characters', lines(`GET /health?${'a'.repeat(20_000)} HTTP/1.1`, 'Host: x')],
    [
      'refuses a header of 20,000 characters',
      lines('GET /health HTTP/1.1', 'Host: x', `X-A: ${'a'.repeat(20_000)}`),
    ],
    [
      'refuses a token of 1 MB',
      lines('GET /account HTTP/1.1', 'Host: x', `Authorization: Bearer ${'a'.repeat(1e6)}`),
    ],
    ['refuses endless headers', `GET /health HTTP/1.1\r\nHost: x\r\n${'X-A: a\r\n'.repeat(200_000)}`],
  ])('%s', async (_, bytes) => {
    const { answers, closed } = await server.exchange(bytes);
    expectRefusal(answers[0], 431, 'TOO_LARGE');
    expect(closed).toBe(true);
  });
});

describe('limits time:', () => {
  it('10 s for the headers, 60 s for the request, checked every second, and 1 s to read a refusal', () => {
    expect(connectionLimits).toMatchObject({
      headersMs: 10_000,
      requestMs: 60_000,
      checkMs: 1_000,
      lingerMs: 1_000,
    });
  });

  it('keeps a connection without a request for longer than the 600 s of a load balancer of Google', async () => {
    const { answers } = await server.exchange(lines('GET /health HTTP/1.1', 'Host: x'), 1);
    expect(answers[0]?.headers['keep-alive']).toBe('timeout=620');
  });

  /** Sends `start`, then `again` every 30 ms until the server closes the connection. */
  async function drip(start: string, again: string) {
    const connection = hasty.connect();
    connection.socket.write(start);
    const dripping = setInterval(() => connection.socket.writable && connection.socket.write(again), 30);
    await connection.until(connection.isClosed);
    clearInterval(dripping);
    return connection.answers();
  }
  const body = (...headers: string[]) =>
    lines('POST /enhance HTTP/1.1', 'Host: x', signedIn, json, ...headers);

  it.each<[string, () => Promise<RawAnswer[]>]>([
    ['no bytes', () => drip('', '')],
    ['half a request line', () => drip('GET /hea', '')],
    ['headers that arrive slowly', () => drip('GET /health HTTP/1.1\r\nHost: x\r\n', 'X-A: a\r\n')],
    ['an endless header', () => drip('GET /health HTTP/1.1\r\nHost: x\r\nX-A: ', 'a')],
    ['a body that never arrives', () => drip(body('Content-Length: 100'), '')],
    ['a body that arrives slowly', () => drip(`${body('Content-Length: 60000')}{`, ' ')],
    ['chunks that arrive slowly', () => drip(body('Transfer-Encoding: chunked'), '1\r\n \r\n')],
  ])('answers 408 to %s', async (_, send) => {
    const answers = await send();
    expect(answers).toHaveLength(1);
    expectRefusal(answers[0], 408, 'INVALID_REQUEST');
    const { status, details } = answers[0]?.body.error ?? {};
    expect([status, details[0].metadata]).toEqual(['DEADLINE_EXCEEDED', { retry: 'same_key' }]);
  });

  it('serves a request whose bytes arrived while the process stood still', async () => {
    const connection = hasty.connect();
    connection.socket.write('GET /health HTTP/1.1\r\n');
    // After a later request of another connection the server has read these bytes.
    await fetch(`${hasty.url}/health`).then((response) => response.text());
    connection.socket.write(lines('Host: x'));
    standStill(2 * short.headersMs);
    await connection.until(() => connection.answers().length > 0 || connection.isClosed());
    expect(connection.answers().map(({ status }) => status)).toEqual([200]);
    connection.socket.destroy();
  });

  it('still refuses a slow request after the process stood still', async () => {
    const connection = hasty.connect();
    connection.socket.write('GET /health HTTP/1.1\r\n');
    await fetch(`${hasty.url}/health`).then((response) => response.text());
    standStill(2 * short.headersMs);
    await connection.until(connection.isClosed);
    expectRefusal(connection.answers()[0], 408, 'INVALID_REQUEST');
  });

  it('closes the connection soon if a body continues after its refusal', async () => {
    const answers = await drip(lines('POST /generate HTTP/1.1', 'Host: x', 'Content-Length: 30000000'), ' ');
    expect(answers).toHaveLength(1);
    expectRefusal(answers[0], 401, 'UNAUTHENTICATED');
  });

  it('shuts down quickly after a body that timed out', async () => {
    const ending = await startRawServer({}, { limits: short });
    const connection = ending.connect();
    connection.socket.write(`${body('Content-Length: 100')}{`);
    await connection.until(connection.isClosed);
    const startedAt = performance.now();
    await ending.shutdown();
    expect(performance.now() - startedAt).toBeLessThan(3_000);
  });

  it('ends a call if its connection closes while the caller is checked', async () => {
    const [reached, released] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const slow = await startRawServer(
      {},
      {
        auth: {
          user: async () => {
            reached.resolve();
            await released.promise;
            return { uid: 'ann', email: undefined, verified: true, identities: [], signedInAt: new Date() };
          },
          admin: () => Promise.reject(),
          scheduler: () => Promise.reject(),
        },
      },
    );
    const { port } = new URL(slow.url);
    const socket = connect(Number(port), '127.0.0.1');
    socket.write(`${body('Content-Length: 100')}{`);
    await reached.promise;
    socket.resetAndDestroy();
    await new Promise((resolve) => socket.once('close', resolve));
    // Once the server has answered a later request it has also seen the reset.
    await fetch(`${slow.url}/health`).then((response) => response.text());
    released.resolve();
    await vi.waitFor(() =>
      expect(slow.logs).toContainEqual(expect.objectContaining({ message: 'enhance: INVALID_REQUEST' })),
    );
    const startedAt = performance.now();
    await slow.close();
    expect(performance.now() - startedAt).toBeLessThan(3_000);
  });
});

it('never answers bytes behind a complete request before that request', async () => {
  const reached = Promise.withResolvers<void>();
  const released = Promise.withResolvers<void>();
  const slow = await startRawServer(
    {},
    {
      auth: {
        async user() {
          reached.resolve();
          await released.promise;
          throw new Failure('UNAUTHENTICATED', 'Please sign in.');
        },
        admin: () => expect.unreachable(),
        scheduler: () => expect.unreachable(),
      },
    },
  );
  const connection = slow.connect();
  connection.socket.write(lines('GET /account HTTP/1.1', 'Host: x'));
  await reached.promise;
  connection.socket.write(lines('no HTTP'));
  await connection.until(connection.isClosed);
  released.resolve();
  expect(connection.received()).toBe('');
  await slow.close();
});
