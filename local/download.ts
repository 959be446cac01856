/** Downloads a file into a cache: verified before anything uses it, and complete or not there at all. */
import { createHash } from 'node:crypto';
import { createWriteStream, existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

/** A file, with what its publisher states about it: its size in bytes and its SHA-256 in hexadecimal digits. */
export type Download = { name: string; url: string; size: number; sha256: string };

export type Terminal = { isTTY?: boolean; write(text: string): unknown };

/** Longest wait for the next bytes, milliseconds. */
const idleMsMax = 30_000;
/** Age from which a partial file counts as left behind by a process that was killed, milliseconds. */
const staleMs = 3_600_000;

/** True if the user allows no downloads. */
export const forbidsDownloads = (env: NodeJS.ProcessEnv) =>
  !['', '0', 'false'].includes(env.NO_DOWNLOADS ?? '');

/**
 * Makes a file or a folder under a temporary name, and renames it once it is complete. If another process has made it
 * in the meantime, that one stays.
 */
export async function makeComplete(path: string, make: (partial: string) => Promise<void>): Promise<void> {
  mkdirSync(dirname(path), { recursive: true });
  removeStalePartials(path);
  const partial = `${path}.partial-${process.pid}-${Date.now()}`;
  const remove = () => rmSync(partial, { recursive: true, force: true });
  process.once('exit', remove);
  try {
    await make(partial);
    try {
      renameSync(partial, path);
    } catch (error) {
      if (!existsSync(path)) throw error;
    }
  } finally {
    process.off('exit', remove);
    remove();
  }
}

function removeStalePartials(path: string): void {
  for (const name of readdirSync(dirname(path))) {
    if (!name.startsWith(`${basename(path)}.partial-`)) continue;
    const partial = join(dirname(path), name);
    const age = Date.now() - (statSync(partial, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
    if (age > staleMs) rmSync(partial, { recursive: true, force: true });
  }
}

/**
 * Downloads to `file`, and shows the progress: a bar at a terminal, otherwise a line for each quarter.
 * @throws {Error} with a message for the user, if the connection, the disk, the size or the checksum fails.
 */
export async function downloadFile(download: Download, file: string, terminal: Terminal): Promise<void> {
  const { url, size, sha256 } = download;
  const showProgress = createProgress(download, terminal);
  const hash = createHash('sha256');
  let bytes = 0;
  await withIdleLimit(url, async (signal, onData) => {
    const response = await fetchOk(url, signal);
    async function* verify(chunks: AsyncIterable<Uint8Array>) {
      for await (const chunk of chunks) {
        onData();
        bytes += chunk.length;
        if (bytes > size) throw new Error(`it has more than the ${size} bytes that its publisher states`);
        hash.update(chunk);
        showProgress(bytes);
        yield chunk;
      }
    }
    const body: AsyncIterable<Uint8Array> = response.body ?? Readable.from([]);
    await pipeline(body, verify, createWriteStream(file), { signal });
  });
  if (bytes !== size) throw new Error(`it was cut off after ${bytes} of ${size} bytes`);
  const digest = hash.digest('hex');
  if (digest !== sha256)
    throw new Error(`its SHA-256 is ${digest}, but its publisher states ${sha256}. The file was deleted`);
}

/** Fetches JSON. @throws {Error} with a message for the user. */
export function fetchJson(url: string): Promise<unknown> {
  return withIdleLimit(url, async (signal) => (await fetchOk(url, signal)).json());
}

async function fetchOk(url: string, signal: AbortSignal): Promise<Response> {
  const response = await fetch(url, { signal });
  if (!response.ok) throw new Error(`${new URL(url).host} answered ${response.status}`);
  return response;
}

/** Gives up `work` when `onData` has not been called for a while. */
async function withIdleLimit<Result>(
  url: string,
  work: (signal: AbortSignal, onData: () => void) => Promise<Result>,
): Promise<Result> {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(), idleMsMax);
  try {
    return await work(controller.signal, () => timer.refresh());
  } catch (error) {
    if (controller.signal.aborted)
      throw new Error(`no data came from ${new URL(url).host} for ${idleMsMax / 1000} s`);
    throw new Error(describeError(error as NodeJS.ErrnoException, url));
  } finally {
    clearTimeout(timer);
  }
}

/** fetch hides the reason in `cause`. */
function describeError(error: NodeJS.ErrnoException, url: string): string {
  const cause = (error.cause ?? error) as NodeJS.ErrnoException;
  if (cause.code === 'ENOSPC') return 'the disk is full';
  if (error.message === 'fetch failed')
    return `there is no connection to ${new URL(url).host} (${cause.code ?? cause.message})`;
  return error.cause ? `the connection broke (${cause.message})` : error.message;
}

const barWidth = 30;

function createProgress({ name, size }: Download, terminal: Terminal): (bytes: number) => void {
  const megabytes = Math.ceil(size / 1e6);
  let shown = -1;
  return (bytes) => {
    const percent = Math.floor((100 * bytes) / size);
    const step = terminal.isTTY ? percent : Math.floor(percent / 25) * 25;
    if (step === shown) return;
    shown = step;
    const done = Math.round((barWidth * percent) / 100);
    const bar = `${'#'.repeat(done)}${'-'.repeat(barWidth - done)}`;
    terminal.write(
      terminal.isTTY
        ? `\r${name} [${bar}] ${percent} % of ${megabytes} MB${percent === 100 ? '\n' : ''}`
        : `${name}: ${step} % of ${megabytes} MB\n`,
    );
  };
}
