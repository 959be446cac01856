/** `npm run admin` changes the claims of a project's users over Google's API. */
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { changeAdmin } from '../../../tools/deploy/admin.ts';

type User = { localId: string; email: string; customAttributes?: string; validSince?: string };
let users: User[];
let requests: { url: string; authorization: string; project: string }[];
let server: http.Server;
let base: string;

beforeAll(async () => {
  server = http.createServer(async (request, response) => {
    let text = '';
    for await (const chunk of request) text += chunk;
    const body = JSON.parse(text);
    const { authorization = '', 'x-goog-user-project': project } = request.headers;
    requests.push({ url: request.url ?? '', authorization, project: String(project) });
    const answer = (status: number, json: object) => response.writeHead(status).end(JSON.stringify(json));
    if (authorization !== 'Bearer good') return answer(403, { error: 'PERMISSION_DENIED' });
    if (request.url?.endsWith(':lookup')) {
      const matches = users.filter(({ email }) => body.email.includes(email));
      return answer(200, matches.length > 0 ? { users: matches } : {});
    }
    const user = users.find(({ localId }) => localId === body.localId);
    const { localId: _, ...changes } = body;
    if (user) Object.assign(user, changes);
    return answer(200, {});
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => void server.close());
beforeEach(() => {
  requests = [];
  users = [
    { localId: 'u1', email: 'ada@example.com' },
    { localId: 'u2', email: 'bob@example.com', customAttributes: '{"team":"blue","admin":true}' },
  ];
});

const change = (email: string, revoke: boolean, token = 'good') =>
  changeAdmin({ project: 'my-studio', email, revoke }, token, base);

describe('npm run admin', () => {
  it('sets the claim of a user', async () => {
    expect(await change('ada@example.com', false)).toBe('u1');
    expect(users[0]?.customAttributes).toBe('{"admin":true}');
    expect(requests.map(({ url }) => url)).toEqual([
      '/v1/projects/my-studio/accounts:lookup',
      '/v1/projects/my-studio/accounts:update',
    ]);
    expect(requests.every(({ project }) => project === 'my-studio')).toBe(true);
  });

  it('removes the claim, and keeps other claims', async () => {
    await change('bob@example.com', true);
    expect(users[1]?.customAttributes).toBe('{"team":"blue"}');
    await change('bob@example.com', false);
    expect(JSON.parse(users[1]?.customAttributes ?? '')).toEqual({ team: 'blue', admin: true });
  });

  it('ends the sessions of a user who is revoked, and of nobody else', async () => {
    const before = Math.floor(Date.now() / 1000);
    await change('bob@example.com', true);
    const { validSince } = users[1] ?? {};
    expect(validSince).toMatch(/^\d+$/);
    expect(Number(validSince)).toBeGreaterThanOrEqual(before);
    await change('ada@example.com', false);
    expect(users[0]).not.toHaveProperty('validSince');
  });

  it('changes nothing if there is no such user, or Google refuses', async () => {
    await expect(change('eve@example.com', false)).rejects.toThrow('eve@example.com');
    await expect(change('ada@example.com', false, 'bad')).rejects.toThrow('403');
    expect(users[0]?.customAttributes).toBeUndefined();
  });
});
