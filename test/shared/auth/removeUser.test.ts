/** Deleting a user in Firebase Authentication. */
import { afterEach, expect, it, vi } from 'vitest';
import { createUsers } from '../../../shared/auth/users.ts';

const requests: { url: string; body: unknown; authorization: string | null }[] = [];
const lines: object[] = [];
const log = { info() {}, error() {}, warning: (_: string, fields = {}) => void lines.push(fields) };
const users = createUsers({ projectId: 'nano-studio', authEmulatorHost: undefined }, log);

function stubGoogle(status: number, body: object): void {
  vi.stubGlobal('fetch', async (url: string, init: RequestInit) => {
    if (url.startsWith('http://metadata.')) return Response.json({ access_token: 'mine' });
    const authorization = new Headers(init.headers).get('authorization');
    requests.push({ url, body: JSON.parse(String(init.body)), authorization });
    return Response.json(body, { status });
  });
}
afterEach(() => {
  vi.unstubAllGlobals();
  requests.length = 0;
  lines.length = 0;
});

it('calls accounts:delete with the token of the service account', async () => {
  stubGoogle(200, {});
  await users.remove('ann');
  const url = 'https://identitytoolkit.googleapis.com/v1/projects/nano-studio/accounts:delete';
  expect(requests).toEqual([{ url, body: { localId: 'ann' }, authorization: 'Bearer mine' }]);
});

it('is done if there is no such user', async () => {
  stubGoogle(400, { error: { message: 'USER_NOT_FOUND' } });
  await expect(users.remove('ann')).resolves.toBeUndefined();
});

it.each([
  [400, 'INVALID_LOCAL_ID'],
  [403, 'PERMISSION_DENIED'],
  [503, 'UNAVAILABLE'],
])('fails with %i %s, and logs it', async (status, message) => {
  stubGoogle(status, { error: { message } });
  await expect(users.remove('ann')).rejects.toMatchObject({ reason: 'AUTH_UNAVAILABLE' });
  expect(lines).toMatchObject([{ event: 'auth_unavailable', cause: `accounts:delete answered ${status}` }]);
});
