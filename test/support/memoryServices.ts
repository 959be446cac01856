/** The real services on a database in memory, for tests of single functions without a network. */
import { functions } from '../../functions/index.ts';
import { parseConfig } from '../../shared/config/config.ts';
import { createLog } from '../../shared/core/log.ts';
import type { Database } from '../../shared/database/database.ts';
import type { HttpFunction } from '../../shared/http/endpoint.ts';
import type { ImageStore } from '../../shared/images/cloudinary.ts';
import type { StripeApi } from '../../shared/payments/stripe.ts';
import { createServices } from '../../shared/services.ts';
import { trustingAuth } from '../simulation/instance.ts';
import { createMemoryDatabase } from '../simulation/memoryDatabase.ts';
import { callHandler, type WireRequest } from '../simulation/wire.ts';
import { createMemoryWorld } from './memoryStudio.ts';
import { type Hooks, watchedDatabase } from './watchedDatabase.ts';

/** `hooks` run around the calls of the database. Every image that is deleted from the store was there. */
export function createMemoryServices({
  env = {},
  hooks = {},
  beforePage = () => {},
  stripe,
}: {
  env?: Record<string, string>;
  hooks?: Hooks;
  /** Called before each page of a query. */
  beforePage?: () => void;
  stripe?: StripeApi;
} = {}) {
  const world = createMemoryWorld();
  const lines: Record<string, unknown>[] = [];
  const memory = createMemoryDatabase(world.store);
  const watched = {
    ...memory,
    page(request: Parameters<Database['page']>[0]) {
      beforePage();
      return memory.page(request);
    },
  };
  const services = createServices(
    parseConfig({ GOOGLE_CLOUD_PROJECT: 'demo-memory', ...env }),
    createLog((line) => void lines.push(JSON.parse(line))),
    new AbortController().signal,
    {
      clock: world.clock,
      database: watchedDatabase(watched, hooks).database,
      auth: trustingAuth,
      ...(stripe && { stripe }),
      imageStore: { destroy: async () => true } as Partial<ImageStore> as ImageStore,
    },
  );
  return {
    ...world,
    services,
    lines,
    /** Calls an HTTP function. `as` is a token of the simulation. */
    async call(name: string, request: Omit<WireRequest, 'name' | 'method'>) {
      const create = await (functions[name] as () => Promise<HttpFunction>)();
      return callHandler(create(services, name), { name, method: create.spec.method, ...request });
    },
  };
}
