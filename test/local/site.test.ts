/** The page gets addresses of the emulators that a browser can connect to, and may connect to them. */
import { createServer } from 'node:http';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createSite } from '../../local/site.ts';
import { listen } from '../support/listen.ts';

async function startSite(authHost: string, firestoreHost: string, env: NodeJS.ProcessEnv = {}) {
  const functionPaths = ['health', 'i'];
  const site = await createSite({
    webDir: 'web',
    projectId: 'demo-site',
    authHost,
    firestoreHost,
    functionPaths,
    env,
  });
  const server = createServer(async (request, response) => {
    if (!(await site(request, response))) response.writeHead(404).end('a function');
  });
  onTestFinished(() => void server.close());
  return listen(server);
}

async function serveSite(
  authHost: string,
  firestoreHost: string,
  env: NodeJS.ProcessEnv = {},
  forwardedHost?: string,
) {
  const host = await startSite(authHost, firestoreHost, env);
  const headers: Record<string, string> = forwardedHost ? { 'x-forwarded-host': forwardedHost } : {};
  const init = await (await fetch(`http://${host}/__/firebase/init.json`, { headers })).json();
  const page = await fetch(`http://${host}/studio`);
  return {
    emulators: (init as { emulators: unknown }).emulators,
    policy: page.headers.get('content-security-policy'),
  };
}

describe('the emulators that the environment names', () => {
  it('are in init.json, and in the policy of the page', async () => {
    const { emulators, policy } = await serveSite('localhost:9099', '10.0.0.7:8085');
    expect(emulators).toEqual({
      auth: { host: 'localhost', port: 9099 },
      firestore: { host: '10.0.0.7', port: 8085 },
    });
    expect(policy).toMatch(/connect-src [^;]* http:\/\/10\.0\.0\.7:8085/);
  });

  it('are on this machine if they listen on all of its addresses', async () => {
    const { emulators } = await serveSite('0.0.0.0:9099', '[::]:8085');
    expect(emulators).toEqual({
      auth: { host: '127.0.0.1', port: 9099 },
      firestore: { host: '127.0.0.1', port: 8085 },
    });
  });
});

describe('in a codespace', () => {
  const env = { CODESPACE_NAME: 'blue-fox', GITHUB_CODESPACES_PORT_FORWARDING_DOMAIN: 'app.github.dev' };

  it('a page at the forwarded address gets the forwarded addresses of the emulators', async () => {
    const forwarded = 'blue-fox-8080.app.github.dev';
    const { emulators, policy } = await serveSite('127.0.0.1:9099', '127.0.0.1:8085', env, forwarded);
    expect(emulators).toEqual({
      auth: { host: 'blue-fox-9099.app.github.dev', port: 443 },
      firestore: { host: 'blue-fox-8085.app.github.dev', port: 443 },
    });
    expect(policy).toMatch(/connect-src [^;]* https:\/\/\*\.app\.github\.dev/);
  });

  it('a page at 127.0.0.1, as in a desktop editor, gets those of 127.0.0.1', async () => {
    const { emulators } = await serveSite('127.0.0.1:9099', '127.0.0.1:8085', env);
    expect(emulators).toMatchObject({ auth: { host: '127.0.0.1', port: 9099 } });
  });
});

describe('an address', () => {
  const accept = 'text/html,application/xhtml+xml,*/*;q=0.8';
  let url: string;
  const open = (path: string, init: RequestInit = {}) =>
    fetch(`${url}${path}`, { headers: { accept }, ...init });

  it('that is unknown is a page with a link to the studio for a browser', async () => {
    url = `http://${await startSite('127.0.0.1:1', '127.0.0.1:2')}`;
    for (const path of ['/nothing', '/studio/nothing', '/health2', '/a/b']) {
      const reply = await open(path);
      expect([path, reply.status]).toEqual([path, 404]);
      expect(reply.headers.get('content-type')).toBe('text/html; charset=utf-8');
      expect(await reply.text()).toContain('href="/studio"');
    }
    expect((await open('/nothing', { method: 'HEAD' })).status).toBe(404);
  });

  it.each<[string, string, RequestInit]>([
    ['of a function', '/health', {}],
    ['of a shared image', '/i/token', {}],
    ['that a program asks for', '/nothing', { headers: { accept: '*/*' } }],
    ['that is posted to', '/nothing', { method: 'POST' }],
  ])('%s is left to the functions', async (_, path, init) => {
    url = `http://${await startSite('127.0.0.1:1', '127.0.0.1:2')}`;
    expect(await (await open(path, init)).text()).toBe('a function');
  });

  it.each([
    ['/favicon.ico', 'image/x-icon'],
    ['/robots.txt', 'text/plain; charset=utf-8'],
  ])('%s exists', async (path, type) => {
    url = `http://${await startSite('127.0.0.1:1', '127.0.0.1:2')}`;
    const reply = await open(path);
    expect([reply.status, reply.headers.get('content-type')]).toEqual([200, type]);
    expect((await reply.arrayBuffer()).byteLength).toBeGreaterThan(20);
  });
});
