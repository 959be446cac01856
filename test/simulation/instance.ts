/** A server instance of a history: the real functions on the shared database, with books and queues of its own. */
import { functions } from '../../functions/index.ts';
import type { Auth, Credentials } from '../../shared/auth.ts';
import { parseConfig } from '../../shared/config/config.ts';
import type { Fields, Log } from '../../shared/core/log.ts';
import type { Database } from '../../shared/database/database.ts';
import { Failure } from '../../shared/errors.ts';
import type { EventHandler, Handler } from '../../shared/http/endpoint.ts';
import { createServices } from '../../shared/services.ts';
import { databaseThrough, type Weather } from './faults.ts';
import type { MemoryStore } from './memoryDatabase.ts';
import { type Images, imageStoreIn, painterIn } from './upstreams.ts';
import { callHandler, type WireAnswer, type WireRequest } from './wire.ts';
import type { Actor, World } from './world.ts';

export type Instance = {
  actor: Actor;
  /** Never resolves where the instance dies meanwhile. */
  call(request: WireRequest): Promise<WireAnswer>;
  /** Delivers an event; rejects where it wants it again. */
  deliver: EventHandler;
  /** Tells it to end: what is in flight is refunded. */
  shutDown(): void;
};

/** What the instances of one history share. */
export type Ground = {
  world: World;
  weather: Weather;
  store: MemoryStore;
  images: Images;
  env: Record<string, string>;
  /** Receives every line that the ledger logs of an entry. */
  observeLog(instance: string, fields: Fields): void;
};

/** Who a token says: `user:ada`, `user:eve:unverified`, `admin:root` or `scheduler`. */
export const tokens = {
  user: (uid: string, verified: boolean) => `user:${uid}${verified ? '' : ':unverified'}`,
  admin: (name: string) => `admin:${name}`,
  scheduler: 'scheduler',
};

const partsOf = ({ authorization }: Credentials) => (authorization ?? '').replace(/^Bearer /, '').split(':');

/** Trusts whoever says who they are. */
export const trustingAuth: Auth = {
  async user(credentials) {
    const [kind, uid = '', verified] = partsOf(credentials);
    if (kind !== 'user') throw new Failure('UNAUTHENTICATED', 'Not a user.');
    return { uid, email: `${uid}@example.com`, verified: verified === undefined };
  },
  async admin(credentials) {
    const [kind, actor = ''] = partsOf(credentials);
    if (kind !== 'admin') throw new Failure('FORBIDDEN', 'Not an admin.');
    return { actor, uid: actor };
  },
  async scheduler(credentials) {
    if (partsOf(credentials)[0] !== 'scheduler') throw new Failure('FORBIDDEN', 'Not the scheduler.');
  },
};

/** An instance that has loaded all of its functions. */
export async function startInstance(ground: Ground, name: string): Promise<Instance> {
  const { world, weather, store, images, env } = ground;
  const actor: Actor = { name, dead: false, stoppedUntil: 0 };
  const end = new AbortController();
  // Machines disagree about the time.
  const skewMs = world.random.pick([0, 0, -20_000, 20_000]);
  const clock = {
    now: () => world.now() + skewMs,
    elapsed: world.now,
    pause: (milliseconds: number) => world.sleep(milliseconds, actor),
    random: world.random.next,
  };
  const database: Database = databaseThrough(world, weather, store, actor);
  const studio = createServices(
    parseConfig({ GOOGLE_CLOUD_PROJECT: 'demo-history', ...env }),
    logInto(ground, actor),
    end.signal,
    {
      clock,
      database,
      auth: trustingAuth,
      imageGenerator: painterIn(world, weather, actor),
      imageStore: imageStoreIn(world, weather, actor, images),
    },
  );
  // Loaded before its first request: an import takes a turn of the machine's own event loop.
  await Promise.all([studio.ledger(), studio.auth(), studio.imageGenerator(), studio.imageStore()]);
  const handlers = new Map<string, Handler>();
  let deliver: EventHandler = async () => {};
  for (const [functionName, module] of Object.entries(functions)) {
    if ('event' in module) deliver = (await module.event())(studio, functionName);
    else handlers.set(functionName, (await module())(studio, functionName));
  }
  return {
    actor,
    call(request) {
      const handler = handlers.get(request.name);
      if (!handler) throw new Error(`There is no function ${request.name}`);
      return callHandler(handler, request);
    },
    deliver,
    shutDown: () => end.abort(new Failure('SHUTTING_DOWN', 'The server is being replaced.')),
  };
}

/** What is logged of work that failed and is left for later: only trouble with the database is a reason. */
const leftForLater = /^(A refund failed|A job could not|A document could not)/;

/** Keeps the errors of a log in the trace; the rest tells nothing that is not there already. */
function logInto({ world, weather, observeLog }: Ground, actor: Actor): Log {
  return {
    info(message, fields) {
      if (fields && message.startsWith('credits: ')) observeLog(actor.name, fields);
    },
    warning: (message) => world.happened(`log: ${message.replace(/^.*: /, '')}`),
    error: (message, { error } = {}) => {
      const isCalm = world.now() >= weather.calmFrom && actor.stoppedUntil === 0;
      world.check(!isCalm || !leftForLater.test(message), 'without trouble there is none', () => message);
      const particulars = () => `${actor.name} ${error instanceof Error ? error.stack : error}`;
      world.happened(`log: ${message}`, particulars);
    },
  };
}
