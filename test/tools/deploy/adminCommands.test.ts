/** `npm run admin` calls the functions for admins: in production as the user of gcloud's account, in a local run as `owner`. */
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { grantRequestSchema, suspendRequestSchema } from '../../../shared/contract.ts';
import { runAdmin } from '../../../tools/deploy/admin.ts';
import { callFunction, parseCall } from '../../../tools/deploy/adminCommands.ts';

type Seen = { method: string; path: string; token: string; key?: string; body?: Record<string, unknown> };
let seen: Seen[];
/** How often a function fails before it answers. */
let failuresLeft: number;
let isLocal: boolean;
let server: http.Server;
let url: string;

const error = (message: string, reason: string) => ({ error: { message, details: [{ reason }] } });
/** The functions of the fake studio. `adminOverview` is one that it does not have. */
const functions: Record<string, object> = {
  adminAccounts: { accounts: [{ uid: 'u1' }] },
  adminAccount: { account: { uid: 'u1' } },
  grant: { account: { uid: 'u1' }, entry: { amount: 5 } },
  suspend: { account: { uid: 'u1' } },
};

beforeAll(async () => {
  server = http.createServer(async (request, response) => {
    let text = '';
    for await (const chunk of request) text += chunk;
    const { pathname, search } = new URL(request.url ?? '', 'http://any');
    const name = pathname.slice(1);
    const body = text ? { body: JSON.parse(text) } : {};
    const key = request.headers['idempotency-key'];
    const token = request.headers.authorization?.replace('Bearer ', '') ?? '';
    const answer = (status: number, json: object) => response.writeHead(status).end(JSON.stringify(json));
    seen.push({
      method: request.method ?? '',
      path: pathname + search,
      token,
      ...(key && { key: String(key) }),
      ...body,
    });
    if (pathname === '/__/firebase/init.json') {
      const { port } = server.address() as AddressInfo;
      const emulators = { auth: { host: '127.0.0.1', port } };
      return answer(200, { projectId: 'my-studio', apiKey: 'public', ...(isLocal && { emulators }) });
    }
    if (name.endsWith(':lookup')) {
      const isKnown = body.body.email[0] === 'root@example.com';
      return answer(200, isKnown ? { users: [{ localId: 'root' }] } : {});
    }
    if (name.endsWith(':signJwt')) return answer(200, { signedJwt: body.body.payload });
    if (name.endsWith(':signInWithCustomToken'))
      return answer(200, { idToken: `id token of ${JSON.parse(body.body.token).uid}` });
    if (name.endsWith(':update')) return answer(200, {});
    if (failuresLeft-- > 0) return answer(503, error('Later.', 'DATABASE_UNAVAILABLE'));
    return functions[name]
      ? answer(200, functions[name])
      : answer(404, error('There is no such function.', 'NOT_FOUND'));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => void server.close());
beforeEach(() => {
  [seen, failuresLeft, isLocal] = [[], 0, false];
});

const gcloud = async (...args: string[]) =>
  args.includes('print-access-token') ? 'access' : 'root@example.com';
const run = (...args: string[]) =>
  runAdmin([`--url=${url}`, ...args], {
    gcloud,
    hosts: { identityToolkit: url, iamCredentials: url },
    localUrl: url,
  });
const calls = () => seen.filter(({ path }) => !/[_:]/.test(path.split('?')[0] ?? ''));

describe('a command', () => {
  beforeEach(() => {
    isLocal = true;
  });

  it('reads accounts', async () => {
    expect(JSON.parse(await run('find', 'ada@example.com'))).toEqual(functions.adminAccounts);
    await run('show', 'u1');
    expect(calls()).toEqual([
      { method: 'GET', path: '/adminAccounts?find=ada%40example.com', token: 'owner' },
      { method: 'GET', path: '/adminAccount?uid=u1', token: 'owner' },
    ]);
  });

  it('grants with a key, and refunds an image', async () => {
    await run('grant', 'u1', '5', 'for', 'testing');
    await run('--generation', 'g1', '--key', 'mine', '--', 'grant', 'u1', '-2', 'broken');
    const [first, second] = calls();
    expect(first).toMatchObject({
      method: 'POST',
      path: '/grant',
      body: { uid: 'u1', amount: 5, reason: 'for testing' },
    });
    expect(first?.key).toMatch(/^[0-9a-f-]{36}$/);
    expect(grantRequestSchema.safeParse(first?.body).success).toBe(true);
    expect(second).toMatchObject({ key: 'mine', body: { amount: -2, generationId: 'g1' } });
  });

  it('suspends and restores', async () => {
    await run('suspend', 'u1', 'spam', 'everywhere');
    await run('restore', 'u1', 'a mistake');
    expect(calls().map(({ body }) => body)).toEqual([
      { uid: 'u1', suspended: true, reason: 'spam everywhere' },
      { uid: 'u1', suspended: false, reason: 'a mistake' },
    ]);
    for (const { body } of calls()) expect(suspendRequestSchema.safeParse(body).success).toBe(true);
  });

  it('shows what a studio without the function answers', async () => {
    await expect(run('overview')).rejects.toThrow(
      'adminOverview answered 404: There is no such function. (NOT_FOUND)',
    );
    const now = new Date('2026-11-26T12:00:00Z');
    const query = { from: '2026-11-25T12:00:00.000Z', to: '2026-11-26T12:00:00.000Z' };
    expect(parseCall(['overview'], {}, now)?.query).toEqual(query);
    expect(parseCall(['overview'], { from: 'a', to: 'b' }, now)?.query).toEqual({ from: 'a', to: 'b' });
  });

  it('makes somebody an admin of a local run', async () => {
    await run('make-admin', 'root@example.com');
    expect(seen.map(({ path }) => path)).toContain(
      '/identitytoolkit.googleapis.com/v1/projects/my-studio/accounts:update',
    );
  });

  it.each([
    [['grant', 'u1', 'five', 'x']],
    [['grant', 'u1', '5']],
    [['suspend', 'u1']],
    [['show']],
    [['fly']],
    [[]],
  ])('explains itself: %j', async (args) => {
    await expect(run(...args)).rejects.toThrow('npm run admin -- --project');
    expect(seen).toEqual([]);
  });
});

describe('a word that is wrong', () => {
  it.each(['show', 'grant', 'suspend', 'restore'])(
    'an address in the place of the uid of %s says how to find the uid',
    async (command) => {
      await expect(run(command, 'ada@example.com', '5', 'Thanks')).rejects.toThrow('find ada@example.com');
      expect(seen).toEqual([]);
    },
  );

  it('an unknown option explains the commands, as --help does', async () => {
    await expect(run('grant', 'u1', '-5', 'Wrong')).rejects.toThrow('A negative amount comes after --');
    expect(await run('--help')).toContain('make-admin');
  });
});

describe('a call', () => {
  const call = { name: 'grant', body: {}, key: 'k1' };

  it('is repeated with its key while the function cannot answer', async () => {
    failuresLeft = 2;
    await callFunction(call, { url, token: 'owner', pauses: [1, 1] });
    expect(calls().map(({ key }) => key)).toEqual(['k1', 'k1', 'k1']);
  });

  it('that fails in the end says how to repeat it', async () => {
    failuresLeft = 9;
    await expect(callFunction(call, { url, token: 'owner', pauses: [1] })).rejects.toThrow(
      /answered 503: Later\. \(DATABASE_UNAVAILABLE\)\n.*--key k1/,
    );
    const nowhere = { url: 'http://127.0.0.1:1', token: 'owner', pauses: [] };
    await expect(callFunction(call, nowhere)).rejects.toThrow('grant answered not');
    const refused = callFunction({ ...call, name: 'nothing' }, { url, token: 'owner', pauses: [] });
    failuresLeft = 0;
    await expect(refused).rejects.not.toThrow('--key');
  });
});

describe('in production, an admin', () => {
  it("signs in as the user of gcloud's account, with a token that Google signs", async () => {
    await run('--project', 'my-studio', 'show', 'u1');
    expect(calls()).toEqual([{ method: 'GET', path: '/adminAccount?uid=u1', token: 'id token of root' }]);
    const [lookup, sign, signIn] = seen.filter(({ path }) => path.startsWith('/v1/'));
    expect([lookup?.token, sign?.token, signIn?.token]).toEqual(['access', 'access', '']);
    expect(sign?.path).toBe(
      '/v1/projects/-/serviceAccounts/studio-health@my-studio.iam.gserviceaccount.com:signJwt',
    );
    const { iss, sub, aud, uid, iat, exp } = JSON.parse(String(sign?.body?.payload));
    expect([iss, uid, exp - iat]).toEqual([sub, 'root', 300]);
    expect(aud).toMatch(/IdentityToolkit$/);
    expect(signIn?.path).toBe('/v1/accounts:signInWithCustomToken?key=public');
  });

  it('may be another than that of gcloud, and must have signed in', async () => {
    await expect(run('--project', 'my-studio', '--email', 'eve@example.com', 'show', 'u1')).rejects.toThrow(
      'eve@example.com',
    );
    expect(calls()).toEqual([]);
  });

  it('never sends a token to the studio of another project', async () => {
    await expect(run('--project', 'other-studio', 'show', 'u1')).rejects.toThrow(
      'belongs to the project my-studio',
    );
    expect(seen).toHaveLength(1);
  });

  it('is made as before, without a command', async () => {
    expect(await run('--project', 'my-studio', '--email', 'root@example.com')).toContain('is an admin');
    expect(await run('--project', 'my-studio', '--email', 'root@example.com', '--revoke')).toContain(
      'no longer',
    );
    expect(await run('make-admin', 'root@example.com', '--project', 'my-studio')).toContain('is an admin');
  });
});
