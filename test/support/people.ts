/** What tests of people share: users in memory, several accounts of one person, the console and its events. */
import { functions } from '../../functions/index.ts';
import type { EventHandler } from '../../shared/http/endpoint.ts';
import type { Services } from '../../shared/services.ts';
import { tokens } from '../simulation/instance.ts';
import { accountEvent } from '../simulation/wire.ts';
import { createMemoryStudio, createMemoryWorld } from './memoryStudio.ts';

type Options = Omit<NonNullable<Parameters<typeof createMemoryStudio>[0]>, 'env'>;

/** A studio with 10 signup credits. A caller is a token of the simulation, such as `user:ann:google+phone`. */
export function createPeople(env: Record<string, string> = {}, options: Options = {}) {
  const { world = createMemoryWorld() } = options;
  const studio = createMemoryStudio({ ...options, world, env: { SIGNUP_CREDITS: '10', ...env } });
  const call = (name: string, as: string, body?: object, key?: string) =>
    studio.send({ name, as, method: body ? 'POST' : 'GET', ...(body && { body }), ...(key && { key }) });
  const document = (path: string) => world.store.read([path]).documents[0]?.data;

  /** Delivers the event of a write that left an account with these fields. */
  async function deliver(uid: string, after: Record<string, unknown> | undefined) {
    const event = accountEvent(uid, { before: undefined, after }, 'admin@example.com');
    const { event: load } = functions.accountWritten as {
      event: () => Promise<(services: Services, name: string) => EventHandler>;
    };
    await (await load())(studio.services, 'accountWritten')(event);
  }

  return {
    services: studio.services,
    lines: studio.lines,
    advance: world.advance,
    runJob: studio.runJob,
    edit: studio.edit,
    documents: studio.documents,
    document,
    call,
    remove: (path: string) => void world.store.commit([{ delete: path }]),
    account: async (as: string) => (await call('account', as)).body.account,
    generate: (as: string, key: string) =>
      call('generate', as, { prompt: 'A banana', tier: 'standard' }, key),
    enhance: (as: string) => call('enhance', as, { prompt: 'A banana' }),
    suspend: (uid: string, suspended: boolean, reason = 'abuse') =>
      call('suspend', tokens.admin('root'), { uid, suspended, reason }),
    deliver,
    /** Sets fields of an account in the console, and delivers the event of that. */
    async editDelivered(uid: string, fields: Record<string, unknown>) {
      const path = `accounts/${uid}`;
      studio.edit(path, fields);
      await deliver(uid, document(path));
    },
  };
}
