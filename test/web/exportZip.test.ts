/** The ZIP of the user's data and images: its content, its memory, and how it ends early. */
import { crc32 } from 'node:zlib';
import { expect, test } from 'vitest';
import type { AccountExport } from '../../shared/contract.ts';
import { createExportZip } from '../../web/exportZip.ts';
import { collectBlob } from '../../web/saveFile.ts';

const urlOf = (i: number) => `https://images.example/${i}`;

/** An export with this many images, and a generation without one. */
function createExport(count: number): AccountExport {
  const generations = Array.from({ length: count }, (_, i) => ({
    id: i.toString(16).padStart(8, '0').padEnd(32, '0'),
    prompt: 'A banana on the moon',
    createdAt: '2026-01-02T03:04:06.000Z',
    image: { url: urlOf(i), mimeType: 'image/png' },
  }));
  const all = [...generations, { ...generations[0], id: 'f'.repeat(32), image: null }];
  return {
    exportedAt: '2026-01-02T03:04:06.000Z',
    generations: all,
  } as Partial<AccountExport> as AccountExport;
}

const never = new AbortController().signal;
const ignore = () => {};

/** The names and contents of a ZIP that stores files as they are, by its central directory. */
function readZip(zip: Uint8Array): Map<string, Uint8Array> {
  const view = new DataView(zip.buffer, zip.byteOffset, zip.length);
  const end = zip.length - 22;
  expect(view.getUint32(end, true)).toBe(0x06054b50);
  const files = new Map<string, Uint8Array>();
  let at = view.getUint32(end + 16, true);
  for (let i = 0; i < view.getUint16(end + 10, true); i += 1) {
    expect([view.getUint32(at, true), view.getUint16(at + 10, true)]).toEqual([0x02014b50, 0]);
    const [nameLength, extraLength] = [view.getUint16(at + 28, true), view.getUint16(at + 30, true)];
    const name = new TextDecoder().decode(zip.subarray(at + 46, at + 46 + nameLength));
    const local = view.getUint32(at + 42, true);
    const begin = local + 30 + view.getUint16(local + 26, true) + view.getUint16(local + 28, true);
    const content = zip.subarray(begin, begin + view.getUint32(at + 20, true));
    expect(crc32(content)).toBe(view.getUint32(at + 16, true));
    files.set(name, content);
    at += 46 + nameLength + extraLength + view.getUint16(at + 32, true);
  }
  return files;
}

const text = (bytes: Uint8Array | undefined) => new TextDecoder().decode(bytes);

test('has the data as JSON, and every image', async () => {
  const data = createExport(3);
  const progress: number[][] = [];
  const { stream, missing } = createExportZip(data, {
    fetch: async (url) => new Response(`image ${url}`),
    signal: never,
    onProgress: (...numbers) => void progress.push(numbers),
  });
  const files = readZip(new Uint8Array(await new Response(stream).arrayBuffer()));
  expect([...files.keys()]).toEqual([
    'account.json',
    'images/a-banana-on-the-moon-00000000.png',
    'images/a-banana-on-the-moon-00000001.png',
    'images/a-banana-on-the-moon-00000002.png',
  ]);
  expect(JSON.parse(text(files.get('account.json')))).toEqual(data);
  expect(text(files.get('images/a-banana-on-the-moon-00000002.png'))).toBe(`image ${urlOf(2)}`);
  expect([progress, missing]).toEqual([
    [
      [0, 3],
      [1, 3],
      [2, 3],
      [3, 3],
    ],
    [],
  ]);
});

test('an image that cannot be fetched twice is listed, and the others are there', async () => {
  const asked: string[] = [];
  const answers: (() => Response | Promise<Response>)[] = [
    () => new Response('gone', { status: 404 }),
    () => new Response('gone', { status: 404 }),
    () => Promise.reject(new TypeError('fetch failed')),
    () => new Response('the second'),
    () => new Response('the third'),
  ];
  const { stream, missing } = createExportZip(createExport(3), {
    async fetch(url) {
      asked.push(url);
      return (answers.shift() as () => Response)();
    },
    signal: never,
    onProgress: ignore,
  });
  const files = readZip(new Uint8Array(await new Response(stream).arrayBuffer()));
  expect(asked).toEqual([0, 0, 1, 1, 2].map(urlOf));
  expect([...files.keys()]).toEqual([
    'account.json',
    'images/a-banana-on-the-moon-00000001.png',
    'images/a-banana-on-the-moon-00000002.png',
    'missing-images.txt',
  ]);
  expect(text(files.get('missing-images.txt'))).toContain(urlOf(0));
  expect(missing).toHaveLength(1);
});

const count = 500;
const imageBytes = 4_000_000;

test('500 images of 4 MB go through one after the other: an image is fetched when those before it were taken', async () => {
  let written = 0;
  let ahead = 0;
  const { stream } = createExportZip(createExport(count), {
    async fetch(url) {
      const before = Number(url.split('/').at(-1)) * imageBytes;
      ahead = Math.max(ahead, before - written);
      return new Response(new Uint8Array(imageBytes));
    },
    signal: never,
    onProgress: ignore,
  });
  await stream.pipeTo(
    new WritableStream({
      async write(chunk: Uint8Array) {
        await new Promise(setImmediate);
        written += chunk.length;
      },
    }),
  );
  expect(written).toBeGreaterThan(count * imageBytes);
  expect(ahead).toBeLessThanOrEqual(imageBytes);
}, 120_000);

test('a cancelled export fetches no further image and keeps none', async () => {
  const cancel = new AbortController();
  let fetched = 0;
  const { stream } = createExportZip(createExport(10), {
    async fetch(_, { signal }) {
      fetched += 1;
      if (fetched === 3) cancel.abort(new Error('cancelled'));
      signal.throwIfAborted();
      return new Response('image');
    },
    signal: cancel.signal,
    onProgress: ignore,
  });
  await expect(collectBlob(stream, cancel.signal, 'application/zip')).rejects.toThrow('cancelled');
  expect(fetched).toBe(3);
});

test('a download is collected in parts, whole and in order', async () => {
  const chunks = Array.from({ length: 5 }, (_, i) => new Uint8Array(3_000_000).fill(i));
  const stream = new ReadableStream<Uint8Array<ArrayBuffer>>({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(chunk);
      controller.close();
    },
  });
  const blob = await collectBlob(stream, never, 'application/zip');
  expect([blob.type, blob.size]).toEqual(['application/zip', 15_000_000]);
  const bytes = await blob.bytes();
  expect([0, 3_000_000, 14_999_999].map((at) => bytes[at])).toEqual([0, 1, 4]);
});
