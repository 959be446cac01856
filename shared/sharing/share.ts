/** Makes a finished image public under an address that nobody can guess, and private again. */
import { randomBytes } from 'node:crypto';
import type { Image } from '../contract/generation.ts';
import { createDocument, updateDocument } from '../database/database.ts';
import { Failure } from '../errors.ts';
import {
  clearOutboxItem,
  createOutboxItem,
  endUnfinishedShare,
  outboxPath,
  toCopyId,
  toUnfinishedCopyItem,
} from '../generation/outbox.ts';
import { type GenerationRecord, generationPath } from '../generation/record.ts';
import { parseOrRecover, parseOrRefuse } from '../generation/recoverGeneration.ts';
import { endShares, findShares, sharePath } from '../generation/shares.ts';
import { createTimeLimit, type TimeLeft } from '../generation/timeLimit.ts';
import { accountPath, parseAccount } from '../ledger/account.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { refuseClosed } from '../ledger/refusals.ts';
import type { Services } from '../services.ts';

/** Longest time for copying an image, milliseconds. */
const copyMsMax = 40_000;
/** From the start of a share until the sweep may end it, milliseconds: no upload of its copy is signed later. */
const unfinishedMs = 60_000;

/**
 * Makes an image public, once: a repeated call finds the same share. First the share and an outbox item for its copy are
 * written, then the copy is stored, then one commit makes the share public and removes the item. Whatever fails in
 * between, the item ends the share and deletes the copy.
 * @throws {Failure} ACCOUNT_CLOSED; NOT_FOUND unless it is a finished image of this user; ACCOUNT_INVALID if its document is
 * spoilt; STORAGE_ERROR, PROVIDER_TIMEOUT, PROVIDER_MISCONFIGURED, DATABASE_UNAVAILABLE.
 */
export async function makePublic(services: Services, uid: string, id: string): Promise<GenerationRecord> {
  const { timeLeft } = createTimeLimit(services.clock, copyMsMax);
  const ledger = await services.ledger();
  const { record: begun, token } = await beginShare(ledger, uid, id);
  if (begun.shareToken) return begun;
  try {
    const image = await copyImage(services, begun, token, timeLeft);
    const record = await finishShare(ledger, begun, token, image);
    if (record.shareToken !== token) await abandonShare(services, ledger, uid, token);
    return record;
  } catch (error) {
    await abandonShare(services, ledger, uid, token);
    throw error;
  }
}

/**
 * Writes a share that nobody can see yet. If the image is public already, only finds that. Each attempt has a token of its
 * own: one that takes effect late cannot bring back a share that has ended, and the sweep ends it.
 */
function beginShare(
  { database, retryCommit, log }: Ledger,
  uid: string,
  id: string,
): Promise<{ record: GenerationRecord; token: string }> {
  return retryCommit(undefined, async () => {
    const token = randomBytes(16).toString('base64url');
    const { documents, readTime: now } = await database.read([generationPath(uid, id), accountPath(uid)]);
    const [document, account] = documents;
    const refusal = refuseClosed(account && parseAccount(account));
    if (refusal) throw refusal;
    const record = requireImage(document && parseOrRefuse(log, document));
    if (record.shareToken) return { record, token };
    const deadline = new Date(now.getTime() + unfinishedMs);
    const copy = { uid, generationId: id, shareToken: token };
    await database.commit([
      createDocument(sharePath(token), { uid, generationId: id, image: null, createdAt: now }),
      createOutboxItem(toUnfinishedCopyItem(copy, now, deadline)),
    ]);
    return { record, token };
  });
}

function requireImage(record: GenerationRecord | undefined): GenerationRecord & { image: Image } {
  if (record?.status === 'succeeded' && record.image) return { ...record, image: record.image };
  throw noImage();
}

const noImage = () => new Failure('NOT_FOUND', 'There is no such image.');

/** Stores a copy of an image under the share's token, in a single upload, so that none can arrive late if it succeeds. */
async function copyImage(
  { imageStore, shutdown }: Services,
  record: GenerationRecord,
  token: string,
  timeLeft: TimeLeft,
): Promise<Image> {
  const { image } = requireImage(record);
  const images = await imageStore();
  const bytes = await images.fetch(image.url, timeLeft(), shutdown);
  const urls = await images.store(toCopyId(token), [bytes], timeLeft(), shutdown);
  return { ...image, ...urls };
}

/**
 * Makes a share public whose copy is stored.
 * @returns the generation, with the token of another share if that was faster.
 */
function finishShare(
  { database, retryCommit, log }: Ledger,
  { uid, id }: GenerationRecord,
  token: string,
  image: Image,
): Promise<GenerationRecord> {
  return retryCommit(undefined, async () => {
    const { documents } = await database.read([generationPath(uid, id), sharePath(token)]);
    const [document, share] = documents;
    const record = requireImage(document && parseOrRefuse(log, document));
    if (record.shareToken) return record;
    if (!share) throw new Failure('STORAGE_ERROR', 'The image could not be shared in time.');
    const version = await database.commit([
      updateDocument(generationPath(uid, id), { shareToken: token }, record.version),
      updateDocument(sharePath(token), { image }, share.version),
      { delete: outboxPath(token) },
    ]);
    return { ...record, shareToken: token, version };
  });
}

/** Ends a share that cannot finish, and deletes its copy. What fails here is left to the sweep. */
async function abandonShare(
  { imageStore }: Services,
  ledger: Ledger,
  uid: string,
  token: string,
): Promise<void> {
  try {
    const item = await endUnfinishedShare(ledger, token);
    if (item) await clearOutboxItem(ledger, imageStore, item, item.dueAt);
  } catch (error) {
    ledger.log.warning('A share could not be ended yet', { uid, error });
  }
}

/**
 * Makes an image private: one commit ends its share and puts the copy into the outbox. An admin may have spoilt the document
 * of the generation, so the share is looked for, too. May be repeated.
 * @throws {Failure} NOT_FOUND unless it is a finished image of this user; DATABASE_UNAVAILABLE.
 */
export async function makePrivate(services: Services, uid: string, id: string): Promise<GenerationRecord> {
  const ledger = await services.ledger();
  const { database, retryCommit, log } = ledger;
  const { record, outboxItems } = await retryCommit(undefined, async () => {
    const [{ documents, readTime: now }, shares] = await Promise.all([
      database.read([generationPath(uid, id)]),
      findShares(database, uid, [id]),
    ]);
    const found = parseOrRecover(log, documents[0]);
    if (!found || (found.status !== 'succeeded' && shares.length === 0)) throw noImage();
    const { writes, outboxItems } = endShares([found], shares, now);
    if (writes.length === 0) return { record: found, outboxItems };
    const version = await database.commit([
      updateDocument(generationPath(uid, id), { shareToken: null }, found.version),
      ...writes,
    ]);
    return { record: { ...found, shareToken: null, version }, outboxItems };
  });
  for (const item of outboxItems) await clearOutboxItem(ledger, services.imageStore, item, item.createdAt);
  return record;
}
