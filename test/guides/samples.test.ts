/** The code in docs/guides works with the real functions, and the guides show exactly this code. */
import { execFile } from 'node:child_process';
import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { h, render } from 'preact';
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import type { GenerateInput, Receipt } from '../../shared/contract.ts';
import { reasons } from '../../shared/errorReasons.ts';
import { ApiError, createClient } from '../../web/client.ts';
import { startCuttingProxy } from '../support/cuttingProxy.ts';
import { brokenInvariants } from '../support/invariants.ts';
import { type GatedGemini, startGatedGemini } from '../support/modelGate.ts';
import { type Stack, startStack } from '../support/stack.ts';
import { generate } from './plainFetch.ts';
import { useGenerate } from './useGenerate.tsx';
import { createUserClient, creditsSentence, findByKey, pickLatest } from './withClient.ts';

const request: GenerateInput = { prompt: 'A banana on the moon', tier: 'premium2' };
let stack: Stack;
let gemini: GatedGemini;
let proxy: Awaited<ReturnType<typeof startCuttingProxy>>;

beforeAll(async () => {
  gemini = await startGatedGemini();
  stack = await startStack({ GOOGLE_GEMINI_BASE_URL: gemini.url });
  proxy = await startCuttingProxy(stack.url);
});
afterAll(async () => {
  await proxy.close();
  await stack.close();
  await gemini.close();
});
afterEach(() => void vi.unstubAllGlobals());

const catchError = (promise: Promise<unknown>) => promise.catch((error: unknown) => error);

async function expectChargedOnce(uid: string) {
  expect((await stack.ledger(uid)).entries.map(({ type }) => type)).toEqual(['adjustment', 'debit']);
  expect(await brokenInvariants(stack, uid)).toEqual([]);
}

describe('the client', () => {
  test('uses a Firebase user, and finds a generation by its key', async () => {
    const { token } = await stack.user('firebase', 10);
    const client = createUserClient({ getIdToken: async () => token }, stack.url);
    const { generation } = await client.generate(request, { key: 'kept' });
    expect(await findByKey(client, 'kept')).toEqual(generation);
    expect(await findByKey(client, 'never asked')).toBeUndefined();
  });

  test('shows the balance with the highest sequence', () => {
    const [older, newer] = [
      { balance: 9, sequence: 1 },
      { balance: 7, sequence: 2 },
    ];
    expect([undefined, older, newer].map((current) => pickLatest(current, older))).toEqual([
      older,
      older,
      newer,
    ]);
    expect(pickLatest(older, newer)).toBe(newer);
  });

  const receipt = (charged: number, refunded: number) => ({ charged, refunded, balance: 1, sequence: 1 });
  test.each<[string, string, number, Receipt?]>([
    ['You were not charged.', 'no', 402],
    ['Your 2 credits are back.', 'new_key', 422, receipt(2, 2)],
    ['It has cost 2 credits.', 'no', 410, receipt(2, 0)],
    ['Nothing is settled yet.', 'same_key', 409, receipt(2, 0)],
    ['Nothing is settled yet.', 'no', 401],
  ])('%s (%s, %i)', (sentence, retry, code, of) => {
    const error = new ApiError('', { code, reason: '', retry: retry as 'no', receipt: of });
    expect(creditsSentence(error)).toBe(sentence);
  });
});

describe('plain fetch', () => {
  test('charges once over a broken connection', async () => {
    const { token } = await stack.user('plain', 10);
    proxy.cut('midAnswer');
    const answer = await generate(proxy.url, async () => token, 'key', request);
    expect(answer.receipt).toMatchObject({ charged: 2, balance: 8 });
    await expectChargedOnce('plain');
  });

  test('throws a refusal', async () => {
    const { token } = await stack.user('plain-poor', 1);
    expect(await catchError(generate(stack.url, async () => token, 'key', request))).toMatchObject({
      reason: 'INSUFFICIENT_CREDITS',
      retry: 'no',
    });
  });
});

test('curl charges once over a broken connection, and shows and deletes the image', async () => {
  const { token } = await stack.user('curl', 10);
  const cwd = mkdtempSync(join(tmpdir(), 'guide-'));
  onTestFinished(() => rmSync(cwd, { recursive: true }));
  const env = { PATH: process.env.PATH, BASE: proxy.url, TOKEN: token, KEY: 'first-image' };
  // The second call is `generate`.
  proxy.cut(undefined, 'midAnswer');
  const script = resolve('test/guides/curl.sh');
  const { stdout } = await promisify(execFile)('sh', [script], { cwd, env });
  const answers = stdout.split(/(?<=\})(?=\{"[a-z])/).map((text) => JSON.parse(text));
  expect(answers).toMatchObject([
    { account: { balance: 10 } },
    { receipt: { charged: 2, balance: 8 } },
    { generation: { status: 'succeeded', orientation: 'portrait' } },
    { generations: [{ status: 'succeeded' }] },
    { entries: [{ type: 'debit' }, { type: 'adjustment' }] },
    { generation: { status: 'deleted' } },
  ]);
});

describe('the hook', () => {
  /** A page that only exposes what the hook returned last. */
  function mount(client: ReturnType<typeof createClient>, uid: string) {
    const page = { childNodes: [], firstChild: null } as unknown as Element;
    const receipts: Receipt[] = [];
    let hook: ReturnType<typeof useGenerate> | undefined;
    const Probe = () => {
      hook = useGenerate(client, uid, (receipt) => receipts.push(receipt));
      return null;
    };
    render(h(Probe, {}), page);
    const current = () => hook ?? expect.unreachable('the hook was not rendered');
    return { receipts, current, unmount: () => render(null, page) };
  }

  function stubLocalStorage() {
    const kept = new Map<string, string>();
    vi.stubGlobal('localStorage', {
      getItem: (name: string) => kept.get(name) ?? null,
      setItem: (name: string, value: string) => kept.set(name, value),
      removeItem: (name: string) => kept.delete(name),
    });
    return kept;
  }

  const clientFor = (token: string) =>
    createClient({ baseUrl: proxy.url, token: async () => token, sleep: async () => {} });
  const until = (page: ReturnType<typeof mount>, phase: string) =>
    vi.waitFor(() => expect(page.current().image.phase).toBe(phase), { timeout: 10_000, interval: 5 });

  test('a page that was closed while it waited finds its image when it opens again', async () => {
    const kept = stubLocalStorage();
    const { token } = await stack.user('hook', 10);
    proxy.cut('midAnswer');
    const [waiting, left] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const stuck = createClient({
      baseUrl: proxy.url,
      token: async () => token,
      sleep(_, signal) {
        signal?.addEventListener('abort', () => left.resolve());
        waiting.resolve();
        return left.promise;
      },
    });
    const first = mount(stuck, 'hook');
    first.current().generate(request);
    await waiting.promise;
    first.unmount();
    await left.promise;
    expect(kept.size).toBe(1);

    const second = mount(clientFor(token), 'hook');
    await until(second, 'done');
    expect(second.receipts).toMatchObject([{ charged: 2, balance: 8 }]);
    expect(kept.size).toBe(0);
    await expectChargedOnce('hook');
  });

  test('repeats an open request with its key', async () => {
    const kept = stubLocalStorage();
    const { token } = await stack.user('hook-open', 10);
    const page = mount(clientFor(token), 'hook-open');
    proxy.cut('midAnswer', 'before', 'before', 'before', 'before');
    page.current().generate(request);
    await until(page, 'failed');
    expect(page.current().image).toMatchObject({ isOpen: true, error: { reason: 'UNREACHABLE' } });
    expect(kept.size).toBe(1);
    page.current().retry();
    await until(page, 'done');
    await expectChargedOnce('hook-open');
  });

  test('forgets a request that failed for good', async () => {
    const kept = stubLocalStorage();
    const { token } = await stack.user('hook-poor', 1);
    const page = mount(clientFor(token), 'hook-poor');
    page.current().generate(request);
    await until(page, 'failed');
    expect(page.current().image).toMatchObject({ isOpen: false, error: { code: 402 } });
    expect(kept.size).toBe(0);
  });
});

describe('the client guide', () => {
  const guide = readFileSync('docs/guides/client.md', 'utf8');
  const samples = globSync('test/guides/*', { exclude: ['**/*.test.ts'] });

  test.each(samples.map((path) => [basename(path), path]))('shows %s unchanged', (_, path) => {
    const blocks = [...guide.matchAll(/^```(?:ts|tsx|sh)\n(.*?)^```$/gms)].map(([, code]) => code);
    expect(blocks).toContain(readFileSync(path, 'utf8'));
    expect(blocks).toHaveLength(samples.length);
  });

  test('explains every reason', () => {
    const rows = [...guide.matchAll(/^\| (.+?) \|/gm)].flatMap(
      ([, cell = '']) => cell.match(/[A-Z_]{4,}/g) ?? [],
    );
    expect(rows.sort()).toEqual([...Object.keys(reasons), 'UNKNOWN', 'UNREACHABLE'].sort());
  });
});
