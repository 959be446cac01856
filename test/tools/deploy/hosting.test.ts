/** The page, as Firebase Hosting serves it from the build. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import http from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pageHeaders } from '../../../web/securityPolicy.ts';
import { buildInto } from '../../support/programs.ts';

describe('the page, as Firebase Hosting serves it', () => {
  let folder: string;
  let server: http.Server;
  let url: string;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'nano-banana-studio-hosting-'));
    await buildInto(folder);
    // superstatic, from the Firebase CLI, selects files, headers and redirects as Hosting does.
    const fromCli = createRequire(createRequire(import.meta.url).resolve('firebase-tools'));
    const { hosting } = JSON.parse(readFileSync('firebase.json', 'utf8'));
    const config = { ...hosting, public: 'hosting', rewrites: [] };
    const serve = fromCli('superstatic').default({ cwd: folder, config, compression: false });
    server = http.createServer((request, response) =>
      serve(request, response, () => response.writeHead(404).end()),
    );
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }, 120_000);
  afterAll(() => {
    server?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const get = (path: string) => fetch(`${url}${path}`, { redirect: 'manual' });

  it('is at /studio, with its headers, and is revalidated at each load', async () => {
    const response = await get('/studio');
    expect(response.status).toBe(200);
    expect(await response.text()).toContain('<div id="app"');
    for (const [name, value] of Object.entries(pageHeaders())) expect(response.headers.get(name)).toBe(value);
    expect(response.headers.get('cache-control')).toBe('no-cache');
    expect((await get('/')).headers.get('location')).toBe('/studio');
  });

  it.each([
    ['/reference', 'text/html', 'API reference'],
    ['/reference.css', 'text/css', 'font'],
    ['/openapi.json', 'application/json', '"openapi"'],
  ])('comes with %s, under the same policy', async (path, type, part) => {
    const response = await get(path);
    expect([response.status, response.headers.get('content-type')]).toEqual([
      200,
      expect.stringContaining(type),
    ]);
    expect(await response.text()).toContain(part);
    for (const [name, value] of Object.entries(pageHeaders())) expect(response.headers.get(name)).toBe(value);
    expect(response.headers.get('cache-control')).toBe('no-cache');
  });

  it('has assets that browsers may cache forever, under the same policy', async () => {
    const html = await (await get('/studio')).text();
    const assets = [...html.matchAll(/(?:src|href)="(\/studio\/assets\/[^"]+)"/g)].map(
      ([, path]) => path ?? '',
    );
    expect(assets.length).toBeGreaterThan(1);
    for (const path of assets) {
      const response = await get(path);
      expect(response.status).toBe(200);
      expect(response.headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
      expect(response.headers.get('x-content-type-options')).toBe('nosniff');
    }
  });
});
