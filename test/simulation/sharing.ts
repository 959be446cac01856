/** Users who make images public and private again, and an admin who removes some. */
import { parseAnswer, statusesSince } from './answers.ts';
import type { User } from './clients.ts';
import type { Fleet } from './fleet.ts';
import { tokens } from './instance.ts';
import type { Model } from './model.ts';

export type Sharing = ReturnType<typeof createSharing>;

/** Failures that leave the image as it was, or public all the same. */
const shareFailures = ['STORAGE_ERROR', 'PROVIDER_TIMEOUT', 'SHUTTING_DOWN', 'DATABASE_UNAVAILABLE'];
const unknownId = '0'.repeat(32);

type Shown = { generation: { status: string; shareUrl?: string; removedBy?: string; prompt: unknown } };

/** The calls about shares of a history. */
export function createSharing(fleet: Fleet, model: Model) {
  const { check } = model.world;

  return {
    async share({ uid, verified, person }: User, key: string, shared: boolean): Promise<void> {
      const id = model.findGeneration(uid, key)?.id ?? unknownId;
      const as = tokens.user(uid, verified, person);
      await fleet.send({ name: 'share', method: 'POST', as, body: { id, shared } }, (answer, startTick) => {
        const describe = () => `${uid} ${id} ${shared}: ${JSON.stringify(answer.body)}`;
        const found = model.generations.get(id);
        if (answer.status === 200) {
          const token = (answer.body as Shown).generation.shareUrl?.split('/').at(-1);
          const moments = found?.shareTokens ?? [];
          const current = Math.max(
            0,
            moments.findLastIndex(({ tick }) => tick <= startTick),
          );
          const since = moments.slice(current).map((one) => one.token);
          check((token !== undefined) === shared, 'a share is as it was asked for', describe);
          return check(since.includes(token), 'a share was as the reply says', describe);
        }
        const { reason } = parseAnswer(model, answer);
        const statuses = found ? statusesSince(found, startTick) : [];
        const wasMissing = !found || found.removed || statuses.some((status) => status !== 'succeeded');
        if (reason === 'NOT_FOUND') return check(wasMissing, 'a refusal is justified', describe);
        if (reason === 'ACCOUNT_CLOSED') {
          const wasClosed = model.since(uid, startTick).some(({ closed }) => closed);
          return check(shared && wasClosed, 'a refusal is justified', describe);
        }
        // Calls that wait for a stopped instance arrive all at once.
        if (reason === 'RATE_LIMITED') return;
        const mayFail = shared ? shareFailures : ['DATABASE_UNAVAILABLE'];
        check(mayFail.includes(reason), 'no other reply', describe);
      });
    },

    async takeDown({ uid }: User, key: string): Promise<void> {
      const generationId = model.findGeneration(uid, key)?.id ?? unknownId;
      const body = { uid, generationId, reason: 'a rule' };
      const request = { name: 'takedown', method: 'POST' as const, as: tokens.admin('root'), body };
      await fleet.send(request, (answer, startTick) => {
        const describe = () => `${uid} ${generationId}: ${JSON.stringify(answer.body)}`;
        const found = model.generations.get(generationId);
        if (answer.status === 200) {
          const { generation } = answer.body as Shown;
          const isGone = generation.status === 'deleted' && generation.prompt === null;
          // A twin or a share may outlive a document that an admin has deleted.
          const isMarked = found?.isTakenDown === true || found?.removed === true;
          return check(isGone && isMarked, 'a take-down removes image and prompt', describe);
        }
        const { reason } = parseAnswer(model, answer);
        const statuses = found ? statusesSince(found, startTick) : [];
        if (reason === 'IN_PROGRESS')
          return check(statuses.includes('pending'), 'a refusal is justified', describe);
        if (reason === 'NOT_FOUND') {
          const wasMissing = !found || found.removed || statuses.includes('refunded');
          return check(wasMissing, 'a refusal is justified', describe);
        }
        check(reason === 'DATABASE_UNAVAILABLE', 'no other reply', describe);
      });
    },
  };
}
