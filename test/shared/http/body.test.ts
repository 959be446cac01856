/** What the server checks before and while it reads a request's body. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type BodyRequest, readJsonBody } from '../../../shared/http/body.ts';
import { createMemoryDatabase, createMemoryStore } from '../../simulation/memoryDatabase.ts';
import { type RawAnswer, type RawServer, startRawServer } from '../../support/rawServer.ts';
import { expectRefusal, json, lines, signedIn } from './support.ts';

let server: RawServer;

beforeAll(async () => {
  server = await startRawServer({}, { database: createMemoryDatabase(createMemoryStore(Date.now)) });
});
afterAll(() => server.close());

describe('checks the caller before it reads the body', () => {
  const large = ['Host: x', json, 'Content-Length: 30000000', 'Idempotency-Key: k'];

  it.each(['generate', 'enhance', 'deleteGeneration', 'grant', 'sweepHolds'])(
    'of %s: refuses a stranger before any byte of 30 MB was sent',
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
    'of %s: refuses a user whose Content-Length is over the limit',
    async (name) => {
      const { answers } = await server.exchange(lines(`POST /${name} HTTP/1.1`, signedIn, ...large), 1);
      expectRefusal(answers[0], 413, 'TOO_LARGE');
    },
  );

  it('answers Expect: 100-continue with 100 to a user, and with a refusal to a stranger', async () => {
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

  it('ignores any other expectation', async () => {
    const { answers } = await server.exchange(lines('GET /health HTTP/1.1', 'Host: x', 'Expect: tea'), 1);
    expect(answers[0]?.status).toBe(200);
  });
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

  it.each(['gzip', 'br', 'deflate', 'identity, gzip', 'x'])(
    'is refused with Content-Encoding %s',
    async (encoding) => {
      const answer = await post('deleteGeneration', '{}', { 'content-encoding': encoding });
      expectRefusal(answer, 400, 'INVALID_REQUEST');
      expect(violations(answer)).toEqual([{ field: 'Content-Encoding', description: 'must be identity' }]);
    },
  );

  it('may have Content-Encoding identity', async () => {
    const answer = await post('deleteGeneration', '{}', { 'content-encoding': 'Identity' });
    expect(violations(answer)[0].field).toBe('id');
  });

  it.each<[string, string]>([
    ['19 MB of brackets', '['.repeat(9_500_000) + ']'.repeat(9_500_000)],
    ['six million empty objects', `{"references":[${'{},'.repeat(6_000_000)}{}]}`],
    ['a million unknown keys', `{${Array.from({ length: 1_000_000 }, (_, i) => `"${i}":0`)}}`],
  ])('of %s is refused before it is parsed', async (_, body) => {
    const answer = await post('generate', body);
    expectRefusal(answer, 400, 'INVALID_REQUEST');
    expect(violations(answer)).toEqual([{ field: 'body', description: 'has too many values' }]);
  });

  it('with thousands of references gets one violation, and none of them is looked at', async () => {
    const answer = await post(
      'generate',
      `{"prompt":"x","tier":"standard","references":[${'0,'.repeat(60_000)}0]}`,
    );
    expect(violations(answer)).toEqual([{ field: 'references', description: 'must have at most 14 images' }]);
  });

  it('in thousands of pieces is read in order', async () => {
    const body = JSON.stringify({ id: 'b', ['k'.repeat(90)]: 'abc'.repeat(1_000) });
    const chunks = [...body].map((letter) => `1\r\n${letter}\r\n`).join('');
    const start = lines(
      'POST /deleteGeneration HTTP/1.1',
      'Host: x',
      signedIn,
      json,
      'Transfer-Encoding: chunked',
    );
    const { answers } = await server.exchange(`${start}${chunks}0\r\n\r\n`, 1);
    expect(violations(answers[0] as RawAnswer).map(({ field }: { field: string }) => field)).toEqual([
      'id',
      'k'.repeat(90),
    ]);
  });

  it('in hundreds of thousands of pieces is refused', async () => {
    const start = lines(
      'POST /generate HTTP/1.1',
      'Host: x',
      signedIn,
      json,
      'Idempotency-Key: k',
      'Transfer-Encoding: chunked',
    );
    const { answers } = await server.exchange(`${start}${'1\r\n \r\n'.repeat(200_000)}`, 1);
    expectRefusal(answers[0], 400, 'INVALID_REQUEST');
    expect(answers[0]?.body.error.message).toBe('body arrives in too many small chunks.');
  });

  it('of megabytes lets other requests run while it is decoded and parsed', async () => {
    const rawBody = Buffer.from(JSON.stringify({ data: 'A'.repeat(2_000_000) }));
    const request = { rawBody, headers: { 'content-type': 'application/json' } } as unknown as BodyRequest;
    let turns = 0;
    let isOver = false;
    const count = () => {
      turns += 1;
      if (!isOver) setImmediate(count);
    };
    setImmediate(count);
    expect(await readJsonBody(request, 3_000_000)).toHaveProperty('data.length', 2_000_000);
    isOver = true;
    expect(turns).toBeGreaterThanOrEqual(2);
  });

  it('with thousands of faults gets at most twenty violations, with shortened names', async () => {
    const keys = Array.from({ length: 5_000 }, (_, i) => `"${i}":0`);
    const many = await post('deleteGeneration', `{${keys}}`);
    expect(violations(many)).toHaveLength(20);
    const long = await post('deleteGeneration', JSON.stringify({ ['k'.repeat(60_000)]: 0 }));
    expect(JSON.stringify(long.body).length).toBeLessThan(1_500);
    const references = await post('generate', `{"references":[${'0,'.repeat(60_000)}0]}`);
    expect(JSON.stringify(references.body).length).toBeLessThan(5_000);
  });

  it.each<[string, string, string]>([
    ['more bytes than 4,000 characters can have', 'a\u0327'.repeat(16_001), 'must have at most 48,000 bytes'],
    ['19 MB', 'a'.repeat(19_000_000), 'must have at most 48,000 bytes'],
    ['a letter with 31 accents', `a${'\u0301'.repeat(31)}`, 'must not stack more than 30 marks on a letter'],
    ['millions of accents to sort', '\u0301\u0327'.repeat(4_500_000), 'must have at most 48,000 bytes'],
    [
      'thousands of accents to sort',
      '\u0301\u0327'.repeat(11_000),
      'must not stack more than 30 marks on a letter',
    ],
  ])('with a prompt of %s is refused at once', async (_, prompt, description) => {
    // Normalising these prompts would take minutes.
    const answer = await post('generate', JSON.stringify({ prompt, tier: 'standard' }));
    expect(violations(answer)[0]).toEqual({ field: 'prompt', description });
  });

  it('cannot change a prototype', async () => {
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
