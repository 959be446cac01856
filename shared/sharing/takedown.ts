/** The studio removes an image everywhere. The credits stay as they are. */
import type { TakedownRequest } from '../contract/reports.ts';
import { recordAdminAction } from '../database/adminActions.ts';
import { type FieldUpdates, setDocument, updateDocument, type Write } from '../database/database.ts';
import { parseReadable } from '../database/spoiltDocuments.ts';
import { recordErasure } from '../erasures/erasures.ts';
import { Failure } from '../errors.ts';
import { cachePath, type ShownImage } from '../generation/cache.ts';
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
  type GenerationData,
  type GenerationRecord,
  generationPath,
  getMakerId,
} from '../generation/record.ts';
import { recoverMissing } from '../generation/recoverGeneration.ts';
import { endShares, parseShare } from '../generation/shares.ts';
import { hashImage, type TakedownData, takedownPath } from '../generation/takedowns.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Services } from '../services.ts';
import { findRemovable, type Removable } from './removable.ts';

/** Longest time for reading an image to hash it, milliseconds. */
const hashMsMax = 10_000;

/**
 * Removes an image: its generation and all that show the same image become `deleted`, their words are erased, their
 * shares end, and the hash of the image is kept. All of that is one commit. An image that its user has deleted is marked,
 * too. It does not fail if an admin has spoilt or deleted documents in the console, as long as any other shows the image.
 * May be repeated: then it deletes what is left in the store.
 * @throws {Failure} NOT_FOUND unless there is or was a finished image; IN_PROGRESS; DATABASE_UNAVAILABLE.
 */
export async function takeDown(
  services: Services,
  request: TakedownRequest,
  actor: string,
): Promise<RemovedGeneration> {
  const ledger = await services.ledger();
  const imageHash = await findImageHash(services, ledger, request);
  const { record, outboxItems } = await removeImage(ledger, request, actor, imageHash);
  for (const item of outboxItems) await clearOutboxItem(ledger, services.imageStore, item, item.createdAt);
  return record;
}

/** The hash in the document. An image from before there were hashes is read from the store, or its shared copy is. */
async function findImageHash(
  { imageStore, shutdown }: Services,
  ledger: Ledger,
  { uid, generationId }: TakedownRequest,
): Promise<string | undefined> {
  const { retryCommit, log } = ledger;
  const { record, imageHash, shares } = await retryCommit(undefined, () =>
    findRemovable(ledger, uid, generationId),
  );
  const copies = parseReadable(log, shares, parseShare);
  const image = record?.image ?? copies.find((share) => share.image)?.image;
  if (imageHash || !image) return imageHash;
  try {
    const images = await imageStore();
    return hashImage([await images.fetch(image.url, hashMsMax, shutdown)]);
  } catch (error) {
    // The image goes all the same. It could come back as a reference only.
    log.warning('The hash of a removed image is not known', { uid, generationId, error });
    return undefined;
  }
}

/** A generation as the API shows it: its document may be gone. */
export type RemovedGeneration = Omit<GenerationRecord, 'version'>;

type Removal = { record: RemovedGeneration; outboxItems: OutboxItem[] };

/**
 * The commit of a take-down.
 * @param knownHash the hash of the image, if no document has it.
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
    const removable = await findRemovable(ledger, uid, generationId);
    const { record, makerId, maker, shown, readTime: now } = removable;
    if (removable.isRemoved) {
      const removed = record ?? recoverMissing(uid, generationId);
      return { record: removed, outboxItems: await findOutboxItems(ledger, removed) };
    }
    const refusal = refuseRemoval(removable, generationId);
    if (refusal) throw refusal;
    const imageHash = removable.imageHash ?? knownHash;
    const all = [...new Map([...shown, ...(record ? [record] : [])].map((one) => [one.id, one])).values()];
    const removal = (one: Pick<ShownImage, 'id' | 'status' | 'failure'>) => ({
      ...eraseWords(one),
      shareToken: null,
      ...(one.id === maker?.id && { sharers: [] }),
      ...(one.status === 'succeeded' && { status: 'deleted' as const }),
      removedBy: 'studio' as const,
      removedReason: reason,
    });
    const shares = endShares(all, removable.shares, now);
    // The maker may be deleted, but still lists who shows its image. A new twin would change the list.
    const isMakerApart = maker !== undefined && !all.some(({ id }) => id === maker.id);
    const source = maker ?? shown.find(({ publicId }) => publicId !== '');
    const image =
      shown.length > 0 && source
        ? [toOutboxItem({ deadline: now, ...source, id: makerId, status: 'deleted' }, now)]
        : [];
    const writes: Write[] = [
      ...all.map((one) => updateGeneration(one, removal(one))),
      ...(isMakerApart ? [updateGeneration(maker, { sharers: [] })] : []),
      ...[...new Set(all.flatMap(({ cacheKey }) => cacheKey ?? []))].map((key) => ({
        delete: cachePath(key),
      })),
      ...shares.writes,
      ...image.map(createOutboxItem),
      ...(imageHash ? [keepHash(imageHash, { uid, generationId, reason, createdAt: now })] : []),
      // The generation that made the image, too: a backup may be older than its twin.
      ...[...new Set([generationId, makerId])].map((id) =>
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
    await database.commit(writes);
    const removed = record ?? recoverMissing(uid, generationId);
    return {
      record: { ...removed, ...removal(removed) },
      outboxItems: [...image, ...shares.outboxItems],
    };
  });
}

function refuseRemoval({ record, shown, shares }: Removable, generationId: string): Failure | undefined {
  if (record?.status === 'pending') {
    return new Failure('IN_PROGRESS', 'This image is still being generated.', {
      retryAfterSeconds: 2,
      metadata: { generationId },
    });
  }
  const isThere = record ? record.status !== 'refunded' : shown.length > 0 || shares.length > 0;
  return isThere ? undefined : new Failure('NOT_FOUND', 'There is no such image.');
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
async function findOutboxItems({ database }: Ledger, removed: RemovedGeneration) {
  const { documents } = await database.read([outboxPath(getMakerId(removed))]);
  return documents.flatMap((document) => (document ? [parseOutboxItem(document)] : []));
}
