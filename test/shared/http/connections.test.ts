/** What comes over a connection before, instead of and around a request: by raw sockets, on the real server. */
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { functions } from '../../../functions/index.ts';
import { Failure } from '../../../shared/errors.ts';
import { connectionLimits } from '../../../shared/http/connections.ts';
import { type RawAnswer, type RawServer, startRawServer } from '../../support/rawServer.ts';

const origin = 'https://studio.example';
const short = { headersMs: 300, requestMs: 600, checkMs: 20, lingerMs: 100 };
let server: RawServer;
let hasty: RawServer;

beforeAll(async () => {
  server = await startRawServer({ ALLOWED_ORIGINS: origin });
  hasty = await startRawServer({}, { limits: short });
  // Loaded, so that what is measured is the limits.
  for (const name of ['generate', 'enhance', 'health']) {
    await fetch(`${hasty.url}/${name}`).then((response) => response.text());
  }
});
afterAll(() => Promise.all([server.close(), hasty.close()]));

const lines = (...all: string[]) => `${all.join('\r\n')}\r\n\r\n`;
const signedIn = 'Authorization: Bearer ann';
const json = 'Content-Type: application/json';

/** An error as the contract has it, with the headers that every answer has. */
function expectRefusal(answer: RawAnswer | undefined, code: number, reason: string): void {
  expect([answer?.status, answer?.body.error?.code]).toEqual([code, code]);
  expect(answer?.body.error.details[0]).toMatchObject({ reason, domain: 'nano-banana-studio' });
  expectGuarded(answer as RawAnswer);
}

function expectGuarded({ headers }: Pick<RawAnswer, 'headers'>): void {
  expect(headers).toMatchObject({
    'cache-control': 'no-store',
    'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
    'cross-origin-resource-policy': 'same-site',
    'referrer-policy': 'no-referrer',
    'strict-transport-security': expect.stringMatching(/^max-age=\d{8}/),
    'x-content-type-options': 'nosniff',
    vary: 'Origin',
  });
  expect(headers).not.toHaveProperty('server');
  expect(headers).not.toHaveProperty('x-powered-by');
}

describe('a request that two servers could read differently is refused, and its connection closed', () => {
  const smuggled = 'GET /health HTTP/1.1\r\nHost: x\r\n\r\n';
  const post = (...headers: string[]) =>
    lines('POST /enhance HTTP/1.1', 'Host: x', signedIn, json, ...headers);

  it.each<[string, string]>([
    ['a length and chunks', `${post('Content-Length: 5', 'Transfer-Encoding: chunked')}0\r\n\r\n${smuggled}`],
    ['chunks and a length', `${post('Transfer-Encoding: chunked', 'Content-Length: 5')}0\r\n\r\n${smuggled}`],
    ['two lengths', `${post('Content-Length: 0', 'Content-Length: 36')}${smuggled}`],
    ['the same length twice', `${post('Content-Length: 2', 'Content-Length: 2')}{}${smuggled}`],
    ['a list of lengths', `${post('Content-Length: 2, 36')}{}${smuggled}`],
    ['a signed length', `${post('Content-Length: +2')}{}${smuggled}`],
    ['a negative length', `${post('Content-Length: -2')}{}${smuggled}`],
    ['a length in hexadecimal', `${post('Content-Length: 0x2')}{}${smuggled}`],
    ['a length that is too long for a number', `${post(`Content-Length: ${'9'.repeat(40)}`)}{}${smuggled}`],
    ['a blank before the colon', `${post('Content-Length : 2')}{}${smuggled}`],
    [
      'chunks twice',
      `${post('Transfer-Encoding: chunked', 'Transfer-Encoding: identity')}0\r\n\r\n${smuggled}`,
    ],
    ['chunks under another name', `${post('Transfer-Encoding: xchunked')}0\r\n\r\n${smuggled}`],
    ['a folded header', `${post('Transfer-Encoding:\r\n chunked')}0\r\n\r\n${smuggled}`],
    ['a chunk of no size', `${post('Transfer-Encoding: chunked')}\r\n${smuggled}`],
    ['a chunk of a negative size', `${post('Transfer-Encoding: chunked')}-1\r\n${smuggled}`],
    [
      'a chunk that is longer than it says',
      `${post('Transfer-Encoding: chunked')}1\r\nabc\r\n0\r\n\r\n${smuggled}`,
    ],
    ['NUL in a header', `${post('X-A: a\0b')}${smuggled}`],
    ['a line feed alone in a header', `${post('X-A: a\nContent-Length: 2')}{}${smuggled}`],
    ['a carriage return alone in a header', `${post('X-A: a\rContent-Length: 2')}{}${smuggled}`],
    ['no version', `GET /health\r\nHost: x\r\n\r\n${smuggled}`],
    ['a version that is none', `GET /health HTTP/9.9\r\nHost: x\r\n\r\n${smuggled}`],
    ['a method that is none', `PAINT /generate HTTP/1.1\r\nHost: x\r\n\r\n${smuggled}`],
    ['TLS', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'],
    ['HTTP/2 without being asked', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
  ])('%s', async (_, bytes) => {
    const { answers, closed } = await server.exchange(Buffer.from(bytes, 'latin1'));
    expect(closed).toBe(true);
    // One answer, or none at all where the connection was never HTTP; what was smuggled along is not answered.
    expect(answers).toHaveLength(1);
    expectRefusal(answers[0], 400, 'INVALID_REQUEST');
    expect(answers[0]?.headers.connection).toBe('close');
  });
});

describe('headers that are missing, doubled or too many', () => {
  it.each<[string, string[], string]>([
    ['no Host', [], 'Host'],
    ['two Hosts', ['Host: a', 'Host: b'], 'host'],
    ['two Authorizations', ['Host: a', signedIn, 'Authorization: Bearer bob'], 'authorization'],
    ['two Idempotency-Keys', ['Host: a', 'Idempotency-Key: a', 'Idempotency-Key: b'], 'idempotency-key'],
    ['two types', ['Host: a', json, 'Content-Type: text/plain'], 'content-type'],
    [
      'two encodings',
      ['Host: a', 'Content-Encoding: identity', 'Content-Encoding: gzip'],
      'content-encoding',
    ],
  ])('%s', async (_, headers, field) => {
    const { answers } = await server.exchange(lines('POST /enhance HTTP/1.1', ...headers), 1);
    expectRefusal(answers[0], 400, 'INVALID_REQUEST');
    expect(answers[0]?.body.error.details[1].fieldViolations[0].field).toBe(field);
  });

  it('HTTP/1.0 needs no Host', async () => {
    const { answers } = await server.exchange(lines('GET /health HTTP/1.0'));
    expect(answers[0]?.status).toBe(200);
  });

  it('a hundred headers are taken, one more is not', async () => {
    const send = async (count: number) => {
      const some = Array.from({ length: count - 1 }, (_, i) => `X-${i}: ${i}`);
      return (await server.exchange(lines('GET /health HTTP/1.1', 'Host: x', ...some), 1)).answers[0];
    };
    expect((await send(100))?.status).toBe(200);
    for (const count of [101, 300, 5_000]) expectRefusal(await send(count), 431, 'TOO_LARGE');
  });

  it.each<[string, string]>([
    ['an address of 20,000 characters', lines(`GET /health?${'a'.repeat(20_000)} HTTP/1.1`, 'Host: x')],
    ['a header of 20,000 characters', lines('GET /health HTTP/1.1', 'Host: x', `X-A: ${'a'.repeat(20_000)}`)],
    [
      'a token of 1 MB',
      lines('GET /account HTTP/1.1', 'Host: x', `Authorization: Bearer ${'a'.repeat(1e6)}`),
    ],
    ['headers without end', `GET /health HTTP/1.1\r\nHost: x\r\n${'X-A: a\r\n'.repeat(200_000)}`],
  ])('%s', async (_, bytes) => {
    const { answers, closed } = await server.exchange(bytes);
    expectRefusal(answers[0], 431, 'TOO_LARGE');
    expect(closed).toBe(true);
  });
});

describe('time', () => {
  it('is 10 s for the headers of a request and 60 s for the whole, looked at every second, and 1 s to read a refusal', () => {
    expect(connectionLimits).toMatchObject({
      headersMs: 10_000,
      requestMs: 60_000,
      checkMs: 1_000,
      lingerMs: 1_000,
    });
  });

  /** Sends bytes, and then the same few again and again, until the server has had enough. */
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
    ['nothing at all', () => drip('', '')],
    ['half a line', () => drip('GET /hea', '')],
    ['headers that drip', () => drip('GET /health HTTP/1.1\r\nHost: x\r\n', 'X-A: a\r\n')],
    ['a header that never ends', () => drip('GET /health HTTP/1.1\r\nHost: x\r\nX-A: ', 'a')],
    ['a body that does not come', () => drip(body('Content-Length: 100'), '')],
    ['a body that drips', () => drip(`${body('Content-Length: 60000')}{`, ' ')],
    ['chunks that drip', () => drip(body('Transfer-Encoding: chunked'), '1\r\n \r\n')],
  ])('runs out for %s', async (_, send) => {
    const answers = await send();
    expect(answers).toHaveLength(1);
    expectRefusal(answers[0], 408, 'INVALID_REQUEST');
  });

  it('runs out soon for a body that goes on after its refusal, which was answered at once', async () => {
    const answers = await drip(lines('POST /generate HTTP/1.1', 'Host: x', 'Content-Length: 30000000'), ' ');
    expect(answers).toHaveLength(1);
    expectRefusal(answers[0], 401, 'UNAUTHENTICATED');
  });

  it('leaves nothing behind: those bodies are waited for no longer, and the end of the server is quick', async () => {
    const ending = await startRawServer({}, { limits: short });
    const connection = ending.connect();
    connection.socket.write(`${body('Content-Length: 100')}{`);
    await connection.until(connection.isClosed);
    const startedAt = performance.now();
    await ending.shutdown();
    expect(performance.now() - startedAt).toBeLessThan(3_000);
  });

  it('a connection that is lost while its caller is looked up ends its call', async () => {
    const [asked, answered] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const slow = await startRawServer(
      {},
      {
        auth: {
          user: async () => {
            asked.resolve();
            await answered.promise;
            return { uid: 'ann', email: undefined, verified: true, admin: false };
          },
          admin: () => Promise.reject(),
          scheduler: () => Promise.reject(),
        },
      },
    );
    const { port } = new URL(slow.url);
    const socket = connect(Number(port), '127.0.0.1');
    socket.write(`${body('Content-Length: 100')}{`);
    await asked.promise;
    socket.resetAndDestroy();
    await new Promise((resolve) => socket.once('close', resolve));
    // The server has seen it too, once it has answered somebody who came later.
    await fetch(`${slow.url}/health`).then((response) => response.text());
    answered.resolve();
    await vi.waitFor(() =>
      expect(slow.logs).toContainEqual(expect.objectContaining({ message: 'enhance: INVALID_REQUEST' })),
    );
    const startedAt = performance.now();
    await slow.close();
    expect(performance.now() - startedAt).toBeLessThan(3_000);
  });
});

describe('who calls is asked before the body', () => {
  const large = ['Host: x', json, 'Content-Length: 30000000', 'Idempotency-Key: k'];

  it.each(['generate', 'enhance', 'deleteGeneration', 'grant', 'sweepHolds'])(
    'of %s: a stranger is refused before a byte of 30 MB was sent',
    async (name) => {
      const { answers } = await server.exchange(lines(`POST /${name} HTTP/1.1`, ...large), 1);
      const isForUsers = ['generate', 'enhance', 'deleteGeneration'].includes(name);
      expectRefusal(
        answers[0],
        ...((isForUsers ? [401, 'UNAUTHENTICATED'] : [403, 'FORBIDDEN']) as [number, string]),
      );
    },
  );

  it.each(['generate', 'enhance'])(
    'of %s: so is a user whose body says that it is too long',
    async (name) => {
      const { answers } = await server.exchange(lines(`POST /${name} HTTP/1.1`, signedIn, ...large), 1);
      expectRefusal(answers[0], 413, 'TOO_LARGE');
    },
  );

  it('a client that waits for leave to send its body gets it as a user, and not as a stranger', async () => {
    const ask = (...headers: string[]) =>
      lines('POST /deleteGeneration HTTP/1.1', 'Host: x', json, 'Expect: 100-continue', ...headers);
    const refused = await server.exchange(ask('Content-Length: 2'));
    expect(refused.answers.map(({ status }) => status)).toEqual([401]);
    const tooLong = await server.exchange(ask(signedIn, 'Content-Length: 65537'));
    expect(tooLong.answers.map(({ status }) => status)).toEqual([413]);
    const connection = server.connect();
    connection.socket.write(ask(signedIn, 'Content-Length: 2'));
    await connection.until(() => connection.answers().length === 1);
    expect(connection.answers()[0]?.status).toBe(100);
    connection.socket.write('{}');
    await connection.until(() => connection.answers().length === 2);
    expect(connection.answers()[1]?.status).toBe(400);
    connection.socket.destroy();
  });

  it('any other expectation is nothing to us', async () => {
    const { answers } = await server.exchange(lines('GET /health HTTP/1.1', 'Host: x', 'Expect: tea'), 1);
    expect(answers[0]?.status).toBe(200);
  });
});

it('what follows a whole request gets no answer in place of that request’s own', async () => {
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

describe('a body', () => {
  const post = (name: string, body: string, headers: Record<string, string> = {}) =>
    fetch(`${server.url}/${name}`, {
      method: 'POST',
      body,
      headers: {
        authorization: 'Bearer ann',
        'content-type': 'application/json',
        'idempotency-key': 'k',
        ...headers,
      },
    }).then(async (response) => {
      const answer = { status: response.status, headers: Object.fromEntries(response.headers) };
      return { ...answer, body: await response.json() };
    });
  const violations = ({ body }: RawAnswer) => body.error.details[1].fieldViolations;

  it.each(['gzip', 'br', 'deflate', 'identity, gzip', 'x'])('encoded as %s is refused', async (encoding) => {
    const answer = await post('deleteGeneration', '{}', { 'content-encoding': encoding });
    expectRefusal(answer, 400, 'INVALID_REQUEST');
    expect(violations(answer)).toEqual([{ field: 'Content-Encoding', description: 'must be identity' }]);
  });

  it('that says it is identity is one that says nothing', async () => {
    const answer = await post('deleteGeneration', '{}', { 'content-encoding': 'Identity' });
    expect(violations(answer)[0].field).toBe('id');
  });

  it.each<[string, string]>([
    ['19 MB of brackets', '['.repeat(9_500_000) + ']'.repeat(9_500_000)],
    ['six million empty objects', `{"references":[${'{},'.repeat(6_000_000)}{}]}`],
    ['a million made-up keys', `{${Array.from({ length: 1_000_000 }, (_, i) => `"${i}":0`)}}`],
  ])('of %s is not even parsed', async (_, body) => {
    const answer = await post('generate', body);
    expectRefusal(answer, 400, 'INVALID_REQUEST');
    expect(violations(answer)).toEqual([{ field: 'body', description: 'has too many values' }]);
  });

  it('with thousands of faults is told twenty of them, and no name at its full length', async () => {
    const keys = Array.from({ length: 5_000 }, (_, i) => `"${i}":0`);
    const many = await post('deleteGeneration', `{${keys}}`);
    expect(violations(many)).toHaveLength(20);
    const long = await post('deleteGeneration', JSON.stringify({ ['k'.repeat(60_000)]: 0 }));
    expect(JSON.stringify(long.body).length).toBeLessThan(1_500);
    const references = await post('generate', `{"references":[${'0,'.repeat(60_000)}0]}`);
    expect(JSON.stringify(references.body).length).toBeLessThan(5_000);
  });

  it.each<[string, string, string]>([
    ['more bytes than 4,000 characters can have', 'a\u0327'.repeat(16_001), 'must have at most 48000 bytes'],
    ['19 MB', 'a'.repeat(19_000_000), 'must have at most 48000 bytes'],
    ['a letter under 31 accents', `a${'\u0301'.repeat(31)}`, 'must not stack more than 30 marks on a letter'],
    ['accents to be sorted', '\u0301\u0327'.repeat(4_500_000), 'must have at most 48000 bytes'],
    [
      'fewer accents to be sorted',
      '\u0301\u0327'.repeat(11_000),
      'must not stack more than 30 marks on a letter',
    ],
  ])('with a prompt of %s is refused at once', async (_, prompt, description) => {
    // Were it looked at any further, this would take minutes.
    const answer = await post('generate', JSON.stringify({ prompt, tier: 'standard' }));
    expect(violations(answer)[0]).toEqual({ field: 'prompt', description });
  });

  it('cannot reach the prototype of anything', async () => {
    const poisons = ['__proto__', 'constructor', 'prototype'].flatMap((name) => [
      `{"${name}":{"polluted":true}}`,
      `{"id":"${'a'.repeat(32)}","${name}":{"prototype":{"polluted":true}}}`,
    ]);
    for (const poison of poisons) {
      expect((await post('deleteGeneration', poison)).status).toBe(400);
      const reference = `{"prompt":"x","tier":"standard","references":[${poison}]}`;
      expect((await post('generate', reference)).status).toBe(400);
    }
    await fetch(`${server.url}/health?__proto__=1&constructor=1&__proto__[polluted]=1`);
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });
});

describe('every answer is guarded', () => {
  const names = Object.entries(functions).map(([name, module]) => ({ name, isEvent: 'event' in module }));

  it.each(names)('of $name: what it refuses, and its preflight', async ({ name, isEvent }) => {
    for (const method of ['GET', 'POST', 'PUT', 'DELETE', 'HEAD', 'OPTIONS']) {
      const response = await fetch(`${server.url}/${name}`, { method, headers: { origin } });
      const text = await response.text();
      const headers = Object.fromEntries(response.headers);
      expectGuarded({ headers });
      expect(headers['access-control-allow-origin']).toBe(origin);
      if (response.status >= 400 && method !== 'HEAD') {
        expect(headers['content-type']).toBe('application/json; charset=utf-8');
        expect(JSON.parse(text).error.code).toBe(response.status);
      }
      if (method !== 'OPTIONS' || isEvent) continue;
      expect([response.status, text]).toEqual([204, '']);
      expect(headers['access-control-allow-methods']).toMatch(/^(GET|POST)$/);
      expect(headers).not.toHaveProperty('access-control-allow-credentials');
    }
  });

  it.each([
    '',
    '/',
    '//',
    '/nothing',
    '/favicon.ico',
    '/robots.txt',
    '/%00',
    '/../account',
    '/health/../account',
  ])('of a path that is no function’s: "%s"', async (path) => {
    for (const method of ['GET', 'POST', 'OPTIONS']) {
      const { answers } = await server.exchange(lines(`${method} ${path || '*'} HTTP/1.1`, 'Host: x'), 1);
      if (path === '/health/../account') expect(answers[0]?.status).toBeLessThan(500);
      else expectRefusal(answers[0], 404, 'NOT_FOUND');
    }
  });

  it('a process of one function has it on every path, those that the framework would keep too', async () => {
    const one = await startRawServer({ FUNCTION_TARGET: 'account' });
    for (const path of ['/', '//', '//?', '/favicon.ico', '/robots.txt', '/anything/else', 'http://x/']) {
      const { answers } = await one.exchange(lines(`GET ${path} HTTP/1.1`, 'Host: x'), 1);
      expectRefusal(answers[0], 401, 'UNAUTHENTICATED');
    }
    await one.close();
  });
});

describe('an event', () => {
  const event = ['ce-id: 1', 'ce-source: s', 'ce-specversion: 1.0', 'ce-type: t'];

  it.each<[string, string[]]>([
    ['by no event at all', []],
    ['by half of one', event.slice(0, 3)],
    ['in structured mode', ['Content-Type: application/cloudevents+json']],
  ])('is not delivered %s', async (_, headers) => {
    const request = lines('POST /accountWritten HTTP/1.1', 'Host: x', 'Content-Length: 2', ...headers);
    expectRefusal((await server.exchange(`${request}{}`, 1)).answers[0], 400, 'INVALID_REQUEST');
  });

  it('that cannot be read is refused, and its sender is not told why', async () => {
    const request = lines('POST /accountWritten HTTP/1.1', 'Host: x', 'Content-Length: 2', ...event);
    const { answers } = await server.exchange(`${request}{}`, 1);
    expect(answers[0]).toMatchObject({ status: 500, body: 'The event was not handled.' });
    expectGuarded(answers[0] as RawAnswer);
  });

  it('is taken on Cloud Run only by a service of its own, where its sender was checked', async () => {
    const together = await startRawServer({ K_SERVICE: 'studio' });
    const alone = await startRawServer({ K_SERVICE: 'account-written', FUNCTION_TARGET: 'accountWritten' });
    const request = lines('POST /accountWritten HTTP/1.1', 'Host: x', 'Content-Length: 2', ...event);
    expectRefusal((await together.exchange(`${request}{}`, 1)).answers[0], 404, 'NOT_FOUND');
    expect((await alone.exchange(`${request}{}`, 1)).answers[0]?.status).toBe(500);
    await Promise.all([together.close(), alone.close()]);
  });
});

describe('a promise that is rejected while a request is answered, and that nobody looks at', () => {
  it('is not that request’s: its answer is its own, and nothing of the cause is in it', async () => {
    const strays: unknown[] = [];
    const seen = (reason: unknown) => void strays.push(reason);
    const others = process.rawListeners('unhandledRejection') as ((reason: unknown) => void)[];
    process.removeAllListeners('unhandledRejection').on('unhandledRejection', seen);
    try {
      const stray = new Error('the secret of a vendor');
      const careless = await startRawServer(
        {},
        {
          auth: {
            user: async () => {
              void Promise.reject(stray);
              await vi.waitFor(() => expect(strays).toContain(stray));
              return { uid: 'ann', email: undefined, verified: true, admin: false };
            },
            admin: () => Promise.reject(),
            scheduler: () => Promise.reject(),
          },
        },
      );
      const { answers } = await careless.exchange(lines('GET /account?x=1 HTTP/1.1', 'Host: x', signedIn), 1);
      expectRefusal(answers[0], 400, 'INVALID_REQUEST');
      expect(JSON.stringify(answers)).not.toContain('secret');
      await careless.close();
    } finally {
      process.removeListener('unhandledRejection', seen);
      for (const other of others) process.on('unhandledRejection', other);
    }
  });
});
