/**
 * The real functions in this process, on a database in memory, for the tests of a rule that crosses several parts.
 * Several studios may share one database, as several instances do.
 */
import { functions } from '../../functions/index.ts';
import { parseConfig } from '../../shared/config/config.ts';
import type { Generation, Report } from '../../shared/contract.ts';
import { createLog } from '../../shared/core/log.ts';
import type { Database } from '../../shared/database/database.ts';
import type { HttpFunction } from '../../shared/http/endpoint.ts';
import type { Gemini } from '../../shared/imagegen/gemini.ts';
import type { GenerateImage } from '../../shared/imagegen/modelFallback.ts';
import type { ImageStore } from '../../shared/images/cloudinary.ts';
import { createServices } from '../../shared/services.ts';
import { trustingAuth } from '../simulation/instance.ts';
import { createMemoryDatabase, createMemoryStore } from '../simulation/memoryDatabase.ts';
import { callHandler, type WireRequest } from '../simulation/wire.ts';
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
  /** Calls of the database that behave otherwise. */
  database?: (real: Database) => Partial<Database>;
  /** The text model's part. */
  write?: Gemini['write'];
}) {
  const { clock, store } = world;
  const lines: Record<string, unknown>[] = [];
  const stored: string[] = [];
  const assets = new Set<string>();
  let generated = 0;
  const config = parseConfig({ GOOGLE_CLOUD_PROJECT: 'demo-memory', SIGNUP_CREDITS: '100', ...env });
  const imageStore = {
    async store(publicId: string) {
      stored.push(publicId);
      assets.add(publicId);
      return { url: `https://images.example/${publicId}`, thumbnailUrl: 'https://images.example/small' };
    },
    fetch: async (url: string) => Buffer.from(url),
    destroy: async (publicId: string) => assets.delete(publicId),
    ...parts.imageStore,
  } as Partial<ImageStore> as ImageStore;
  const services = createServices(
    config,
    createLog((line) => void lines.push(JSON.parse(line))),
    new AbortController().signal,
    {
      clock,
      database: { ...createMemoryDatabase(store), ...parts.database?.(createMemoryDatabase(store)) },
      auth: trustingAuth,
      imageStore,
      ...(parts.write && { gemini: { write: parts.write } as Partial<Gemini> as Gemini }),
      async imageGenerator(...request) {
        generated += 1;
        return parts.imageGenerator ? parts.imageGenerator(...request) : image();
      },
    },
  );

  async function send(request: WireRequest) {
    const createHandler = await (functions[request.name] as () => Promise<HttpFunction>)();
    const { status, headers, body } = await callHandler(createHandler(services, request.name), request);
    return { status, headers, body: body as Answer };
  }

  type CallOptions = { key?: string; as?: string; address?: string };
  async function call(name: string, body: object, { key, as = 'user:ann', address }: CallOptions = {}) {
    const request = {
      name,
      method: 'POST' as const,
      as,
      body,
      ...(key && { key }),
      ...(address && { address }),
    };
    const { headers: _, ...answer } = await send(request);
    return answer;
  }

  return {
    services,
    lines,
    /** The names under which images were stored. */
    stored,
    /** The names of the images that are in the store now. */
    assets,
    /** Any call of a function. */
    call,
    get: (name: string, query: Record<string, string> = {}, as = 'user:ann') =>
      send({ name, method: 'GET', as, query }),
    /** How many images the model was asked for. */
    generated: () => generated,
    generate: (key: string, more: object = {}) =>
      call('generate', { prompt: 'A banana', tier: 'standard', ...more }, { key }),
    deleteGeneration: (id: string) => call('deleteGeneration', { id }),
    account: () => store.read(['accounts/ann']).documents[0]?.data,
    documents: (collection: string) =>
      store
        .page({ collection, orderBy: [['__name__', 'asc']], limit: 100 })
        .documents.map(({ data }) => data),
  };
}

type Answer = {
  generation: Generation;
  receipt?: { charged: number; refunded: number; balance: number };
  reports: Report[];
  nextPageToken?: string;
  report: Report;
  error: {
    message: string;
    details: { reason: string; metadata: Record<string, string>; fieldViolations?: { field: string }[] }[];
  };
};

/** HTTP status and reason of an answer; the reason of a success is undefined. */
export const toOutcome = ({ status, body }: { status: number; body: Answer }) => [
  status,
  body.error?.details[0]?.reason,
];
