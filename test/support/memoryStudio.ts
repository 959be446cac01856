/**
 * The real functions in this process, on a database in memory, for the tests of a rule that crosses several parts.
 * Several studios may share one database, as several instances do.
 */
import { functions } from '../../functions/index.ts';
import type { Users } from '../../shared/auth/users.ts';
import { parseConfig } from '../../shared/config/config.ts';
import type { Generation, Report } from '../../shared/contract.ts';
import { createLog } from '../../shared/core/log.ts';
import type { Data, Database } from '../../shared/database/database.ts';
import type { HttpFunction } from '../../shared/http/endpoint.ts';
import type { Gemini } from '../../shared/imagegen/gemini.ts';
import type { GenerateImage } from '../../shared/imagegen/modelFallback.ts';
import type { ImageStore } from '../../shared/images/cloudinary.ts';
import type { StripeApi } from '../../shared/payments/stripe.ts';
import { createServices } from '../../shared/services.ts';
import { tokens, trustingAuth } from '../simulation/instance.ts';
import { createMemoryDatabase, createMemoryStore } from '../simulation/memoryDatabase.ts';
import { callHandler, type WireRequest } from '../simulation/wire.ts';
import { onePixelPng } from './pictures.ts';
import type { Reply } from './replies.ts';
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
  /** Gemini behind the real fallback between models. `imageGenerator` is then not used. */
  generateImage?: Gemini['generateImage'];
  /** The text model's part. */
  write?: Gemini['write'];
  stripe?: StripeApi;
  users?: Users;
  /** Replaces calls of the database. */
  faults?: (database: Database) => Partial<Database>;
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
    fetch: async () => onePixelPng,
    fetchSmaller: async () => onePixelPng,
    destroy: async (publicId: string) => assets.delete(publicId),
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
      ...(parts.stripe && { stripe: parts.stripe }),
      ...(parts.users && { users: parts.users }),
      ...((parts.write || parts.generateImage) && {
        gemini: { write: parts.write, generateImage: parts.generateImage } as Partial<Gemini> as Gemini,
      }),
      ...(!parts.generateImage && {
        async imageGenerator(...request) {
          generated += 1;
          return parts.imageGenerator ? parts.imageGenerator(...request) : image();
        },
      }),
    },
  );

  /** Calls any function, as the verified user ann unless `as` names somebody else. */
  async function send({ name, ...request }: Omit<WireRequest, 'as'> & { as?: string }) {
    const createHandler = await (functions[name as 'generate'] as () => Promise<HttpFunction>)();
    const handler = createHandler(services, name);
    const { status, headers, body } = await callHandler(handler, { name, as: 'user:ann', ...request });
    return { status, headers, body: body as Reply['body'] };
  }

  /** Calls a function; without a body it is a GET. */
  async function call(
    name: string,
    body?: object,
    more: { key?: string; as?: string; address?: string } = {},
  ) {
    const method: 'GET' | 'POST' = body ? 'POST' : 'GET';
    const { status, body: answer } = await send({ name, method, ...(body && { body }), ...more });
    return { status, body: answer as Answer };
  }

  const runJob = (name: string) => send({ name, method: 'POST', body: {}, as: tokens.scheduler });

  /** Sets fields of a document, as an admin does in the console; `removed` removes one. */
  function edit(path: string, data: Data): void {
    const [document] = store.read([path]).documents;
    store.commit([document ? { update: path, data, at: document.version } : { create: path, data }]);
  }
  const list = (collection: string) =>
    store.page({ collection, orderBy: [['__name__', 'asc']], limit: 100 }).documents;

  return {
    services,
    lines,
    call,
    send,
    get: (name: string, query: Record<string, string> = {}, as = 'user:ann') =>
      send({ name, method: 'GET', query, as }),
    runJob,
    edit,
    /** Sets fields of every document of a collection. */
    editEach(collection: string, data: Data) {
      for (const { path } of list(collection)) edit(path, data);
    },
    /** The fields of each line with this event. */
    findEvents: (event: string) => lines.filter((line) => line.event === event),
    /** The names under which images were stored. */
    stored,
    /** The names of the images that are in the store now. */
    assets,
    /** How many images the model was asked for. */
    generated: () => generated,
    generate: (key: string, more: object = {}) =>
      call('generate', { prompt: 'A banana', tier: 'standard', ...more }, { key }),
    enhance: () => call('enhance', { prompt: 'A banana' }),
    deleteGeneration: (id: string) => call('deleteGeneration', { id }),
    sweep: () => runJob('sweepHolds'),
    account: () => store.read(['accounts/ann']).documents[0]?.data,
    documents: (collection: string) => list(collection).map(({ data }) => data),
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
