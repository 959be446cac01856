/** The studio removes an image everywhere. The credits stay as they are. */
import type { TakedownRequest } from '../contract/reports.ts';
import { recordAdminAction } from '../database/adminActions.ts';
import { type FieldUpdates, setDocument, updateDocument, type Write } from '../database/database.ts';
import { recordErasure } from '../erasures/erasures.ts';
import { Failure } from '../errors.ts';
import { cachePath, findTwins, type ShownImage } from '../generation/cache.ts';
import { eraseWords } from '../generation/deleteGeneration.ts';
import {
  clearOutboxItem,
  createOutboxItem,
  type OutboxItem,
  outboxPath,
  parseOutboxItem,
  toOutboxItem,
} from '../generation/outbox.ts';
import {
  findGeneration,
  type GenerationData,
  type GenerationRecord,
  generationPath,
} from '../generation/record.ts';
import { endShare } from '../generation/shares.ts';
import { hashImage, type TakedownData, takedownPath } from '../generation/takedowns.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Services } from '../services.ts';

/** Longest time for reading an image to hash it, milliseconds. */
const hashMsMax = 10_000;

/**
 * Removes an image: its generation and all that show the same image become `deleted`, their words are erased, their
 * shares end, and the hash of the image is kept. All of that is one commit. An image that its user has deleted is marked,
 * too. May be repeated: then it deletes what is left in the store.
 * @throws {Failure} NOT_FOUND unless there is or was a finished image; IN_PROGRESS; DATABASE_UNAVAILABLE.
 */
export async function takeDown(
  services: Services,
  request: TakedownRequest,
  actor: string,
): Promise<GenerationRecord> {
  const ledger = await services.ledger();
  const imageHash = await findImageHash(services, ledger, request);
  const { record, outboxItems } = await removeImage(ledger, request, actor, imageHash);
  for (const item of outboxItems) await clearOutboxItem(ledger, services.imageStore, item, item.createdAt);
  return record;
}

/** The hash in the document. An image from before there were hashes is read from the store. */
async function findImageHash(
  { imageStore, shutdown }: Services,
  { database, retryCommit, log }: Ledger,
  { uid, generationId }: TakedownRequest,
): Promise<string | undefined> {
  const { record } = await retryCommit(undefined, () => findGeneration(database, uid, generationId));
  if (!record?.image || record.imageHash) return record?.imageHash;
  try {
    const images = await imageStore();
    return hashImage([await images.fetch(record.image.url, hashMsMax, shutdown)]);
  } catch (error) {
    // The image goes all the same. It could come back as a reference only.
    log.warning('The hash of a removed image is not known', { uid, generationId, error });
    return undefined;
  }
}

type Removal = { record: GenerationRecord; outboxItems: OutboxItem[] };

/**
 * The commit of a take-down.
 * @param knownHash the hash of the image, if its document lacks it.
 * @throws {Failure} NOT_FOUND, IN_PROGRESS, DATABASE_UNAVAILABLE.
 */
export function removeImage(
  ledger: Ledger,
  { uid, generationId, reason }: TakedownRequest,
  actor: string,
  knownHash?: string,
): Promise<Removal> {
  const { database, retryCommit } = ledger;
  return retryCommit(undefined, async () => {
    const { record, readTime: now } = await findGeneration(database, uid, generationId);
    if (record?.status === 'pending') {
      throw new Failure('IN_PROGRESS', 'This image is still being generated.', {
        retryAfterSeconds: 2,
        metadata: { generationId },
      });
    }
    if (!record || record.status === 'refunded') {
      throw new Failure('NOT_FOUND', 'There is no such image.');
    }
    if (record.removedBy) return { record, outboxItems: await findOutboxItems(ledger, record) };
    const imageHash = record.imageHash ?? knownHash;
    const { maker, twins } = await findTwins(ledger, record);
    const shown = [...twins, ...(maker ? [maker] : []), record].filter(
      ({ status }) => status === 'succeeded',
    );
    const all = [...new Map([...shown, record].map((one) => [one.id, one])).values()];
    const shares = new Map(all.map((one) => [one.id, endShare(one, now)]));
    const removal = (one: ShownImage) => ({
      ...eraseWords(one),
      ...shares.get(one.id)?.own,
      ...(one.id === maker?.id && { sharers: [] }),
      status: 'deleted' as const,
      removedBy: 'studio' as const,
      removedReason: reason,
    });
    // The maker may be deleted, but still lists who shows its image. A new twin would change the list.
    const isMakerApart = maker !== undefined && !all.some(({ id }) => id === maker.id);
    const image = shown.length > 0 ? [toOutboxItem({ ...(maker ?? record), status: 'deleted' }, now)] : [];
    const writes: Write[] = [
      ...all.map((one) => updateGeneration(one, removal(one))),
      ...(isMakerApart ? [updateGeneration(maker, { sharers: [] })] : []),
      ...[...new Set(all.flatMap(({ cacheKey }) => cacheKey ?? []))].map((key) => ({
        delete: cachePath(key),
      })),
      ...[...shares.values()].flatMap((share) => share.writes),
      ...image.map(createOutboxItem),
      ...(imageHash ? [keepHash(imageHash, { uid, generationId, reason, createdAt: now })] : []),
      // The generation that made the image, too: a backup may be older than its twin.
      ...[...new Set([generationId, record.imageOwner ?? generationId])].map((id) =>
        recordErasure({ kind: 'takedown', uid, generationId: id, ...(imageHash && { imageHash }), at: now }),
      ),
      recordAdminAction(generationId, {
        action: 'takedown',
        actor,
        uid,
        generationId,
        reason,
        createdAt: now,
      }),
    ];
    const version = await database.commit(writes);
    const copies = [...shares.values()].flatMap(({ outboxItems }) => outboxItems);
    return { record: { ...record, ...removal(record), version }, outboxItems: [...image, ...copies] };
  });
}

const keepHash = (imageHash: string, data: TakedownData): Write => setDocument(takedownPath(imageHash), data);

/**
 * Keeps the hash of a removed image that is not in the database, so that no request can use it as a reference. May be repeated.
 * @throws {Failure} DATABASE_UNAVAILABLE.
 */
export function keepRemovedHash(
  { database, retryCommit }: Ledger,
  imageHash: string,
  data: TakedownData,
): Promise<unknown> {
  return retryCommit(undefined, () => database.commit([keepHash(imageHash, data)]));
}

const updateGeneration = ({ uid, id, version }: ShownImage, fields: FieldUpdates<GenerationData>) =>
  updateDocument(generationPath(uid, id), fields, version);

/** What an earlier take-down of this image has left in the outbox. Copies of shares are the sweep's. */
async function findOutboxItems({ database }: Ledger, { id, imageOwner }: GenerationRecord) {
  const { documents } = await database.read([outboxPath(imageOwner ?? id)]);
  return documents.flatMap((document) => (document ? [parseOutboxItem(document)] : []));
}
