/** A server instance of a history: the real functions on the shared database, with its own ledger and queues. */
import { functions } from '../../functions/index.ts';
import type { Auth, Credentials } from '../../shared/auth/auth.ts';
import { parseConfig } from '../../shared/config/config.ts';
import type { Clock } from '../../shared/core/clock.ts';
import type { Fields, Log } from '../../shared/core/log.ts';
import type { Database } from '../../shared/database/database.ts';
import { Failure } from '../../shared/errors.ts';
import type { EventHandler, Handler } from '../../shared/http/endpoint.ts';
import type { FunctionModule } from '../../shared/http/server.ts';
import { createServices, type Services } from '../../shared/services.ts';
import { createFaultyDatabase, type FaultRates } from './faults.ts';
import type { MemoryStore } from './memoryDatabase.ts';
import type { SimulatedStripe } from './stripe.ts';
import { createImageGenerator, createImageStore, type Images } from './upstreams.ts';
import { callHandler, type WireAnswer, type WireRequest } from './wire.ts';
import type { Actor, World } from './world.ts';

export type Instance = {
  actor: Actor;
  /** True if it has this function. */
  has(name: string): boolean;
  /** Never resolves if the instance dies meanwhile. */
  call(request: WireRequest): Promise<WireAnswer>;
  /** Delivers an event. Rejects if it must be delivered again. */
  deliver: EventHandler;
  /** Shuts the instance down, which refunds generations in flight. */
  shutDown(): void;
};

/** Starts an instance and loads all of its functions. */
export type StartInstance = (environment: Environment, name: string) => Promise<Instance>;

/** What the instances of one history share. */
export type Environment = {
  world: World;
  faultRates: FaultRates;
  store: MemoryStore;
  images: Images;
  stripe: SimulatedStripe;
  env: Record<string, string>;
  /** Receives every line that the ledger logs of an entry. */
  observeLog(instance: string, fields: Fields): void;
};

/**
 * Tokens that name their caller: `user:ada`, `user:eve:unverified`, `admin:root` or `scheduler`. The identities of a verified
 * user may follow, such as `user:ada2:mail+phone`; by default it is one, named as the uid. `new<old` has the name `old` too, by
 * an older key.
 */
export const tokens = {
  user: (uid: string, verified: boolean, person = '') =>
    `user:${uid}${verified ? person && `:${person}` : ':unverified'}`,
  admin: (name: string) => `admin:${name}`,
  scheduler: 'scheduler',
};

const splitToken = ({ authorization }: Credentials) =>
  (authorization ?? '').replace(/^Bearer /, '').split(':');

/** Always a moment ago. */
const signedInAt = new Date(Date.UTC(3000, 0, 1));

/** Trusts every token. */
export const trustingAuth: Auth = {
  async user(credentials) {
    const [kind, uid = '', person = uid] = splitToken(credentials);
    if (kind !== 'user') throw new Failure('UNAUTHENTICATED', 'Not a user.');
    if (person === 'unverified')
      return { uid, email: undefined, verified: false, identities: [], signedInAt };
    const identities = person.split('+').map((name) => name.split('<') as [string, ...string[]]);
    return { uid, email: `${uid}@example.com`, verified: true, identities, signedInAt };
  },
  async admin(credentials) {
    const [kind, actor = ''] = splitToken(credentials);
    if (kind !== 'admin') throw new Failure('FORBIDDEN', 'Not an admin.');
    return { actor, uid: actor };
  },
  async scheduler(credentials) {
    if (splitToken(credentials)[0] !== 'scheduler') throw new Failure('FORBIDDEN', 'Not the scheduler.');
  },
};

export const createActor = (name: string): Actor => ({ name, dead: false, stoppedUntil: 0, silentUntil: 0 });

/** The clock of an instance. Machines disagree about the time. */
export function createClock(world: World, actor: Actor): Clock {
  const skewMs = world.random.pick([0, 0, -20_000, 20_000]);
  return {
    now: () => world.now() + skewMs,
    elapsed: world.now,
    pause: (milliseconds: number) => world.sleep(milliseconds, actor),
    random: world.random.next,
  };
}

/** Loads functions before the first request, because an import takes a turn of the real event loop. */
export async function loadFunctions(
  functions: Record<string, FunctionModule>,
  services: Services,
): Promise<Pick<Instance, 'has' | 'call' | 'deliver'>> {
  const handlers = new Map<string, Handler>();
  let deliver: EventHandler = async () => {};
  for (const [functionName, module] of Object.entries(functions)) {
    if ('event' in module) deliver = (await module.event())(services, functionName);
    else handlers.set(functionName, (await module())(services, functionName));
  }
  return {
    has: (name) => handlers.has(name),
    call(request) {
      const handler = handlers.get(request.name);
      if (!handler) throw new Error(`There is no function ${request.name}`);
      return callHandler(handler, request);
    },
    deliver,
  };
}

/** An instance of today's code. */
export const startInstance: StartInstance = async (environment, name) => {
  const { world, faultRates, store, images, stripe, env } = environment;
  const actor = createActor(name);
  const end = new AbortController();
  const clock = createClock(world, actor);
  const database: Database = createFaultyDatabase(world, faultRates, store, actor);
  const services = createServices(
    parseConfig({ GOOGLE_CLOUD_PROJECT: 'demo-history', ...env }),
    createTracingLog(environment, actor),
    end.signal,
    {
      clock,
      database,
      auth: trustingAuth,
      imageGenerator: createImageGenerator(world, faultRates, actor),
      imageStore: createImageStore(world, faultRates, actor, images),
      stripe: stripe.createApi(faultRates, actor),
    },
  );
  // As the functions are, loaded before the first request.
  await Promise.all([
    services.ledger(),
    services.auth(),
    services.imageGenerator(),
    services.imageStore(),
    services.payments(),
  ]);
  return {
    actor,
    ...(await loadFunctions(functions, services)),
    shutDown: () => end.abort(new Failure('SHUTTING_DOWN', 'The server is being replaced.')),
  };
};

/** Log messages about work that is left for later. Only a database fault justifies them. */
const postponedWork = /^(A refund failed|A job could not|A document could not)/;

/** A log that adds warnings and errors to the trace. */
function createTracingLog({ world, faultRates, observeLog }: Environment, actor: Actor): Log {
  return {
    info(message, fields) {
      if (fields && message.startsWith('credits: ')) observeLog(actor.name, fields);
    },
    warning: (message) => world.happened(`log: ${message.replace(/^.*: /, '')}`),
    error: (message, { error } = {}) => {
      const isUndisturbed = world.now() >= faultRates.undisturbedFrom && actor.stoppedUntil === 0;
      world.check(
        !isUndisturbed || !postponedWork.test(message),
        'an undisturbed call does not fail',
        () => message,
      );
      const details = () => `${actor.name} ${error instanceof Error ? error.stack : error}`;
      world.happened(`log: ${message}`, details);
    },
  };
}
