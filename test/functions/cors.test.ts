/** CORS: only the configured origins may read replies. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Reply } from '../support/replies.ts';
import { type Stack, startStack } from '../support/stack.ts';

const origin = 'https://studio.example';
let stack: Stack;

beforeAll(async () => {
  stack = await startStack({ ALLOWED_ORIGINS: `${origin}, http://localhost:5173` });
});
afterAll(() => stack.close());

describe('CORS', () => {
  const getCorsHeaders = ({ headers }: Reply) =>
    [...headers.keys()].filter((name) => name.startsWith('access-control-'));
  const fetchFrom = (origin: string, init: RequestInit = {}) =>
    stack.fetch('account', { ...init, headers: { ...(init.headers as object), origin } });

  it.each([origin, 'http://localhost:5173'])(
    '%s may read replies, errors and the headers it needs',
    async (allowed) => {
      const { token } = await stack.newUser();
      for (const headers of [{}, { authorization: `Bearer ${token}` }]) {
        const reply = await fetchFrom(allowed, { headers });
        expect(reply.status).toBe('authorization' in headers ? 200 : 401);
        expect(reply.headers.get('access-control-allow-origin')).toBe(allowed);
        const exposed = reply.headers.get('access-control-expose-headers')?.split(', ');
        expect(exposed).toEqual(expect.arrayContaining(['Retry-After', 'Idempotent-Replayed']));
        expect(reply.headers.get('access-control-allow-credentials')).toBeNull();
        expect(reply.headers.get('vary')).toContain('Origin');
      }
    },
  );

  const others = [
    'https://evil.example',
    'https://studio.example.evil.example',
    'https://studio.example:8443',
    'http://studio.example',
    'https://STUDIO.example',
    `${origin}, http://localhost:5173`,
    'null',
    '*',
  ];
  it.each(others)('%s may read nothing', async (other) => {
    const replies = [
      await fetchFrom(other),
      await fetchFrom(other, { method: 'OPTIONS', headers: { 'access-control-request-method': 'GET' } }),
    ];
    for (const reply of replies) {
      expect(getCorsHeaders(reply)).toEqual([]);
      expect(reply.headers.get('vary')).toContain('Origin');
    }
  });

  it.each([
    ['generate', 'POST'],
    ['account', 'GET'],
  ])('answers a preflight of %s without a token', async (name, method) => {
    const reply = await stack.fetch(name, {
      method: 'OPTIONS',
      headers: { origin, 'access-control-request-method': method },
    });
    expect([reply.status, reply.body]).toEqual([204, undefined]);
    expect(reply.headers.get('access-control-allow-origin')).toBe(origin);
    expect(reply.headers.get('access-control-allow-methods')).toBe(method);
    expect(reply.headers.get('access-control-allow-headers')?.toLowerCase().split(', ')).toEqual(
      expect.arrayContaining(['authorization', 'content-type', 'idempotency-key']),
    );
    expect(Number(reply.headers.get('access-control-max-age'))).toBeGreaterThan(0);
  });

  it('sends no CORS headers without an Origin', async () => {
    expect(getCorsHeaders(await stack.fetch('account'))).toEqual([]);
  });
});
