/** The emulators' console of the Firebase CLI's cache gets the addresses of the run's emulators. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, it, onTestFinished } from 'vitest';
import { findConsole, startConsole } from '../../local/console.ts';
import { findFreePort } from '../../local/ports.ts';

let cache: string;
beforeEach(() => {
  cache = mkdtempSync(join(tmpdir(), 'nano-banana-console-test-'));
});
afterEach(() => rmSync(cache, { recursive: true }));

function put(path: string, text: string): void {
  mkdirSync(dirname(join(cache, path)), { recursive: true });
  writeFileSync(join(cache, path), text);
}

it('is the newest that is complete, if there is one', () => {
  const find = () => findConsole({ FIREBASE_EMULATORS_PATH: cache });
  expect(find()).toBeUndefined();
  put('ui-v1.9.0/client/index.html', '');
  put('ui-v1.15.0/client/index.html', '');
  put('ui-v1.16.0/server/server.mjs', '');
  put('ui-v1.17.0.zip', '');
  expect(find()).toBe(join(cache, 'ui-v1.15.0/client'));
  expect(findConsole({ FIREBASE_EMULATORS_PATH: join(cache, 'none') })).toBeUndefined();
});

it('is served with the addresses of the emulators, and nothing outside of its folder', async () => {
  put('client/index.html', 'the page');
  put('client/assets/a.js', 'the script');
  put('secret', 'a secret');
  const port = await findFreePort();
  const server = await startConsole(port, join(cache, 'client'), {
    projectId: 'demo-console',
    authHost: '127.0.0.1:9099',
    firestoreHost: '127.0.0.1:8085',
  });
  onTestFinished(() => void server.close());
  const get = (path: string) => fetch(`http://127.0.0.1:${port}${path}`);
  expect(await (await get('/api/config')).json()).toMatchObject({
    projectId: 'demo-console',
    auth: { host: '127.0.0.1', port: 9099 },
    firestore: { host: '127.0.0.1', port: 8085 },
  });
  const script = await get('/assets/a.js');
  expect(script.headers.get('content-type')).toBe('text/javascript; charset=utf-8');
  expect(await script.text()).toBe('the script');
  for (const path of ['/', '/firestore/default/data', '/%2e%2e/secret', '/..%2fsecret'])
    expect([path, await (await get(path)).text()]).toEqual([path, 'the page']);
});
