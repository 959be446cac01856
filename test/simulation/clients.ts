/** Users: they ask for images, ask again as the answer tells them, look, and delete. */
import { type Asked, judgeGenerate, read, type Said, statusesSince } from './answers.ts';
import type { Fleet } from './fleet.ts';
import { tokens } from './instance.ts';
import type { Model } from './model.ts';
import { adjustable, type Body } from './seen.ts';

export type User = { uid: string; verified: boolean };

/** One call of `generate` that some user wants to see through. */
export type ImageRequest = Asked & { user: User; said?: Said };

export type Clients = {
  /** Asks until it is settled, at most so many times. Resolves with what was said last, if anything was. */
  ask(imageRequest: ImageRequest, triesMax: number, patienceMs?: number): Promise<Said | undefined>;
  look(user: User, key: string): Promise<void>;
  erase(user: User, key: string): Promise<void>;
  getOrCreateAccount(user: User): Promise<boolean>;
  /** All pages of a user's entries, or images. */
  leafThrough(user: User, name: 'ledger' | 'gallery'): Promise<{ id: string }[]>;
};

type Page = { entries?: { id: string }[]; generations?: { id: string }[]; nextPageToken?: string };

/** Whether asking again with the same key would tell nothing new. */
export const isSettled = (said: Said | undefined) => said !== undefined && said.retry !== 'same_key';

/** A body, or with another variant one that differs from it in one thing alone. */
export function bodyOf(variant: number, tier: string): Body {
  const other = { standard: 'premium2', premium2: 'premium4', premium4: 'standard' }[tier] ?? 'standard';
  return {
    prompt: variant === 1 ? 'an apple' : 'a banana',
    tier: variant === 2 ? other : tier,
    orientation: variant === 3 ? 'portrait' : 'landscape',
    fresh: variant === 4,
  };
}

/** The users of a history; `finals` keeps the last word on each generation. */
export function createClients(fleet: Fleet, model: Model, finals: Map<string, string>): Clients {
  const { world } = model;
  const { random, check } = world;
  const tokenOf = ({ uid, verified }: User) => tokens.user(uid, verified);

  return {
    async ask(imageRequest, triesMax, patienceMs) {
      const { user, key, body } = imageRequest;
      for (let i = 0; i < triesMax; i += 1) {
        let said: Said | undefined;
        const request = { name: 'generate', method: 'POST' as const, as: tokenOf(user), body, key };
        const judge: Parameters<Fleet['send']>[1] = (answer, startTick, startedAt) => {
          said = judgeGenerate(model, finals, imageRequest, answer, startTick, startedAt);
        };
        const answer = await fleet.send(request, judge, patienceMs);
        if (!answer) world.happened('client: no answer');
        // Of several that ask at once, what one has learned for good another's doubt does not undo.
        if (answer && said && (isSettled(said) || !isSettled(imageRequest.said))) imageRequest.said = said;
        if (answer && isSettled(said)) return said;
        const seconds = Number(answer?.headers['retry-after'] ?? 1);
        await world.sleep(seconds * 1_000 + random.whole(0, 20_000) * Math.min(i, 3));
      }
      return imageRequest.said;
    },

    async look(user, key) {
      const request = { name: 'generation', method: 'GET' as const, as: tokenOf(user), query: { key } };
      await fleet.send(request, ({ status, body }, startTick, startedAt) => {
        const found = model.generationAsked(user.uid, key);
        if (status === 503) return;
        const statuses = found ? statusesSince(found, startTick) : [];
        const about = () => `${user.uid} ${key}: ${status} ${JSON.stringify(body)}`;
        if (status === 404) {
          const wasThere = found && (found.history[0]?.tick ?? 0) <= startTick;
          return check(!wasThere, 'what is told of a generation is true', about);
        }
        const shown = (body as { generation?: { id: string; status: string } }).generation;
        check(status === 200 && shown !== undefined, 'no other answer', about);
        const isTrue = shown?.id === found?.id && statuses.includes(shown?.status ?? '');
        check(isTrue, 'what is told of a generation is true', about);
        const isLate = shown?.status === 'pending' && (found?.deadline ?? 0) <= startedAt;
        check(!isLate, 'nobody waits past a deadline', about);
      });
    },

    async erase(user, key) {
      const before = model.generationAsked(user.uid, key);
      const id = before?.id ?? '0'.repeat(32);
      const request = { name: 'deleteGeneration', method: 'POST' as const, as: tokenOf(user), body: { id } };
      await fleet.send(request, (answer, startTick) => {
        const found = model.generations.get(id);
        const about = () => `${user.uid} ${id}: ${JSON.stringify(answer.body)}`;
        if (answer.status === 200) {
          const { generation } = answer.body as { generation: { status: string; prompt: unknown } };
          const isGone = found?.erased === true && ['deleted', 'refunded'].includes(found.status);
          check(isGone && generation.prompt === null, 'a deletion deletes', about);
          return check(generation.status === found?.status, 'what is told of a generation is true', about);
        }
        const { reason } = read(model, answer);
        const wasPending = found && statusesSince(found, startTick).includes('pending');
        if (reason === 'IN_PROGRESS')
          check(Boolean(wasPending), 'nobody is told to wait for what has ended', about);
        else if (reason === 'NOT_FOUND') check(!found, 'what is told of a generation is true', about);
        else check(reason === 'DATABASE_UNAVAILABLE', 'no other answer', about);
      });
    },

    async getOrCreateAccount(user) {
      let isOpen = false;
      const request = { name: 'account', method: 'GET' as const, as: tokenOf(user) };
      await fleet.send(request, (answer, startTick) => {
        const moments = model.since(user.uid, startTick);
        const about = () => `${user.uid}: ${JSON.stringify(answer.body)}`;
        if (answer.status !== 200) {
          const { reason } = read(model, answer);
          const wasInvalid = moments.some(
            (moment) =>
              moment.shown === undefined || (moment.adjust !== undefined && adjustable(moment) === undefined),
          );
          if (reason === 'ACCOUNT_INVALID') check(wasInvalid, 'a refusal has its reason', about);
          else check(reason === 'DATABASE_UNAVAILABLE', 'no other answer', about);
          return;
        }
        isOpen = true;
        const { account } = answer.body as { account: { balance: number; sequence: number } };
        const had = moments.some((moment) => moment.shown === account.balance);
        check(had, 'an account shows what it had', about);
        const { entries } = model.account(user.uid);
        const entry = entries[account.sequence - 1];
        check((entry?.balance ?? 0) === account.balance, 'a balance shown is an entry of the ledger', about);
      });
      return isOpen;
    },

    async leafThrough(user, name) {
      const items: { id: string }[] = [];
      let pageToken: string | undefined;
      do {
        const query = { pageSize: '3', ...(pageToken && { pageToken }) };
        const request = { name, method: 'GET' as const, as: tokenOf(user), query };
        const answer = await fleet.send(request, () => {});
        check(answer?.status === 200, 'no other answer', () => `${name}: ${JSON.stringify(answer?.body)}`);
        const page = answer?.body as Page | undefined;
        items.push(...(page?.entries ?? page?.generations ?? []));
        pageToken = page?.nextPageToken;
      } while (pageToken);
      return items;
    },
  };
}
