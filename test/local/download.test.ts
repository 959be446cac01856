/** Java is downloaded over HTTP from a fake of Adoptium's service, once, and nothing half-made is ever used. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { downloadFile, makeComplete } from '../../local/download.ts';
import { downloadJar } from '../../local/firebaseCache.ts';
import { downloadJava, getCacheDir, getDownloadedJava } from '../../local/jre.ts';
import { listen } from '../support/listen.ts';

const disk = vi.hoisted(() => ({ isFull: false }));
vi.mock('node:fs', async (original) => {
  const fs = await original<typeof import('node:fs')>();
  const createWriteStream: typeof fs.createWriteStream = (path, options) =>
    fs.createWriteStream(disk.isFull ? '/dev/full' : path, options);
  return { ...fs, createWriteStream };
});

let home: string;
let archive: Buffer;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'nano-banana-jre-test-'));
  archive = makeArchive('#!/bin/sh\necho \'openjdk version "21.0.9" 2025-10-21\' >&2\n');
});
afterEach(() => rmSync(home, { recursive: true }));

/** An archive of the layout of Adoptium's: one folder of the release, in which `java` is this script. */
function makeArchive(script: string): Buffer {
  const program = process.platform === 'darwin' ? 'Contents/Home/bin' : 'bin';
  const code = `mkdir -p "$0/jdk-21/${program}" && cd "$0" && printf %s "$1" > "jdk-21/${program}/java" &&
    chmod +x "jdk-21/${program}/java" && tar -czf archive.tar.gz jdk-21`;
  execFileSync('sh', ['-c', code, join(home, 'made'), script]);
  const bytes = readFileSync(join(home, 'made/archive.tar.gz'));
  rmSync(join(home, 'made'), { recursive: true });
  return bytes;
}

type Package = { link?: string; size?: number; checksum?: string };

/** A fake of the service. Each of its parts can be replaced. */
async function startService({ answer, ...replaced }: Package & { answer?: RequestListener } = {}) {
  const requests: string[] = [];
  const server = createServer((request, response) => {
    requests.push(request.url ?? '');
    const { pathname } = new URL(request.url ?? '', 'http://x');
    if (pathname.startsWith('/v3/')) {
      const link = `http://${request.headers.host}/archive`;
      const stated = {
        link,
        size: archive.length,
        checksum: createHash('sha256').update(archive).digest('hex'),
      };
      response.end(JSON.stringify([{ binary: { package: { ...stated, ...replaced } } }]));
    } else if (pathname === '/archive') response.writeHead(302, { location: '/moved' }).end();
    else if (answer) answer(request, response);
    else response.end(archive);
  });
  const host = await listen(server);
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { requests, env: { HOME: home, ADOPTIUM_API_URL: `http://${host}` } };
}

const quiet = { write: () => {} };
const fetchJava = (env: NodeJS.ProcessEnv) => downloadJava(env, quiet);
/** Everything in the cache. */
const cached = () =>
  existsSync(getCacheDir({ HOME: home })) ? readdirSync(getCacheDir({ HOME: home })) : [];

describe('Java', () => {
  it('is asked for by version, system and processor, found behind redirects, and runs', async () => {
    const { requests, env } = await startService();
    const java = await fetchJava(env);
    expect(java).toBe(getDownloadedJava(env));
    expect(execFileSync('sh', ['-c', '"$0" -version 2>&1', java], { encoding: 'utf8' })).toContain('21.0.9');
    const system = process.platform === 'darwin' ? 'mac' : 'linux';
    const processor = process.arch === 'arm64' ? 'aarch64' : 'x64';
    expect(requests).toEqual([
      `/v3/assets/latest/21/hotspot?os=${system}&architecture=${processor}&image_type=jre&vendor=eclipse`,
      '/archive',
      '/moved',
    ]);
    expect(cached()).toHaveLength(1);
  });

  it('is in the folder for caches', () => {
    expect(getCacheDir({ HOME: '/h' }, 'linux')).toBe('/h/.cache/nano-banana-studio');
    expect(getCacheDir({ HOME: '/h' }, 'darwin')).toBe('/h/Library/Caches/nano-banana-studio');
    expect(getCacheDir({ HOME: '/h', XDG_CACHE_HOME: '/c' }, 'linux')).toBe('/c/nano-banana-studio');
  });

  it('is the same after two downloads at once', async () => {
    const { env } = await startService();
    const [first, second] = await Promise.all([fetchJava(env), startOther(env).done]);
    expect(second).toBe(`${first}\n`);
    expect(cached()).toHaveLength(1);
    expect(existsSync(first)).toBe(true);
  });

  it('replaces one that does not run', async () => {
    const { env } = await startService();
    mkdirSync(join(getDownloadedJava(env), '..'), { recursive: true });
    expect(existsSync(await fetchJava(env))).toBe(true);
    expect(cached()).toHaveLength(1);
  });
});

/** The same download in another process, which can be killed. */
function startOther(env: NodeJS.ProcessEnv): { child: ChildProcess; done: Promise<string> } {
  const code = `import { downloadJava } from ${JSON.stringify(resolve('local/jre.ts'))};
    console.log(await downloadJava(process.env, { write() {} }));`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], {
    env: { PATH: process.env.PATH, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  child.stdout.on('data', (chunk) => (said += chunk));
  return { child, done: new Promise((ended) => child.once('close', () => ended(said))) };
}

describe('nothing is left in the cache after', () => {
  const failures: [string, string, () => ReturnType<typeof startService>][] = [
    ['a wrong checksum', 'its publisher states 0000', () => startService({ checksum: '0'.repeat(64) })],
    ['more bytes than stated', 'more than the 10 bytes', () => startService({ size: 10 })],
    ['fewer bytes than stated', 'cut off', () => startService({ size: archive.length + 1 })],
    [
      'a connection that is cut',
      'the connection broke',
      () =>
        startService({
          answer(_, response) {
            response.writeHead(200, { 'content-length': archive.length });
            response.write(archive.subarray(0, 20), () => response.destroy());
          },
        }),
    ],
    [
      'an error of the service',
      '503',
      () => startService({ answer: (_, response) => response.writeHead(503).end() }),
    ],
    [
      'a refused connection',
      'no connection to 127.0.0.1',
      () => startService({ link: 'http://127.0.0.1:1/' }),
    ],
    ['an answer of another form', 'did not say where it is', () => startService({ link: 'no address' })],
    ['a disk without room for it', 'the disk is full', () => startService({ size: 1e15 })],
  ];

  it.each(failures)('%s, which is named', async (_, words, start) => {
    const { env } = await start();
    await expect(fetchJava(env)).rejects.toThrow(words);
    expect(cached()).toEqual([]);
  });

  it('an unknown host', async () => {
    await expect(fetchJava({ HOME: home, ADOPTIUM_API_URL: 'http://adoptium.invalid' })).rejects.toThrow(
      /no connection to adoptium\.invalid \(E/,
    );
    expect(cached()).toEqual([]);
  });

  it.skipIf(process.platform !== 'linux')('a disk that becomes full', async () => {
    const { env } = await startService();
    disk.isFull = true;
    onTestFinished(() => {
      disk.isFull = false;
    });
    await expect(fetchJava(env)).rejects.toThrow('the disk is full');
    expect(cached()).toEqual([]);
  });

  it('a file that is not an archive, or an archive with a Java that does not run', async () => {
    archive = Buffer.from('not an archive');
    await expect(fetchJava((await startService()).env)).rejects.toThrow('tar cannot unpack it');
    archive = makeArchive('#!/bin/sh\nexit 1\n');
    await expect(fetchJava((await startService()).env)).rejects.toThrow('does not run on this machine');
    expect(cached()).toEqual([]);
  });

  it('a SIGKILL, once a later download has removed what an hour ago was half-made', async () => {
    const asked = Promise.withResolvers<void>();
    const { env } = await startService({ answer: () => asked.resolve() });
    const { child, done } = startOther(env);
    await asked.promise;
    expect(cached()[0]).toContain('.partial-');
    child.kill('SIGKILL');
    expect(await done).toBe('');
    const partial = join(getCacheDir(env), cached()[0] ?? '');
    const other = await startService();
    await fetchJava(other.env);
    expect(cached()).toHaveLength(2);
    const longAgo = Date.now() / 1000 - 7_200;
    utimesSync(partial, longAgo, longAgo);
    rmSync(join(getDownloadedJava(env), '../..'), { recursive: true });
    await fetchJava(other.env);
    expect(existsSync(partial)).toBe(false);
    expect(cached()).toHaveLength(1);
  });
});

it('a process that exits in the middle removes what it has made', () => {
  const code = `import { writeFileSync } from 'node:fs';
    import { downloadFile, makeComplete } from ${JSON.stringify(resolve('local/download.ts'))};
    makeComplete(process.argv[1], async (partial) => { writeFileSync(partial, ''); process.exit(0); });`;
  execFileSync(process.execPath, ['--input-type=module', '-e', code, join(home, 'file')]);
  expect(readdirSync(home)).toEqual([]);
});

it('what another process has completed meanwhile stays', async () => {
  const path = join(home, 'folder');
  await makeComplete(path, async (partial) => {
    mkdirSync(partial);
    mkdirSync(join(path, 'complete'), { recursive: true });
  });
  expect(readdirSync(path)).toEqual(['complete']);
  expect(readdirSync(home)).toEqual(['folder']);
});

describe('the progress', () => {
  /** What is shown of a download that comes in eight pieces. */
  async function show(isTTY: boolean): Promise<string> {
    const pieces = Array.from({ length: 8 }, () => Buffer.alloc(100_000));
    const body = new ReadableStream({
      start(stream) {
        for (const piece of pieces) stream.enqueue(piece);
        stream.close();
      },
    });
    vi.stubGlobal('fetch', async () => new Response(body));
    onTestFinished(() => void vi.unstubAllGlobals());
    const sha256 = createHash('sha256').update(Buffer.concat(pieces)).digest('hex');
    const download = { name: 'Java 21', url: 'http://127.0.0.1/', size: 800_000, sha256 };
    let text = '';
    await downloadFile(download, join(home, 'file'), { isTTY, write: (more) => (text += more) });
    return text;
  }

  it('is a bar at a terminal', async () => {
    const text = await show(true);
    expect(text.startsWith(`\rJava 21 [####${'-'.repeat(26)}] 12 % of 1 MB\r`)).toBe(true);
    expect(text.endsWith(`\rJava 21 [${'#'.repeat(30)}] 100 % of 1 MB\n`)).toBe(true);
    expect(text.match(/\r/g)).toHaveLength(8);
  });

  it('is a few plain lines elsewhere', async () => {
    expect((await show(false)).trimEnd().split('\n')).toEqual(
      [0, 25, 50, 75, 100].map((percent) => `Java 21: ${percent} % of 1 MB`),
    );
  });
});

describe('the Firestore emulator', () => {
  it('is downloaded to where the Firebase CLI looks for it, verified by what the CLI states', async () => {
    const { env } = await startService();
    const firestore = {
      remoteUrl: `${env.ADOPTIUM_API_URL}/jar`,
      expectedSize: archive.length,
      expectedChecksumSHA256: createHash('sha256').update(archive).digest('hex'),
      downloadPathRelativeToCacheDir: 'cloud-firestore-emulator-v1.2.3.jar',
    };
    const folder = join(home, '.cache/firebase/emulators');
    const wrong = { ...firestore, expectedChecksumSHA256: '0'.repeat(64) };
    await expect(downloadJar(env, quiet, { firestore: wrong })).rejects.toThrow('SHA-256');
    expect(readdirSync(folder)).toEqual([]);
    expect(await downloadJar(env, quiet, { firestore })).toBe(
      join(folder, 'cloud-firestore-emulator-v1.2.3.jar'),
    );
    expect(readdirSync(folder)).toEqual(['cloud-firestore-emulator-v1.2.3.jar']);
  });

  it('is described by the installed Firebase CLI', async () => {
    vi.stubGlobal('fetch', () => Promise.resolve(new Response('', { status: 418 })));
    onTestFinished(() => void vi.unstubAllGlobals());
    await expect(downloadJar({ HOME: home }, quiet)).rejects.toThrow('418');
  });
});
