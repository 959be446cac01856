/** `npm run dev` sees every save, however an editor writes the file, and its server loses no request. */
import { cpSync, mkdirSync, mkdtempSync, renameSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { watchSources } from '../../local/dev.ts';
import { startDevProxy } from '../../local/devProxy.ts';
import { findFreePort } from '../../local/ports.ts';
import { listen } from '../support/listen.ts';

describe('a save', () => {
  let root: string;
  let seen: string[];
  let stop: () => void;
  const file = (path: string) => join(root, path);

  beforeEach(() => {
    vi.useFakeTimers();
    root = mkdtempSync(join(tmpdir(), 'nano-banana-dev-test-'));
    for (const path of ['functions', 'shared/ledger']) mkdirSync(file(path), { recursive: true });
    writeFileSync(file('shared/ledger/a.ts'), '1');
    seen = [];
    stop = watchSources(root, (path) => seen.push(path));
  });
  afterEach(() => {
    stop();
    vi.useRealTimers();
    rmSync(root, { recursive: true });
  });

  /** What is reported until nothing more can come. */
  function reported(): string[] {
    vi.advanceTimersByTime(10_000);
    return seen.splice(0);
  }

  const saves: [string, (path: string, text: string) => void][] = [
    ['in place', (path, text) => writeFileSync(path, text)],
    [
      'by a rename over the file, as JetBrains does',
      (path, text) => {
        writeFileSync(`${path}___jb_tmp___`, text);
        renameSync(path, `${path}___jb_old___`);
        renameSync(`${path}___jb_tmp___`, path);
        unlinkSync(`${path}___jb_old___`);
      },
    ],
    [
      'with a backup, as vim does',
      (path, text) => {
        writeFileSync(join(path, '../4913'), '');
        unlinkSync(join(path, '../4913'));
        renameSync(path, `${path}~`);
        writeFileSync(path, text);
        unlinkSync(`${path}~`);
      },
    ],
    [
      'after its removal, as git checkout does',
      (path, text) => {
        unlinkSync(path);
        writeFileSync(path, text);
      },
    ],
  ];

  it.each(saves)('%s is seen each time, once', (_, save) => {
    for (const text of ['22', '333', '4444']) {
      save(file('shared/ledger/a.ts'), text);
      expect(reported()).toEqual(['shared/ledger/a.ts']);
    }
  });

  it('of a new file in a new folder, and its removal, are seen', () => {
    mkdirSync(file('web/views'), { recursive: true });
    writeFileSync(file('web/views/New.tsx'), '');
    expect(reported()).toEqual(['web/views/New.tsx']);
    rmSync(file('web'), { recursive: true });
    expect(reported()).toEqual(['web/views/New.tsx']);
  });

  it('of a folder that is replaced is seen', () => {
    cpSync(file('shared'), file('other'), { recursive: true });
    rmSync(file('shared'), { recursive: true });
    renameSync(file('other'), file('shared'));
    expect(reported()).toEqual(['shared/ledger/a.ts']);
    writeFileSync(file('shared/ledger/a.ts'), '22');
    expect(reported()).toEqual(['shared/ledger/a.ts']);
  });

  it('of many files counts once, when the last one is written', () => {
    for (let number = 0; number < 5; number++) {
      writeFileSync(file(`functions/${number}.ts`), '');
      vi.advanceTimersByTime(250);
    }
    expect(seen).toEqual([]);
    expect(reported()).toHaveLength(1);
  });

  it('of anything else is ignored', () => {
    for (const name of ['a.ts~', '.a.ts.swp', '4913', 'notes.md']) writeFileSync(file(`shared/${name}`), '');
    expect(reported()).toEqual([]);
  });
});

describe('a request', () => {
  async function startBoth(handle: RequestListener, whenOpen: () => Promise<boolean>) {
    const functions = createServer(handle);
    const host = await listen(functions);
    const port = await findFreePort();
    const proxy = await startDevProxy(port, Number(host.split(':')[1]), whenOpen);
    onTestFinished(() => {
      for (const server of [functions, proxy]) {
        server.closeAllConnections();
        server.close();
      }
    });
    return `http://127.0.0.1:${port}`;
  }

  it('arrives as it was sent, and so does its answer', async () => {
    const url = await startBoth(
      (request, response) => {
        const { method, url: path, headers } = request;
        response.writeHead(418, [
          ['set-cookie', 'a'],
          ['set-cookie', 'b'],
          ['x-seen', `${method} ${path} ${headers['x-one']} ${headers.host}`],
        ]);
        request.pipe(response);
      },
      async () => true,
    );
    const body = 'x'.repeat(300_000);
    const reply = await fetch(`${url}/generate?a=b`, { method: 'POST', headers: { 'x-one': 'two' }, body });
    expect(reply.status).toBe(418);
    expect(reply.headers.getSetCookie()).toEqual(['a', 'b']);
    expect(reply.headers.get('x-seen')).toBe(`POST /generate?a=b two ${new URL(url).host}`);
    expect(await reply.text()).toBe(body);
  });

  it('waits while the functions restart', async () => {
    const restarted = Promise.withResolvers<boolean>();
    let count = 0;
    const url = await startBoth(
      (_, response) => void response.end(String(++count)),
      () => restarted.promise,
    );
    const replies = [1, 2, 3].map(async () => (await fetch(url)).text());
    expect(await Promise.race([...replies, new Promise((soon) => setImmediate(soon))])).toBeUndefined();
    expect(count).toBe(0);
    restarted.resolve(true);
    expect((await Promise.all(replies)).sort()).toEqual(['1', '2', '3']);
  });

  it('is a 503 that says what to do if the functions do not run', async () => {
    const url = await startBoth(
      () => expect.unreachable(),
      async () => false,
    );
    const reply = await fetch(url);
    expect(reply.status).toBe(503);
    expect(await reply.json()).toMatchObject({ error: { message: expect.stringContaining('next change') } });
  });

  it('of a process that dies loses its connection, as it would in production', async () => {
    const url = await startBoth(
      (request) => request.socket.destroy(),
      async () => true,
    );
    await expect(fetch(url)).rejects.toThrow('fetch failed');
  });
});
