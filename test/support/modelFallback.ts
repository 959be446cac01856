/** What tests of the model fallback share: servers with three models, on a virtual clock, before a fake Gemini. */
import { afterAll, afterEach, beforeEach, expect } from 'vitest';
import { type FakeGemini, startFakeGemini } from '../../local/fakes/gemini.ts';
import { type GeminiStep, geminiFault, googleError } from '../../local/fakes/geminiFaults.ts';
import { getErrorInfo, type Reply } from './replies.ts';
import { type Stack, startStack } from './stack.ts';
import { virtualClock } from './virtualClock.ts';

/** The three models, in the order in which a server calls them. */
export const [first, second, third] = [
  'gemini-2.5-flash-image',
  'gemini-nano-banana-2.1',
  'gemini-3.1-flash-lite-image',
] as const;
export const image = geminiFault.blank();
export const noFallback = { IMAGEGEN_FALLBACK_MODEL_IDS: '' };
const minuteMs = 60_000;

export const repeat = (count: number, id: string) => Array.from({ length: count }, () => id);
export const replyWith = (
  code: number,
  status: string,
  headers: Record<string, string> = {},
): GeminiStep => ({ kind: 'reply', ...googleError(code, status, 'Something.'), headers });

type Ledger = Awaited<ReturnType<Stack['ledger']>>;

/** A refusal before any debit: no receipt, no entry but the console's, and the key may be used again. */
export function expectNothingMoved(reply: Reply, { account, entries, generations }: Ledger): void {
  expect(reply.body).not.toHaveProperty('receipt');
  expect(getErrorInfo(reply).metadata.retry).toBe('same_key');
  expect([account.balance, entries.map(({ type }) => type), generations]).toEqual([10, ['adjustment'], []]);
}

/** Starts and ends what the tests of a file need. Each test has its own Gemini and its own clock. */
export async function useModelFallback() {
  const stack = await startStack();
  const servers: { close: () => Promise<void> }[] = [];
  const world = {
    stack,
    gemini: undefined as unknown as FakeGemini,
    time: virtualClock(),
    /** What the next call to a model does before it is answered. */
    duringNextCall: undefined as (() => Promise<unknown>) | undefined,

    /** A server with three models, three calls to each, a minute for all, and the virtual clock. Returns its URL. */
    async startServer(
      env: Record<string, string> = {},
      database: Stack['database'] = stack.database,
    ): Promise<string> {
      const server = await stack.startServer(
        {
          GOOGLE_GEMINI_BASE_URL: world.gemini.url,
          IMAGEGEN_FALLBACK_MODEL_IDS: `${second},${third}`,
          RETRY_ATTEMPTS: '3',
          RETRY_BASE_DELAY_MS: '1000',
          GENERATE_TIMEOUT_MS: String(minuteMs),
          ...env,
        },
        { clock: world.time.clock, database: { ...database, close: async () => {} } },
      );
      servers.push(server);
      return server.url;
    },

    /** Has a new user generate an image. */
    generate: async (url: string, body: object = {}) =>
      (await stack.newUser()).generate('key', { ...body }, url),
    /** The models that were called, in order. */
    getCalls: () => world.gemini.requests.map(({ model }) => model),
    getState: (id: string) => stack.document(`quota/${id}`),
  };
  beforeEach(async () => {
    world.time = virtualClock();
    world.duringNextCall = undefined;
    world.gemini = await startFakeGemini({
      apiKey: 'test-gemini-key',
      async onRequest() {
        const act = world.duringNextCall;
        world.duringNextCall = undefined;
        await act?.();
      },
    });
    world.gemini.always(image);
  });
  afterEach(async () => {
    await Promise.all(servers.splice(0).map((server) => server.close()));
    await world.gemini.close();
    await stack.database.commit(['all', first, second, third].map((id) => ({ delete: `quota/${id}` })));
  });
  afterAll(() => stack.close());
  return world;
}
