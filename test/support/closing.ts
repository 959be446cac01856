/** What tests of closings share: a person with something in every place, and what is left of them afterwards. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Users } from '../../shared/auth/users.ts';
import type { Data } from '../../shared/database/database.ts';
import { parseErasure } from '../../shared/erasures/erasureLog.ts';
import { Failure } from '../../shared/errors.ts';
import { hashGenerationId } from '../../shared/generation/record.ts';
import type { StripeApi } from '../../shared/payments/stripe.ts';
import { tokens } from '../simulation/instance.ts';
import { createMemoryStudio, createMemoryWorld, image } from './memoryStudio.ts';

type Faults = Parameters<typeof createMemoryStudio>[0]['faults'];

/** A word that is in every text of a person, and nowhere else. */
export const canary = 'canarybird';

/** The folders of all erasure logs, which are deleted at the end of the process. */
const folders = mkdtempSync(join(tmpdir(), 'nano-banana-erasures-'));
process.once('exit', () => rmSync(folders, { recursive: true, force: true }));

/** A folder for an erasure log. */
export function createErasureFolder() {
  const folder = mkdtempSync(join(folders, 'log-'));
  return {
    url: pathToFileURL(folder).href,
    /** The erasures in the log, oldest first. */
    list: () =>
      readdirSync(folder)
        .sort()
        .map((name) => parseErasure(name)),
  };
}

/** Everything that is stored, by path, and the images in the store. */
export function createClosingWorld(env: Record<string, string> = {}) {
  const world = createMemoryWorld();
  const documents = new Map<string, Data>();
  const images = new Set<string>();
  const users = { deleted: [] as string[], down: false };
  /** The customers that were deleted at Stripe. */
  const customers: string[] = [];
  const log = createErasureFolder();
  world.store.watch((changes) => {
    for (const { path, after } of changes) {
      if (after) documents.set(path, after);
      else documents.delete(path);
    }
  });
  const fakeUsers: Users = {
    findByEmail: async () => [],
    lookUp: async (uids) =>
      uids
        .filter((uid) => !users.deleted.includes(uid))
        .map((uid) => ({ uid, disabled: false, signedOutBefore: 0, admin: false })),
    async remove(uid) {
      if (users.down) throw new Failure('AUTH_UNAVAILABLE', 'Down.', { retryAfterSeconds: 5 });
      if (!users.deleted.includes(uid)) users.deleted.push(uid);
    },
  };

  /** One instance of the studio. Several share the database and the image store. */
  function start({
    faults,
    imageGenerator = async () => ({ ...image(), thoughtSignature: canary }),
  }: {
    faults?: Faults;
    imageGenerator?: () => Promise<ReturnType<typeof image>>;
  } = {}) {
    const studio = createMemoryStudio({
      world,
      env: {
        SIGNUP_CREDITS: '10',
        CACHE_TTL_SECONDS: '3600',
        ERASURE_LOG_BUCKET: log.url,
        STRIPE_SECRET_KEY: 'sk_test_1',
        ...env,
      },
      users: fakeUsers,
      stripe: {
        findCustomers: async () => [],
        deleteCustomer: async (id) => void customers.push(id),
      } as Partial<StripeApi> as StripeApi,
      ...(faults && { faults }),
      async imageGenerator(request) {
        if (JSON.stringify(request).includes('blocked')) {
          throw new Failure('CONTENT_BLOCKED', `The model says: ${canary}`, {
            metadata: { finishReason: 'SAFETY' },
          });
        }
        return imageGenerator();
      },
      imageStore: {
        async store(publicId) {
          images.add(publicId);
          const url = `https://images.example/${publicId}`;
          return { url, thumbnailUrl: url };
        },
        destroy: async (publicId) => images.delete(publicId),
      },
      write: async () => ({
        text: JSON.stringify({ prompt: `A better ${canary}`, ok: true }),
        finishReason: 'STOP',
        providerCostMicros: 7,
        usage: undefined as never,
      }),
    });
    return {
      ...studio,
      close: (confirm: unknown = 'CLOSE', as = 'user:ann') =>
        studio.send({ name: 'closeAccount', method: 'POST', body: { confirm }, as }),
    };
  }
  return { world, documents, images, users, customers, log, start };
}

export type ClosingWorld = ReturnType<typeof createClosingWorld>;
export type ClosingStudio = ReturnType<ClosingWorld['start']>;

/** Gives ann something in every place: an image with a twin, a refund, a better prompt, a grant, a note, a suspension. */
export async function fillPerson({ generate, send, edit, call, runJob }: ClosingStudio): Promise<void> {
  await generate('maker', { prompt: `A ${canary}` });
  await generate('twin', { prompt: `A ${canary}` });
  await generate('enhanced', { prompt: `Another ${canary}`, enhance: true, group: canary });
  await generate('refused', { prompt: `A blocked ${canary}`, originalPrompt: canary });
  await call('enhance', { prompt: `A ${canary}` });
  const shared = await send({
    name: 'share',
    method: 'POST',
    body: { id: hashGenerationId('ann', 'enhanced'), shared: true },
  });
  const token = String(shared.body.generation?.shareUrl).split('/').at(-1);
  const report = { token, reason: 'personal', details: `It shows ${canary}.` };
  await send({ name: 'report', method: 'POST', as: 'nobody', body: report });
  const root = tokens.admin('root');
  const grant = { uid: 'ann', amount: 5, reason: `for ${canary}` };
  await send({ name: 'grant', method: 'POST', as: root, body: grant, key: 'grant' });
  await generate('removed', { prompt: `A third ${canary}` });
  const generationId = hashGenerationId('ann', 'removed');
  const removal = { uid: 'ann', generationId, reason: `shows ${canary}` };
  await send({ name: 'takedown', method: 'POST', as: root, body: removal });
  edit('accounts/ann', { customers: ['cus_1', 'cus_2'] });
  edit('accounts/ann', { balance: 30, note: `a note about ${canary}` });
  await runJob('reconcile');
  for (const suspended of [true, false]) {
    const body = { uid: 'ann', suspended, reason: `about ${canary}` };
    await send({ name: 'suspend', method: 'POST', as: root, body });
  }
  edit('accounts/ann', { email: `${canary}@example.com`, nickname: canary, note: canary });
  edit('accounts/ann/entries/signup', { actor: `ann (${canary}@example.com)` });
}

/** The paths of documents with the canary. */
export const findCanary = (documents: ReadonlyMap<string, Data>): string[] =>
  [...documents].flatMap(([path, data]) => (JSON.stringify(data).includes(canary) ? [path] : []));
