/** What every answer of the server has, whatever the function, path or event. */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { functions } from '../../../functions/index.ts';
import { type RawAnswer, type RawServer, startRawServer } from '../../support/rawServer.ts';
import { expectGuarded, expectRefusal, lines, signedIn } from './support.ts';

const origin = 'https://studio.example';
let server: RawServer;

beforeAll(async () => {
  server = await startRawServer({ ALLOWED_ORIGINS: origin });
});
afterAll(() => server.close());

describe('every answer has the security headers', () => {
  const names = Object.entries(functions).map(([name, module]) => ({ name, isEvent: 'event' in module }));

  it.each(names)('of $name: refusals and preflight', async ({ name, isEvent }) => {
    for (const method of ['GET', 'POST', 'PUT', 'DELETE', 'HEAD', 'OPTIONS']) {
      const response = await fetch(`${server.url}/${name}`, { method, headers: { origin } });
      const text = await response.text();
      const headers = Object.fromEntries(response.headers);
      expectGuarded({ headers });
      expect(headers['access-control-allow-origin']).toBe(origin);
      const isPage = name === 'sharedImage' && method === 'GET';
      if (isPage) expect([response.status, text]).toEqual([404, expect.stringContaining('<!doctype html>')]);
      else if (name !== 'sharedImage') expect(headers['content-security-policy']).not.toContain('style-src');
      if (response.status >= 400 && method !== 'HEAD' && !isPage) {
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
  ])('of an unknown path: "%s"', async (path) => {
    for (const method of ['GET', 'POST', 'OPTIONS']) {
      const { answers } = await server.exchange(lines(`${method} ${path || '*'} HTTP/1.1`, 'Host: x'), 1);
      if (path === '/health/../account') expect(answers[0]?.status).toBeLessThan(500);
      else expectRefusal(answers[0], 404, 'NOT_FOUND');
    }
  });

  it('with FUNCTION_TARGET every path reaches that function, even those that the framework reserves', async () => {
    const one = await startRawServer({ FUNCTION_TARGET: 'account' });
    for (const path of ['/', '//', '//?', '/favicon.ico', '/robots.txt', '/anything/else', 'http://x/']) {
      const { answers } = await one.exchange(lines(`GET ${path} HTTP/1.1`, 'Host: x'), 1);
      expectRefusal(answers[0], 401, 'UNAUTHENTICATED');
    }
    await one.close();
  });
});

const specs = await Promise.all(
  Object.entries(functions).map(async ([name, module]) => {
    const method = typeof module === 'function' ? (await module()).spec.method : 'event';
    return { name, method };
  }),
);

describe('HEAD', () => {
  it.each(specs.filter(({ method }) => method === 'GET'))(
    'of $name answers as GET, without a body',
    async ({ name }) => {
      const send = async (method: string) => {
        const response = await fetch(`${server.url}/${name}`, { method });
        const { 'content-length': length, 'content-type': type } = Object.fromEntries(response.headers);
        return { answer: [response.status, length, type], text: await response.text() };
      };
      const [get, head] = [await send('GET'), await send('HEAD')];
      expect(head).toEqual({ answer: get.answer, text: '' });
      const statuses: Record<string, number> = {
        health: 200,
        packs: 200,
        sharedImage: 404,
        audit: 403,
        reports: 403,
        adminOverview: 403,
        adminAccounts: 403,
        adminAccount: 403,
      };
      expect(get.answer[0]).toBe(statuses[name] ?? 401);
      const posted = await fetch(`${server.url}/${name}`, { method: 'POST' });
      expect([posted.status, posted.headers.get('allow')]).toEqual([405, 'GET, HEAD, OPTIONS']);
    },
  );

  it.each(specs.filter(({ method }) => method === 'POST'))('of $name is a 405', async ({ name }) => {
    const response = await fetch(`${server.url}/${name}`, { method: 'HEAD' });
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'POST, OPTIONS']);
  });
});

describe('an event', () => {
  const event = ['ce-id: 1', 'ce-source: s', 'ce-specversion: 1.0', 'ce-type: t'];

  it.each<[string, string[]]>([
    ['without event headers', []],
    ['without all event headers', event.slice(0, 3)],
    ['in structured mode', ['Content-Type: application/cloudevents+json']],
  ])('is refused %s', async (_, headers) => {
    const request = lines('POST /accountWritten HTTP/1.1', 'Host: x', 'Content-Length: 2', ...headers);
    expectRefusal((await server.exchange(`${request}{}`, 1)).answers[0], 400, 'INVALID_REQUEST');
  });

  it('that cannot be decoded is refused without the cause', async () => {
    const request = lines('POST /accountWritten HTTP/1.1', 'Host: x', 'Content-Length: 2', ...event);
    const { answers } = await server.exchange(`${request}{}`, 1);
    expect(answers[0]).toMatchObject({ status: 500, body: 'The event was not handled.' });
    expectGuarded(answers[0] as RawAnswer);
  });

  it('is accepted on Cloud Run only by a service of its own, where Cloud Run checks the sender', async () => {
    const deployed = { K_SERVICE: 'studio', IDENTITY_HASH_KEY: 'k'.repeat(32) };
    const together = await startRawServer(deployed);
    const alone = await startRawServer({ ...deployed, FUNCTION_TARGET: 'accountWritten' });
    const request = lines('POST /accountWritten HTTP/1.1', 'Host: x', 'Content-Length: 2', ...event);
    expectRefusal((await together.exchange(`${request}{}`, 1)).answers[0], 404, 'NOT_FOUND');
    expect((await alone.exchange(`${request}{}`, 1)).answers[0]?.status).toBe(500);
    await Promise.all([together.close(), alone.close()]);
  });
});

describe('an unhandled rejection during a request', () => {
  it('does not change the answer of that request', async () => {
    const strays: unknown[] = [];
    const record = (reason: unknown) => void strays.push(reason);
    const others = process.rawListeners('unhandledRejection') as ((reason: unknown) => void)[];
    process.removeAllListeners('unhandledRejection').on('unhandledRejection', record);
    try {
      const stray = new Error('the secret of a vendor');
      const careless = await startRawServer(
        {},
        {
          auth: {
            user: async () => {
              void Promise.reject(stray);
              await vi.waitFor(() => expect(strays).toContain(stray));
              return { uid: 'ann', email: undefined, verified: true, identities: [], signedInAt: new Date() };
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
      process.removeListener('unhandledRejection', record);
      for (const other of others) process.on('unhandledRejection', other);
    }
  });
});
