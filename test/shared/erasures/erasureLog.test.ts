/** The erasure log: names, a bucket of Cloud Storage, and what happens while it fails. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import { createErasureLog, formatErasure, parseErasure } from '../../../shared/erasures/erasureLog.ts';
import type { Erasure } from '../../../shared/erasures/erasures.ts';
import { createClosingWorld, createErasureFolder } from '../../support/closing.ts';

const at = new Date('2026-11-26T05:42:01.123Z');
const generationId = 'a'.repeat(32);

afterEach(() => void vi.unstubAllGlobals());

it.each<[Erasure, string]>([
  [{ kind: 'closing', uid: 'ann', at }, '2026-11-26T05-42-01-123Z.closing.ann'],
  [
    { kind: 'deletion', uid: 'ann', generationId, at },
    `2026-11-26T05-42-01-123Z.deletion.ann.${generationId}`,
  ],
  [{ kind: 'takedown', uid: 'a.b/c ~ü*', generationId, at }, expect.stringMatching(/\.takedown\.[\w%-]+\./)],
  [
    { kind: 'takedown', uid: 'ann', generationId, imageHash: 'b'.repeat(64), at },
    `2026-11-26T05-42-01-123Z.takedown.ann.${generationId}.${'b'.repeat(64)}`,
  ],
])('%j has a name that says everything', (erasure, name) => {
  expect(formatErasure(erasure)).toEqual(name);
  expect(parseErasure(formatErasure(erasure))).toEqual(erasure);
});

it.each(['', 'notes.txt', '2026.closing.ann', '2026-11-26T05-42-01-123Z.other.ann'])(
  '%j is no erasure',
  (name) => void expect(parseErasure(name)).toBeUndefined(),
);

/** A bucket that refuses to replace an object. */
function stubBucket() {
  const objects = new Set<string>();
  const requests: { method: string; url: URL; authorization: string | null }[] = [];
  vi.stubGlobal('fetch', async (input: string, init: RequestInit) => {
    const url = new URL(input);
    const authorization = new Headers(init.headers).get('authorization');
    requests.push({ method: init.method ?? 'GET', url, authorization });
    if (init.method === 'POST') {
      const name = url.searchParams.get('name') ?? '';
      if (objects.has(name)) return Response.json({}, { status: 412 });
      objects.add(name);
      return Response.json({ name });
    }
    const since = url.searchParams.get('startOffset') ?? '';
    const names = [...objects].sort().filter((name) => name >= since);
    const from = Number(url.searchParams.get('pageToken') ?? 0);
    const items = names.slice(from, from + 2).map((name) => ({ name }));
    return Response.json({ items, ...(from + 2 < names.length && { nextPageToken: String(from + 2) }) });
  });
  return { objects, requests };
}

describe('in a bucket', () => {
  const createLog = () => createErasureLog('my-erasures', async () => 'token');

  it('adds an object once, with the token of the service account', async () => {
    const { objects, requests } = stubBucket();
    for (let i = 0; i < 2; i += 1) await createLog().add({ kind: 'closing', uid: 'ann', at });
    expect([...objects]).toEqual(['2026-11-26T05-42-01-123Z.closing.ann']);
    const [first] = requests;
    expect(first?.authorization).toBe('Bearer token');
    expect(`${first?.url.origin}${first?.url.pathname}`).toBe(
      'https://storage.googleapis.com/upload/storage/v1/b/my-erasures/o',
    );
    expect(first?.url.searchParams.get('ifGenerationMatch')).toBe('0');
  });

  it('reads all pages since a time, oldest first', async () => {
    const { objects } = stubBucket();
    const log = createLog();
    const add = (day: number) =>
      log.add({ kind: 'closing', uid: `u${day}`, at: new Date(Date.UTC(2026, 0, day)) });
    for (const day of [5, 1, 4, 2, 3]) await add(day);
    objects.add('notes.txt');
    const uids: string[] = [];
    for await (const { uid } of log.read(new Date(Date.UTC(2026, 0, 2)))) uids.push(uid);
    expect(uids).toEqual(['u2', 'u3', 'u4', 'u5']);
  });

  it('fails if the bucket refuses', async () => {
    vi.stubGlobal('fetch', async () => Response.json({}, { status: 403 }));
    await expect(createLog().add({ kind: 'closing', uid: 'ann', at })).rejects.toThrow('403');
    await expect(createLog().read(at).next()).rejects.toThrow('403');
  });
});

it('reads a folder since a time, and none that is not there', async () => {
  const { url } = createErasureFolder();
  const log = createErasureLog(url, async () => '');
  await log.add({ kind: 'closing', uid: 'ann', at });
  const count = async (since: Date, from = log) => (await Array.fromAsync(from.read(since))).length;
  expect([await count(at), await count(new Date(at.getTime() + 1))]).toEqual([1, 0]);
  expect(
    await count(
      at,
      createErasureLog(`${url}/none`, async () => ''),
    ),
  ).toBe(0);
});

describe('a deletion', () => {
  it('is logged by the sweep, however often it is repeated', async () => {
    const { start, log, documents } = createClosingWorld();
    const studio = start();
    const { id } = (await studio.generate('a')).body.generation;
    for (let i = 0; i < 2; i += 1) expect((await studio.deleteGeneration(id)).status).toBe(200);
    expect(log.list()).toEqual([]);
    for (let i = 0; i < 2; i += 1) await studio.sweep();
    expect(log.list()).toMatchObject([{ kind: 'deletion', uid: 'ann', generationId: id }]);
    expect([...documents.keys()].filter((path) => path.startsWith('erasures/'))).toEqual([]);
  });

  it('succeeds while the log fails, and waits for it', async () => {
    const { start, documents } = createClosingWorld({ ERASURE_LOG_BUCKET: 'no-such-bucket' });
    const studio = start();
    vi.stubGlobal('fetch', async () => Response.json({}, { status: 404 }));
    for (const key of ['a', 'b', 'c', 'd', 'e']) {
      const { id } = (await studio.generate(key, { fresh: true })).body.generation;
      expect((await studio.deleteGeneration(id)).status).toBe(200);
    }
    expect((await studio.sweep()).status).toBe(200);
    expect(studio.findEvents('erasure_not_logged').length).toBeGreaterThan(0);
    const waiting = () => [...documents.keys()].filter((path) => path.startsWith('erasures/')).length;
    expect(waiting()).toBe(5);
    const { objects } = stubBucket();
    vi.stubGlobal('fetch', withToken(globalThis.fetch));
    await studio.sweep();
    expect([waiting(), objects.size]).toEqual([0, 5]);
  });
});

/** The metadata server too. */
const withToken = (bucket: typeof fetch) => async (input: string, init: RequestInit) =>
  String(input).startsWith('http://metadata.') ? Response.json({ access_token: 't' }) : bucket(input, init);
