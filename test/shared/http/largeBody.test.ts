/** The answer to a large body that is refused before it is read: raw sockets against the real server. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createMemoryDatabase, createMemoryStore } from '../../simulation/memoryDatabase.ts';
import { type RawServer, startRawServer } from '../../support/rawServer.ts';
import { expectRefusal, json, lines, signedIn } from './support.ts';

const smuggled = 'GET /health HTTP/1.1\r\nHost: x\r\n\r\n';
let server: RawServer;

beforeAll(async () => {
  const database = createMemoryDatabase(createMemoryStore(Date.now));
  server = await startRawServer({ SIGNUP_CREDITS: '0' }, { database });
  const { answers } = await server.exchange(lines('GET /account HTTP/1.1', 'Host: x', signedIn), 1);
  expect(answers[0]?.body.account.balance).toBe(0);
});
afterAll(() => server.close());

const post = (...headers: string[]) =>
  lines('POST /generate HTTP/1.1', 'Host: x', signedIn, json, 'Idempotency-Key: k', ...headers);
const chunk = (length: number) => `${length.toString(16)}\r\n${' '.repeat(length)}\r\n`;

it.each<[string, string]>([
  ['before its first byte', post('Content-Length: 18000000')],
  ['before the client is asked to continue', post('Content-Length: 18000000', 'Expect: 100-continue')],
  ['in the middle of its bytes', post('Content-Length: 18000000') + ' '.repeat(100_000)],
  [
    'as soon as more than 1 MB of chunks has arrived',
    post('Transfer-Encoding: chunked') + chunk(900_000) + chunk(100_001),
  ],
  [
    'while a chunk of 18 MB arrives',
    `${post('Transfer-Encoding: chunked')}${(18_000_000).toString(16)}\r\n${' '.repeat(1_100_000)}`,
  ],
])('refuses %s, and closes the connection', async (_, bytes) => {
  const { answers, closed } = await server.exchange(bytes);
  expect(closed).toBe(true);
  expect(answers).toHaveLength(1);
  expectRefusal(answers[0], 402, 'INSUFFICIENT_CREDITS');
});

it('answers nothing that follows the refused body on its connection', async () => {
  const { answers, closed } = await server.exchange(
    post('Content-Length: 2000000') + ' '.repeat(2_000_000) + smuggled,
  );
  expect(closed).toBe(true);
  expectRefusal(answers[0], 402, 'INSUFFICIENT_CREDITS');
  expect(answers).toHaveLength(1);
});

it.each<[string, string]>([
  ['of 1 MB', post('Content-Length: 1000000') + ' '.repeat(1_000_000)],
  ['of 1 MB in chunks', `${post('Transfer-Encoding: chunked')}${chunk(1_000_000)}0\r\n\r\n`],
])('reads a body %s first', async (_, bytes) => {
  const { answers } = await server.exchange(bytes, 1);
  expectRefusal(answers[0], 400, 'INVALID_REQUEST');
});

it('reads on after a chunked body was admitted', async () => {
  const database = createMemoryDatabase(createMemoryStore(Date.now));
  const rich = await startRawServer({}, { database });
  const body = JSON.stringify({ prompt: 'x', unknown: 'y'.repeat(3_000_000) });
  const chunks = `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`;
  const { answers } = await rich.exchange(post('Transfer-Encoding: chunked') + chunks, 1);
  expectRefusal(answers[0], 400, 'INVALID_REQUEST');
  const fields = answers[0]?.body.error.details[1].fieldViolations.map(
    ({ field }: { field: string }) => field,
  );
  expect(fields).toEqual(['tier', 'unknown']);
  await rich.close();
});

it('says 413, not 402, to a body over the limit', async () => {
  const { answers } = await server.exchange(post('Content-Length: 30000000'), 1);
  expectRefusal(answers[0], 413, 'TOO_LARGE');
});
