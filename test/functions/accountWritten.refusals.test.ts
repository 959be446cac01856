/** An event that cannot be understood is refused, so that it comes again, and changes nothing. */
import { afterAll, describe, expect, it } from 'vitest';
import type { Database } from '../../shared/database/database.ts';
import { eventBody, eventHeaders } from '../support/accountEvents.ts';
import { hasSucceeded, startAccountWritten } from '../support/accountWritten.ts';

const world = await startAccountWritten();
const { stack, counted, countedUrl, post, deliver, openAccount } = world;

afterAll(() => stack.close());

describe('refuses an event, and changes nothing', () => {
  const edited = { before: { balance: 10 }, after: { balance: 20, settled: 10, sequence: 1 } };
  const whole = () => eventBody(stack.projectId, 'accounts/x', edited);
  const cases: [string, (document: string) => [body: Buffer | string, headers: Record<string, string>]][] = [
    ['without a body', (document) => ['', eventHeaders(stack.projectId, document)]],
    ['with text as its body', (document) => ['this is no event', eventHeaders(stack.projectId, document)]],
    ['with JSON as its body', (document) => ['{"value":{}}', eventHeaders(stack.projectId, document)]],
    ['with zeros as its body', (document) => [Buffer.alloc(64), eventHeaders(stack.projectId, document)]],
    [
      'with a truncated body',
      (document) => [whole().subarray(0, 40), eventHeaders(stack.projectId, document)],
    ],
    [
      'with truncated base64',
      (document) => [whole().toString('base64').slice(0, 40), eventHeaders(stack.projectId, document)],
    ],
    ['with base64 of junk', (document) => ['aGVsbG8gd29ybGQ=', eventHeaders(stack.projectId, document)]],
    ['without its attributes', () => [whole(), { 'content-type': 'application/protobuf' }]],
    [
      'without its document',
      (document) => {
        const { 'ce-document': _, 'ce-subject': __, ...headers } = eventHeaders(stack.projectId, document);
        return [whole(), headers];
      },
    ],
    ['of another collection', () => [whole(), eventHeaders(stack.projectId, 'quota/all')]],
    [
      'of a document below the account',
      (document) => [whole(), eventHeaders(stack.projectId, `${document}/entries/x`)],
    ],
    [
      'of an account below another collection',
      (document) => [whole(), eventHeaders(stack.projectId, `tenants/t/${document}`)],
    ],
  ];

  it.each(cases)('%s', async (_, event) => {
    const user = await openAccount(10);
    const { after } = await user.edit({ balance: 20 });
    const [body, headers] = event(user.path);
    counted.reset();
    expect(await post(body, headers, countedUrl)).toBeGreaterThanOrEqual(400);
    expect(counted.trips).toEqual([]);
    expect(await user.getStored()).toEqual(after);
    expect(await user.getEntries()).toHaveLength(1);
  });

  it('larger than the largest event', async () => {
    const user = await openAccount(10);
    const { after } = await user.edit({ balance: 20 });
    counted.reset();
    const headers = eventHeaders(stack.projectId, user.path);
    expect(await post(Buffer.alloc(5 * 1_048_576), headers, countedUrl)).toBe(413);
    expect(counted.trips).toEqual([]);
    expect(await user.getStored()).toEqual(after);
  });

  it('but accepts the largest one: an account of 1 MiB before and after', async () => {
    const user = await openAccount(10);
    const { after } = await user.edit({ balance: 20 });
    const large = { ...after, remark: 'x'.repeat(1_000_000) };
    for (const form of ['production', 'emulator'] as const) {
      expect(hasSucceeded(await deliver(user.uid, { before: large, after: large }, { encoding: form }))).toBe(
        true,
      );
    }
    expect((await user.getEntries()).at(-1)).toMatchObject({ amount: 10 });
  });

  it('while the database is down, and records it when it comes again', async () => {
    const down: Database = {
      ...stack.database,
      read: () => Promise.reject(Object.assign(new Error('down'), { code: 7 })),
    };
    const { url } = await stack.startServer({}, { database: down });
    const user = await openAccount(10);
    const write = await user.edit({ balance: 20 });
    expect(await deliver(user.uid, write, { url })).toBeGreaterThanOrEqual(500);
    expect(await user.getEntries()).toHaveLength(1);
    expect(hasSucceeded(await deliver(user.uid, write))).toBe(true);
    expect(await user.getEntries()).toHaveLength(2);
  });

  it('and a GET', async () => {
    expect((await fetch(`${stack.url}/accountWritten`)).status).toBeGreaterThanOrEqual(400);
  });
});
