/** Users: they request images, retry as the reply advises, read and delete. */
import { type Call, checkGenerate, isInvalid, type Outcome, parseAnswer, statusesSince } from './answers.ts';
import type { Search } from './favourites.ts';
import type { Fleet } from './fleet.ts';
import { tokens } from './instance.ts';
import type { Model } from './model.ts';
import type { Body } from './observed.ts';

/** `person` lists the identities, as in a token. */
export type User = { uid: string; verified: boolean; person?: string };

/** One request to `generate` that a user repeats until it is settled. `outcome` is the last reply. */
export type ImageRequest = Call & { user: User; outcome?: Outcome };

export type Clients = {
  /** Sends the request until it is settled, at most `triesMax` times. Resolves with the last reply, if any. */
  ask(imageRequest: ImageRequest, triesMax: number, patienceMs?: number): Promise<Outcome | undefined>;
  readGeneration(user: User, key: string): Promise<void>;
  deleteGeneration(user: User, key: string): Promise<void>;
  getOrCreateAccount(user: User): Promise<boolean>;
  closeAccount(user: User): Promise<void>;
  /** All pages of a user's entries or images. */
  readAllPages(user: User, name: 'ledger' | 'gallery', search?: Search): Promise<{ id: string }[]>;
};

type Page = { entries?: { id: string }[]; generations?: { id: string }[]; nextPageToken?: string };

/** True if repeating the request with the same key gives the same reply. */
export const isSettled = (outcome: Outcome | undefined) =>
  outcome !== undefined && outcome.retry !== 'same_key';

/** A request body. Every variant but 0 differs from it in one field. */
export function createBody(variant: number, tier: string, resolution = '1K'): Body {
  const larger = { '1K': '2K', '2K': '4K', '4K': '1K' }[resolution] ?? '1K';
  const chosen = variant === 5 ? larger : resolution;
  const other = { standard: 'premium2', premium2: 'premium4', premium4: 'standard' }[tier] ?? 'standard';
  return {
    prompt: variant === 1 ? 'an apple' : 'a banana',
    tier: variant === 2 ? other : tier,
    orientation: variant === 3 ? 'portrait' : 'landscape',
    fresh: variant === 4,
    ...(chosen !== '1K' && { resolution: chosen }),
  };
}

/** The users of a history. `finals` keeps the final reply of each generation. */
export function createClients(fleet: Fleet, model: Model, finals: Map<string, string>): Clients {
  const { world } = model;
  const { random, check } = world;
  const getToken = ({ uid, verified, person }: User) => tokens.user(uid, verified, person);

  return {
    async ask(imageRequest, triesMax, patienceMs) {
      const { user, key, body } = imageRequest;
      for (let i = 0; i < triesMax; i += 1) {
        let outcome: Outcome | undefined;
        const request = { name: 'generate', method: 'POST' as const, as: getToken(user), body, key };
        const checkReply: Parameters<Fleet['send']>[1] = (answer, startTick, startedAt) => {
          outcome = checkGenerate(model, finals, imageRequest, answer, startTick, startedAt);
        };
        const answer = await fleet.send(request, checkReply, patienceMs);
        if (!answer) world.happened('client: no reply');
        // Of several concurrent calls, a settled reply is not replaced by an unsettled one.
        if (answer && outcome && (isSettled(outcome) || !isSettled(imageRequest.outcome)))
          imageRequest.outcome = outcome;
        if (answer && isSettled(outcome)) return outcome;
        const seconds = Number(answer?.headers['retry-after'] ?? 1);
        await world.sleep(seconds * 1_000 + random.whole(0, 20_000) * Math.min(i, 3));
      }
      return imageRequest.outcome;
    },

    async readGeneration(user, key) {
      const request = { name: 'generation', method: 'GET' as const, as: getToken(user), query: { key } };
      await fleet.send(request, ({ status, body }, startTick, startedAt) => {
        const found = model.findGeneration(user.uid, key);
        if (status === 503) return;
        const statuses = found ? statusesSince(found, startTick) : [];
        const describe = () => `${user.uid} ${key}: ${status} ${JSON.stringify(body)}`;
        if (status === 404) {
          const wasThere = found && !found.removed && (found.history[0]?.tick ?? 0) <= startTick;
          return check(!wasThere, 'a reply about a generation is true', describe);
        }
        const shown = (body as { generation?: { id: string; status: string } }).generation;
        check(status === 200 && shown !== undefined, 'no other reply', describe);
        const isTrue = shown?.id === found?.id && statuses.includes(shown?.status ?? '');
        check(isTrue, 'a reply about a generation is true', describe);
        const isLate = shown?.status === 'pending' && (found?.deadline ?? 0) <= startedAt;
        check(!isLate, 'no client waits past a deadline', describe);
      });
    },

    async deleteGeneration(user, key) {
      const before = model.findGeneration(user.uid, key);
      const id = before?.id ?? '0'.repeat(32);
      const request = { name: 'deleteGeneration', method: 'POST' as const, as: getToken(user), body: { id } };
      await fleet.send(request, (answer, startTick) => {
        const found = model.generations.get(id);
        const describe = () => `${user.uid} ${id}: ${JSON.stringify(answer.body)}`;
        if (answer.status === 200) {
          const { generation } = answer.body as { generation: { status: string; prompt: unknown } };
          const isGone = found?.erased === true && ['deleted', 'refunded'].includes(found.status);
          check(isGone && generation.prompt === null, 'a deletion removes image and prompt', describe);
          return check(generation.status === found?.status, 'a reply about a generation is true', describe);
        }
        const { reason } = parseAnswer(model, answer);
        const wasPending = found && statusesSince(found, startTick).includes('pending');
        if (reason === 'IN_PROGRESS')
          check(Boolean(wasPending), 'no client waits for a generation that has ended', describe);
        else if (reason === 'NOT_FOUND')
          check(!found || found.removed, 'a reply about a generation is true', describe);
        else check(reason === 'DATABASE_UNAVAILABLE', 'no other reply', describe);
      });
    },

    async getOrCreateAccount(user) {
      let isOpen = false;
      const request = { name: 'account', method: 'GET' as const, as: getToken(user) };
      await fleet.send(request, (answer, startTick) => {
        const moments = model.since(user.uid, startTick);
        const describe = () => `${user.uid}: ${JSON.stringify(answer.body)}`;
        if (answer.status !== 200) {
          const { reason } = parseAnswer(model, answer);
          if (reason === 'ACCOUNT_INVALID')
            check(moments.some(isInvalid), 'a refusal is justified', describe);
          else check(reason === 'DATABASE_UNAVAILABLE', 'no other reply', describe);
          return;
        }
        isOpen = true;
        const { account } = answer.body as { account: { balance: number; sequence: number } };
        const hadBalance = moments.some((moment) => moment.shown === account.balance);
        check(hadBalance, 'an account shows a balance that it had', describe);
        const { entries } = model.account(user.uid);
        const entry = entries[account.sequence - 1];
        check((entry?.balance ?? 0) === account.balance, 'a shown balance is that of an entry', describe);
      });
      return isOpen;
    },

    async closeAccount(user) {
      const body = { confirm: 'CLOSE' };
      const request = { name: 'closeAccount', method: 'POST' as const, as: getToken(user), body };
      await fleet.send(request, (answer, startTick) => {
        const describe = () => `${user.uid}: ${JSON.stringify(answer.body)}`;
        if (answer.status === 503) return;
        const { status } = answer.body as { status?: string };
        check(status === 'closing' || status === 'closed', 'no other reply', describe);
        const closure = model.closures.get(user.uid);
        check(closure !== undefined && closure.status !== 'open', 'a closing begins', describe);
        check(status !== 'closed' || closure?.status === 'closed', 'a closing is finished', describe);
        const wasOpen = model.since(user.uid, startTick).every(({ closed }) => !closed);
        check(!wasOpen, 'an account closes before the answer', describe);
      });
    },

    async readAllPages(user, name, search) {
      const items: { id: string }[] = [];
      let pageToken: string | undefined;
      do {
        const query = { pageSize: '3', ...search, ...(pageToken && { pageToken }) };
        const request = { name, method: 'GET' as const, as: getToken(user), query };
        const answer = await fleet.send(request, () => {});
        check(answer?.status === 200, 'no other reply', () => `${name}: ${JSON.stringify(answer?.body)}`);
        const page = answer?.body as Page | undefined;
        items.push(...(page?.entries ?? page?.generations ?? []));
        pageToken = page?.nextPageToken;
      } while (pageToken);
      return items;
    },
  };
}
