/**
 * The real functions in this process, on a database in memory, for the tests of a rule that crosses several parts.
 * Several studios may share one database, as several instances do.
 */
import { functions } from '../../functions/index.ts';
import { parseConfig } from '../../shared/config/config.ts';
import { createLog } from '../../shared/core/log.ts';
import type { Database } from '../../shared/database/database.ts';
import type { HttpFunction } from '../../shared/http/endpoint.ts';
import type { Gemini } from '../../shared/imagegen/gemini.ts';
import type { GenerateImage } from '../../shared/imagegen/modelFallback.ts';
import type { ImageStore } from '../../shared/images/cloudinary.ts';
import { createServices } from '../../shared/services.ts';
import { tokens, trustingAuth } from '../simulation/instance.ts';
import { createMemoryDatabase, createMemoryStore } from '../simulation/memoryDatabase.ts';
import { callHandler } from '../simulation/wire.ts';
import { virtualClock } from './virtualClock.ts';

/** What several studios share: a database, and one time for all. */
export function createMemoryWorld() {
  const time = virtualClock({ startsAt: Date.parse('2026-01-01T00:00:00Z') });
  return { ...time, store: createMemoryStore(time.clock.now) };
}

/** What a fake model returns; each call of it is one image that the provider bills. */
export const image = () => ({
  mimeType: 'image/png' as const,
  width: 1024,
  height: 1024,
  bytes: 3,
  chunks: [new Uint8Array(3)],
  model: 'model',
  providerCostMicros: 39_000,
});

export function createMemoryStudio({
  world = createMemoryWorld(),
  env = {},
  ...parts
}: {
  world?: ReturnType<typeof createMemoryWorld>;
  env?: Record<string, string>;
  imageGenerator?: GenerateImage;
  imageStore?: Partial<ImageStore>;
  /** The text model's part. */
  write?: Gemini['write'];
  /** Replaces calls of the database. */
  faults?: (database: Database) => Partial<Database>;
}) {
  const { clock, store } = world;
  const lines: Record<string, unknown>[] = [];
  const stored: string[] = [];
  let generated = 0;
  const config = parseConfig({ GOOGLE_CLOUD_PROJECT: 'demo-memory', SIGNUP_CREDITS: '100', ...env });
  const imageStore = {
    async store(publicId: string) {
      stored.push(publicId);
      return { url: `https://images.example/${publicId}`, thumbnailUrl: 'https://images.example/small' };
    },
    destroy: async () => true,
    ...parts.imageStore,
  } as Partial<ImageStore> as ImageStore;
  const database = createMemoryDatabase(store);
  const services = createServices(
    config,
    createLog((line) => void lines.push(JSON.parse(line))),
    new AbortController().signal,
    {
      clock,
      database: { ...database, ...parts.faults?.(database) },
      auth: trustingAuth,
      imageStore,
      ...(parts.write && { gemini: { write: parts.write } as Partial<Gemini> as Gemini }),
      async imageGenerator(...request) {
        generated += 1;
        return parts.imageGenerator ? parts.imageGenerator(...request) : image();
      },
    },
  );

  async function call(
    name: 'generate' | 'enhance' | 'deleteGeneration' | 'sweepHolds',
    body: object,
    key?: string,
  ) {
    const createHandler = await (functions[name] as () => Promise<HttpFunction>)();
    const as = name === 'sweepHolds' ? tokens.scheduler : 'user:ann';
    const request = { name, method: 'POST' as const, as, body, ...(key && { key }) };
    const { status, body: answer } = await callHandler(createHandler(services, name), request);
    return { status, body: answer as Answer };
  }

  return {
    services,
    lines,
    /** The names under which images were stored. */
    stored,
    /** How many images the model was asked for. */
    generated: () => generated,
    generate: (key: string, more: object = {}) =>
      call('generate', { prompt: 'A banana', tier: 'standard', ...more }, key),
    enhance: () => call('enhance', { prompt: 'A banana' }),
    deleteGeneration: (id: string) => call('deleteGeneration', { id }),
    sweep: () => call('sweepHolds', {}),
    account: () => store.read(['accounts/ann']).documents[0]?.data,
    documents: (collection: string) =>
      store
        .page({ collection, orderBy: [['__name__', 'asc']], limit: 100 })
        .documents.map(({ data }) => data),
  };
}

type Answer = {
  generation: { id: string; cached: boolean };
  receipt?: { charged: number; refunded: number; balance: number };
  error: { message: string; details: { reason: string; metadata: Record<string, string> }[] };
};

/** HTTP status and reason of an answer; the reason of a success is undefined. */
export const toOutcome = ({ status, body }: { status: number; body: Answer }) => [
  status,
  body.error?.details[0]?.reason,
];
