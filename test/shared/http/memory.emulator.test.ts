/**
 * The memory that large bodies and images take in a real server process. A body takes almost none, unless it holds
 * a user's reference images. An image is in memory once. Measured is the peak of the resident memory.
 */
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { platform } from 'node:process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { geminiFault } from '../../../local/fakes/geminiFaults.ts';
import { referenceBytesMax } from '../../../shared/contract.ts';
import { bodyBytesMaxDefault } from '../../../shared/http/body.ts';
import { manifest } from '../../../tools/deploy/manifest.ts';
import { squarePng } from '../../support/pictures.ts';
import { type ServerProcess, startServerProcesses } from '../../support/serverProcess.ts';
import { type Stack, startStack } from '../../support/stack.ts';

const megabyte = 1_000_000;
const bodyBytes = 30 * megabyte;
const chunk = Buffer.alloc(megabyte, ' ');
const [chunkStart, chunkEnd] = [`${chunk.length.toString(16)}\r\n`, '\r\n'].map((text) =>
  Buffer.from(text),
) as [Buffer, Buffer];
let stack: Stack;
let processes: Awaited<ReturnType<typeof startServerProcesses>>;

beforeAll(async () => {
  stack = await startStack();
  processes = await startServerProcesses(stack);
});
afterAll(async () => {
  await processes.close();
  await stack.close();
});

/** Sends 30 MB as fast as the server reads them, and resolves with the status when the connection ends. */
function post(url: string, headers: Record<string, string>): Promise<number> {
  const { port, pathname } = new URL(url);
  const isChunked = 'transfer-encoding' in headers;
  const piece = isChunked ? Buffer.concat([chunkStart, chunk, chunkEnd]) : chunk;
  const head = Object.entries({ host: 'x', ...headers }).map(([name, value]) => `${name}: ${value}\r\n`);
  return new Promise((resolve) => {
    const socket = connect(Number(port), '127.0.0.1');
    let answer = '';
    let left = bodyBytes / chunk.length;
    const write = () => {
      while (left > 0) {
        left -= 1;
        if (!socket.write(piece)) return;
      }
    };
    socket.on('data', (bytes) => {
      answer += bytes.toString('latin1');
    });
    // The server resets a connection that it stops reading.
    socket.on('error', () => {});
    socket.on('close', () => resolve(Number(/^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1])));
    socket.on('drain', write);
    socket.write(`POST ${pathname} HTTP/1.1\r\n${head.join('')}\r\n`);
    write();
  });
}

/** Resident memory of a process, bytes: `now`, and the `peak` since `forgetPeak`. */
function measureMemory({ pid }: ServerProcess) {
  if (platform !== 'linux') {
    const now = () =>
      Number(execFileSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' })) * 1024;
    let peak = now();
    const sampling = setInterval(() => {
      peak = Math.max(peak, now());
    }, 20);
    return {
      now,
      peak: () => peak,
      forgetPeak: () => {
        peak = now();
      },
      end: () => clearInterval(sampling),
    };
  }
  const read = (field: string) =>
    Number(
      new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1],
    ) * 1024;
  return {
    now: () => read('VmRSS'),
    peak: () => read('VmHWM'),
    forgetPeak: () => writeFileSync(`/proc/${pid}/clear_refs`, '5'),
    end: () => {},
  };
}

/** Sends ten posts of 30 MB at once to a fresh process; returns its peak increase of memory and the statuses. */
async function tenAtOnce(path: string, length: Record<string, string>, caller: Record<string, string> = {}) {
  const server = await processes.start();
  const memory = measureMemory(server);
  const headers = { ...caller, 'content-type': 'application/json' };
  try {
    // Load and run everything before measuring.
    for (let i = 0; i < 5; i += 1) {
      const response = await fetch(`${server.url}/${path}`, {
        method: 'POST',
        headers,
        body: '{}',
      });
      await response.text();
    }
    memory.forgetPeak();
    const before = memory.now();
    const statuses = await Promise.all(
      Array.from({ length: 10 }, () => post(`${server.url}/${path}`, { ...headers, ...length })),
    );
    const raised = memory.peak() - before;
    process.stdout.write(`${path}: ${statuses[0]}, ${(raised / megabyte).toFixed(1)} MB more\n`);
    return { raised, statuses };
  } finally {
    memory.end();
    server.signal('SIGKILL');
  }
}

describe('ten posts of 30 MB at once', () => {
  const withLength = { 'content-length': String(bodyBytes) };
  const chunked = { 'transfer-encoding': 'chunked' };

  it.each([
    ['generate', withLength],
    ['generate', chunked],
    ['enhance', withLength],
    ['account', chunked],
    ['sweepHolds', withLength],
    ['nothing', chunked],
  ])('from a stranger to %s with %o take less than 20 MB', async (path, length) => {
    const { raised, statuses } = await tenAtOnce(path, length);
    const status = { account: 405, nothing: 404 }[path] ?? 401;
    expect(statuses).toEqual(Array(10).fill(status));
    expect(raised).toBeLessThan(20 * megabyte);
  });

  it.each<[string, Record<string, string>, number]>([
    ['generate', withLength, 20 * megabyte],
    ['enhance', withLength, 20 * megabyte],
    ['enhance', chunked, 20 * megabyte + 10 * bodyBytesMaxDefault],
    // Without a Content-Length each body is read up to the limit.
    ['generate', chunked, 20 * megabyte + 10 * 19_500_000],
  ])('from a user to %s with %o take less than %i bytes', async (path, length, bytesMax) => {
    const authorization = `Bearer ${processes.tokenFor('ann')}`;
    const { raised, statuses } = await tenAtOnce(path, length, { authorization, 'idempotency-key': 'k' });
    expect(statuses).toEqual(Array(10).fill(413));
    expect(raised).toBeLessThan(bytesMax);
  });
});

/** Generates images at once, of 4 MB if nothing else is said; returns the peak of the process's memory and its increase. */
async function generateAtOnce(
  count: number,
  references: object[],
  env: Record<string, string> = {},
  imageBytes = 4 * megabyte,
) {
  const server = await processes.start(env);
  const memory = measureMemory(server);
  const uids = Array.from({ length: count + 1 }, (_, i) => `user-${count}-${i}`);
  await Promise.all(uids.map((uid) => stack.user(uid, 10)));
  const generateImage = async (uid: string, request: object) => {
    const headers = {
      authorization: `Bearer ${processes.tokenFor(uid)}`,
      'content-type': 'application/json',
      'idempotency-key': 'k',
    };
    const body = JSON.stringify({ prompt: 'A banana', tier: 'standard', ...request });
    // On a busy machine the database can wait too long: then a client asks again with the same key.
    for (let attempt = 1; ; attempt += 1) {
      const response = await fetch(`${server.url}/generate`, { method: 'POST', headers, body });
      const answer = await response.text();
      if (response.ok) return 200;
      if (attempt === 5 || !answer.includes('DATABASE_UNAVAILABLE')) return answer;
    }
  };
  try {
    // Load and run everything before measuring.
    stack.gemini.always(geminiFault.blank());
    expect(await generateImage(uids.pop() as string, {})).toBe(200);
    memory.forgetPeak();
    const before = memory.now();
    stack.gemini.always(geminiFault.image(noisyPng(imageBytes)));
    const statuses = await Promise.all(uids.map((uid) => generateImage(uid, { references })));
    expect(statuses).toEqual(Array(count).fill(200));
    return { raised: memory.peak() - before, peak: memory.peak() };
  } finally {
    stack.gemini.always(undefined);
    memory.end();
    server.signal('SIGKILL');
  }
}

const noisyPng = (bytes: number) => Buffer.concat([squarePng, randomBytes(bytes - squarePng.length)]);

describe('images of 4 MB generated at once', () => {
  it('take less than twice their size', async () => {
    const count = 20;
    const { raised } = await generateAtOnce(count, []);
    process.stdout.write(`${count} images: ${(raised / count / megabyte).toFixed(1)} MB more each\n`);
    expect(raised).toBeLessThan(2 * count * 4 * megabyte);
  });

  it('take less than twice their size if they have the 25 MB of 4K', async () => {
    const [count, bytes] = [6, 25 * megabyte];
    const { raised } = await generateAtOnce(count, [], {}, bytes);
    process.stdout.write(`${count} of 25 MB: ${(raised / count / megabyte).toFixed(1)} MB more each\n`);
    expect(raised).toBeLessThan(2 * count * bytes);
  }, 180_000);

  it('fit into an instance at its full concurrency, each with the largest references and an image of 4K', async () => {
    const { memoryMiB = 0, concurrency: count = 0 } = manifest.generate ?? {};
    const data = noisyPng(Math.floor(referenceBytesMax / 2)).toString('base64');
    const reference = { data, mimeType: 'image/png' };
    // By default Node gives half of an instance's memory to the JavaScript heap.
    const heap = { NODE_OPTIONS: `--max-old-space-size=${memoryMiB / 2}` };
    const { peak } = await generateAtOnce(count, [reference, reference], heap, 25 * megabyte);
    process.stdout.write(`${count} with references: ${(peak / megabyte).toFixed(0)} MB in all\n`);
    expect(peak).toBeLessThan(memoryMiB * 1_048_576);
    // Bodies of hundreds of megabytes: it is the memory that is bounded here, not the time on a busy machine.
  }, 180_000);
});
