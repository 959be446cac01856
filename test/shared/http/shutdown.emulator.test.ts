/**
 * Shutdown of a server process: work in flight finishes or is refunded, and every request gets an answer.
 * One process goes through a whole drain of 8 s, and each test checks one effect.
 */
import { Agent, request as httpRequest } from 'node:http';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { cloudinaryFault } from '../../../local/fakes/cloudinaryFaults.ts';
import { type FakeGemini, startFakeGemini } from '../../../local/fakes/gemini.ts';
import { geminiFault } from '../../../local/fakes/geminiFaults.ts';
import { generationPath, hashGenerationId } from '../../../shared/generation/record.ts';
import { brokenInvariants, strayImages } from '../../support/invariants.ts';
import { getErrorInfo, getRefusal, type Reply } from '../../support/replies.ts';
import { runJob } from '../../support/scheduler.ts';
import { type ServerProcess, startServerProcesses } from '../../support/serverProcess.ts';
import { type Stack, startStack } from '../../support/stack.ts';

const origin = 'https://studio.example.com';
let stack: Stack;
let gemini: FakeGemini;
let processes: Awaited<ReturnType<typeof startServerProcesses>>;
/** Prompts for which the fake model waits until the test resolves them; it answers any other prompt at once. */
const waiting = new Map<string, PromiseWithResolvers<void>>();

beforeAll(async () => {
  gemini = await startFakeGemini({
    apiKey: 'test-gemini-key',
    onRequest: (request) => waiting.get(getPrompt(request))?.promise,
  });
  gemini.always(geminiFault.blank());
  stack = await startStack({ GOOGLE_GEMINI_BASE_URL: gemini.url });
  processes = await startServerProcesses(stack);
});
afterAll(async () => {
  await processes.close();
  await gemini.close();
  await stack.close();
});

/** Waits until `check` is true. */
const until = (check: () => Promise<boolean> | boolean) =>
  vi.waitFor(async () => expect(await check()).toBe(true), { timeout: 10_000, interval: 10 });
const getPrompt = ({ body }: { body: unknown }) =>
  (body as { contents: { parts: { text: string }[] }[] }).contents[0]?.parts[0]?.text ?? '';
const isGenerating = (prompt: string) => gemini.requests.some((request) => getPrompt(request) === prompt);
const start = (env: Record<string, string> = {}) =>
  processes.start({ GOOGLE_GEMINI_BASE_URL: gemini.url, ...env });

/** Requests an image from a process. The prompt is also the key. */
async function generate(
  { url }: ServerProcess,
  uid: string,
  prompt: string,
): Promise<Reply & { at: number }> {
  const response = await fetch(`${url}/generate`, {
    method: 'POST',
    headers: { ...createHeaders(uid), 'idempotency-key': prompt },
    body: JSON.stringify({ prompt, tier: 'premium2' }),
  });
  const { status, headers } = response;
  return { status, headers, body: await response.json(), at: performance.now() };
}

const createHeaders = (uid: string) => ({
  authorization: `Bearer ${processes.tokenFor(uid)}`,
  'content-type': 'application/json',
});

/** True if the process still accepts new connections. */
const accepts = ({ url }: ServerProcess) =>
  fetch(`${url}/health`, { headers: { connection: 'close' } }).then(
    () => true,
    () => false,
  );

/** A client that reuses one connection, as browsers and proxies do. */
function createKeepAliveClient({ url }: ServerProcess) {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const send = (path: string, headers: Record<string, string> = {}, body?: string) =>
    new Promise<Reply & { reused: boolean }>((resolve, reject) => {
      const method = body === undefined ? 'GET' : 'POST';
      const request = httpRequest(`${url}/${path}`, { agent, method, headers }, async (response) => {
        let text = '';
        for await (const chunk of response) text += chunk;
        resolve({
          status: response.statusCode ?? 0,
          headers: new Headers(response.headers as Record<string, string>),
          body: JSON.parse(text),
          reused: request.reusedSocket,
        });
      });
      request.on('error', reject);
      request.end(body);
    });
  return { send, close: () => agent.destroy() };
}

type Answer = Awaited<ReturnType<typeof generate>>;
type ReusedReply = Reply & { reused: boolean };

describe('a process that gets SIGTERM while it generates images', () => {
  const uids = ['ann', 'bob'];
  let server: ServerProcess;
  let signalledAt: number;
  let endedAt: number;
  let aliveAfterSecondSignal: boolean;
  let ended: Awaited<ServerProcess['ended']>;
  let finishing: Answer;
  let stuck: Answer[];
  let storing: Answer;
  let uploading: Reply;
  const reused: Record<string, ReusedReply> = {};

  beforeAll(async () => {
    for (const uid of uids) await stack.user(uid, 20);
    server = await start({ ALLOWED_ORIGINS: origin });
    for (const prompt of ['finishing', 'stuck 0', 'stuck 1']) waiting.set(prompt, Promise.withResolvers());
    const clients = ['generate', 'large', 'account', 'browser'].map(
      (name) => [name, createKeepAliveClient(server)] as const,
    );
    for (const [, client] of clients) expect((await client.send('health')).status).toBe(200);

    stack.cloudinary.script({ ...cloudinaryFault.hang(), action: 'upload' });
    const storingAnswer = generate(server, 'ann', 'storing');
    const uploads = () => stack.cloudinary.requests.filter(({ action }) => action === 'upload').length;
    await until(() => uploads() === 1);
    const finishingAnswer = generate(server, 'ann', 'finishing');
    const stuckAnswers = [generate(server, 'ann', 'stuck 0'), generate(server, 'bob', 'stuck 1')];
    for (const prompt of waiting.keys()) await until(() => isGenerating(prompt));
    const slowUpload = startUpload(server, 'bob');
    await slowUpload.started;

    server.signal('SIGTERM');
    signalledAt = performance.now();
    await until(async () => !(await accepts(server)));
    for (const [name, { send, close }] of clients) {
      const headers = {
        ...createHeaders('ann'),
        'idempotency-key': name,
        ...(name === 'browser' && { origin }),
      };
      const prompt = name === 'large' ? 'x'.repeat(50_000) : 'too late';
      const body = name === 'account' ? undefined : JSON.stringify({ prompt, tier: 'standard' });
      reused[name] = await send(name === 'account' ? 'account' : 'generate', headers, body);
      close();
    }
    server.signal('SIGTERM');
    server.signal('SIGINT');
    uploading = await slowUpload.finish();
    waiting.get('finishing')?.resolve();
    finishing = await finishingAnswer;
    aliveAfterSecondSignal = !server.isEnded();
    stuck = await Promise.all(stuckAnswers);
    storing = await storingAnswer;
    ended = await server.ended;
    endedAt = performance.now();
  }, 40_000);

  it('finishes images in time', async () => {
    expect(finishing.status).toBe(200);
    expect(finishing.body.receipt).toMatchObject({ charged: 2, refunded: 0 });
    expect((await fetch(finishing.body.generation.image.url)).status).toBe(200);
    expect(finishing.at - signalledAt).toBeLessThan(7_000);
  });

  it('serves a request whose body was still arriving', () => {
    expect([uploading.status, uploading.body.receipt.charged]).toEqual([200, 1]);
  });

  it('refunds images it cannot finish, and answers before Cloud Run kills it', () => {
    for (const { status, body, at } of stuck) {
      expect(getRefusal({ status, body } as Reply)).toEqual([503, 'SHUTTING_DOWN']);
      expect(body.error.status).toBe('UNAVAILABLE');
      expect(body.error.details[0].metadata.retry).toBe('new_key');
      expect(body.receipt).toMatchObject({ charged: 2, refunded: 2 });
      expect(at - signalledAt).toBeGreaterThan(5_000);
      expect(at - signalledAt).toBeLessThan(9_900);
    }
  });

  it('refunds an image during its upload, and leaves the image to the sweep', async () => {
    expect(getRefusal(storing)).toEqual([503, 'SHUTTING_DOWN']);
    expect(storing.body.receipt).toMatchObject({ charged: 2, refunded: 2 });
    expect(await stack.document(`outbox/${hashGenerationId('ann', 'storing')}`)).toBeDefined();
    expect(await strayImages(stack, uids)).toEqual([]);
  });

  it('leaves no generation pending and no credit lost', async () => {
    for (const uid of uids) {
      const { generations } = await stack.ledger(uid);
      expect(generations.map(({ status }) => status)).not.toContain('pending');
      expect(await brokenInvariants(stack, uid)).toEqual([]);
    }
    expect((await stack.ledger('ann')).account).toMatchObject({ balance: 18, settled: 18 });
    expect((await stack.ledger('bob')).account).toMatchObject({ balance: 19, settled: 19 });
  });

  it('stores its failures: another server repeats them for the same key', async () => {
    const user = await stack.user('bob');
    const again = await user.generate('stuck 1', { prompt: 'stuck 1', tier: 'premium2' });
    expect(getRefusal(again)).toEqual([503, 'SHUTTING_DOWN']);
    expect(again.headers.get('idempotent-replayed')).toBe('true');
    expect(again.body.receipt).toEqual(stuck[1]?.body.receipt);
    expect(getErrorInfo(again).metadata.retry).toBe('new_key');
  });

  it.each(['generate', 'account', 'large'])(
    'refuses a request (%s) on an open connection without a charge',
    async (name) => {
      const answer = reused[name] as ReusedReply;
      expect(answer.reused).toBe(true);
      expect(getRefusal(answer)).toEqual([503, 'SHUTTING_DOWN']);
      expect(getErrorInfo(answer).metadata.retry).toBe('same_key');
      expect(answer.headers.get('retry-after')).toMatch(/^[1-9]\d*$/);
      expect(answer.headers.get('connection')).toBe('close');
      expect(answer.body).not.toHaveProperty('receipt');
      expect(await stack.document(generationPath('ann', hashGenerationId('ann', name)))).toBeUndefined();
    },
  );

  it('lets a browser of an allowed origin read that answer', () => {
    expect(getRefusal(reused.browser as ReusedReply)).toEqual([503, 'SHUTTING_DOWN']);
    expect(reused.browser?.headers.get('access-control-allow-origin')).toBe(origin);
  });

  it('ignores a second signal, and exits with code 0 within the 10 s of Cloud Run', () => {
    expect(aliveAfterSecondSignal).toBe(true);
    expect(ended).toEqual({ code: 0, signal: null });
    expect(endedAt - signalledAt).toBeLessThan(10_000);
  });

  it('logs no error and no unhandled rejection', () => {
    expect(server.logs.filter(({ severity }) => severity === 'ERROR')).toEqual([]);
  });
});

/** Sends the headers of a request; `finish` sends its body. */
function startUpload({ url }: ServerProcess, uid: string) {
  const body = JSON.stringify({ prompt: 'slowly uploaded', tier: 'standard' });
  const headers = {
    ...createHeaders(uid),
    'idempotency-key': 'upload',
    'content-length': String(body.length),
  };
  const request = httpRequest(`${url}/generate`, {
    method: 'POST',
    headers: { ...headers, expect: '100-continue' },
  });
  const answer = new Promise<Reply>((resolve, reject) => {
    request.on('response', async (response) => {
      let text = '';
      for await (const chunk of response) text += chunk;
      resolve({ status: response.statusCode ?? 0, headers: new Headers(), body: JSON.parse(text) });
    });
    request.on('error', reject);
  });
  request.flushHeaders();
  return {
    /** Resolves when the server has the headers and asks for the body. */
    started: new Promise<void>((resolve) => request.once('continue', resolve)),
    finish() {
      request.end(body);
      return answer;
    },
  };
}

describe('an idle process', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)('exits at once with code 0 after %s', async (signal) => {
    const server = await start();
    const client = createKeepAliveClient(server);
    expect((await client.send('health')).status).toBe(200);
    const signalledAt = performance.now();
    server.signal(signal);
    expect(await server.ended).toEqual({ code: 0, signal: null });
    expect(performance.now() - signalledAt).toBeLessThan(4_000);
    client.close();
  });
});

describe('a process that is killed', () => {
  it('leaves its holds to the sweep, which refunds them, and the key answers EXPIRED', async () => {
    const user = await stack.user('killed', 20);
    waiting.set('killed', Promise.withResolvers());
    const server = await start();
    const answer = generate(server, 'killed', 'killed').catch(() => 'no answer');
    await until(() => isGenerating('killed'));
    server.signal('SIGKILL');
    expect(await answer).toBe('no answer');
    const path = generationPath('killed', hashGenerationId('killed', 'killed'));
    expect(await stack.document(path)).toMatchObject({ status: 'pending' });
    expect((await stack.ledger('killed')).account).toMatchObject({ balance: 18 });

    await stack.edit(path, { deadline: new Date(Date.now() - 1_000) });
    await runJob(stack, 'sweepHolds');
    expect(await stack.document(path)).toMatchObject({ status: 'refunded' });
    const again = await user.generate('killed', { prompt: 'killed', tier: 'premium2' });
    expect(getRefusal(again)).toEqual([410, 'EXPIRED']);
    expect((await stack.ledger('killed')).account).toMatchObject({ balance: 20, settled: 20 });
    expect(await brokenInvariants(stack, 'killed')).toEqual([]);
  });
});

describe('the shutdown of a server', () => {
  it('waits for the image in progress', async () => {
    const user = await stack.user('in-process', 20);
    waiting.set('in-process', Promise.withResolvers());
    const server = await stack.startServer();
    const answer = user.generate('in-process', { prompt: 'in-process' }, server.url);
    await until(() => isGenerating('in-process'));
    let done = false;
    const shutdown = server.shutdown().then(() => {
      done = true;
    });
    // A refused connection shows that the shutdown has started.
    await expect(fetch(`${server.url}/health`, { headers: { connection: 'close' } })).rejects.toThrow();
    expect(done).toBe(false);
    waiting.get('in-process')?.resolve();
    expect((await answer).status).toBe(200);
    await shutdown;
    expect(await brokenInvariants(stack, 'in-process')).toEqual([]);
  });
});

describe('a process that gets SIGTERM after a client disconnected', () => {
  it('still finishes the image of that client', async () => {
    const uid = 'gone';
    await (await stack.user(uid, 10)).get('account');
    const server = await start();
    const prompt = 'For a client that left';
    const gate = Promise.withResolvers<void>();
    waiting.set(prompt, gate);
    const client = new AbortController();
    const answer = fetch(`${server.url}/generate`, {
      method: 'POST',
      headers: { ...createHeaders(uid), 'idempotency-key': prompt },
      body: JSON.stringify({ prompt, tier: 'standard' }),
      signal: client.signal,
    }).catch(() => 'gone');
    await until(() => isGenerating(prompt));
    client.abort();
    expect(await answer).toBe('gone');
    server.signal('SIGTERM');
    await until(async () => !(await accepts(server)));
    gate.resolve();
    expect(await server.ended).toEqual({ code: 0, signal: null });
    const { generations } = await stack.ledger(uid);
    expect(generations).toMatchObject([{ status: 'succeeded' }]);
    expect(await brokenInvariants(stack, uid)).toEqual([]);
  });
});
