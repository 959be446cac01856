/** The one function with a path: `/i/{token}`, an HTML page. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RawServer, startRawServer } from '../../support/rawServer.ts';
import { expectGuarded } from './support.ts';

let together: RawServer;
let alone: RawServer;
beforeAll(async () => {
  [together, alone] = await Promise.all([
    startRawServer(),
    startRawServer({ FUNCTION_TARGET: 'sharedImage' }),
  ]);
});
afterAll(() => Promise.all([together.close(), alone.close()]));

const hopHeaders = ['date', 'connection', 'keep-alive'];
const servers: [string, () => RawServer][] = [
  ['that serves all functions', () => together],
  ['that serves this function', () => alone],
];

describe.each(servers)('a server %s', (_, getServer) => {
  it.each(['/i/unknown', '/i/', '/i/%00', '/i/unknown?fbclid=1&fbclid=2', '/i/unknown?token=other'])(
    'answers %s with the page',
    async (path) => {
      const response = await fetch(`${getServer().url}${path}`);
      expect(response.status).toBe(404);
      const headers = Object.fromEntries(response.headers);
      expectGuarded({ headers });
      expect(headers['content-type']).toBe('text/html; charset=utf-8');
      expect(await response.text()).toContain('<h1>There is no image here</h1>');
    },
  );

  it('answers HEAD with the headers of the page alone', async () => {
    const [head, get] = await Promise.all(
      ['HEAD', 'GET'].map((method) => fetch(`${getServer().url}/i/unknown`, { method })),
    );
    const toHeaders = (response: Response | undefined) =>
      Object.entries(Object.fromEntries(response?.headers ?? [])).filter(
        ([name]) => !hopHeaders.includes(name),
      );
    expect([head?.status, toHeaders(head)]).toEqual([404, toHeaders(get)]);
    expect([await head?.text(), (await get?.text())?.length]).toEqual([
      '',
      Number(get?.headers.get('content-length')),
    ]);
  });

  it('refuses other methods as JSON', async () => {
    const response = await fetch(`${getServer().url}/i/unknown`, { method: 'POST' });
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'GET, HEAD, OPTIONS']);
    expect((await response.json()).error.details[0].reason).toBe('METHOD_NOT_ALLOWED');
  });
});

it.each(['/i', '/i/a/b', '/ii/a'])('%s is no function', async (path) => {
  const response = await fetch(`${together.url}${path}`);
  expect([response.status, response.headers.get('content-type')]).toEqual([
    404,
    'application/json; charset=utf-8',
  ]);
});
