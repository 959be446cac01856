/** What a take-down has to remove: every generation that shows an image, and every share of it. */
import { adminActionPath } from '../database/adminActions.ts';
import type { StoredDocument } from '../database/database.ts';
import { findTwins, type ShownImage } from '../generation/cache.ts';
import { type GenerationRecord, generationPath, getMakerId } from '../generation/record.ts';
import { parseOrRecover } from '../generation/recoverGeneration.ts';
import { findShares } from '../generation/shares.ts';
import type { Ledger } from '../ledger/ledger.ts';

export type Removable = {
  /** The generation, as far as it can be read. Undefined if an admin has deleted its document, or if there never was one. */
  record: GenerationRecord | undefined;
  /** True if an earlier take-down has removed it. */
  isRemoved: boolean;
  /** The id of the generation that made the image. Its document may be gone. */
  makerId: string;
  maker: GenerationRecord | undefined;
  /** The generations that show the image. */
  shown: ShownImage[];
  /** The hash of the image, if one of them has it. */
  imageHash: string | undefined;
  /** Public shares of the image. An admin may have removed or changed the tokens in the generations. */
  shares: StoredDocument[];
  /** The database's time. */
  readTime: Date;
};

export async function findRemovable(ledger: Ledger, uid: string, id: string): Promise<Removable> {
  const { database, log } = ledger;
  const { documents, readTime } = await database.read([
    generationPath(uid, id),
    adminActionPath('takedown', id),
  ]);
  const [document, action] = documents;
  const record = parseOrRecover(log, document);
  const makerId = record ? getMakerId(record) : id;
  const { maker, twins } = await findTwins(ledger, uid, makerId);
  const shown = [...twins, ...(maker ? [maker] : []), ...(record ? [record] : [])].filter(
    ({ status }) => status === 'succeeded',
  );
  const ids = new Set([id, makerId, ...(maker?.sharers ?? []), ...shown.map((one) => one.id)]);
  const shares = await findShares(database, uid, [...ids]);
  const [imageHash] = [record, maker, ...twins].flatMap((one) => one?.imageHash ?? []);
  const isRemoved = record?.removedBy !== undefined || action?.data.uid === uid;
  return { record, isRemoved, makerId, maker, shown, imageHash, shares, readTime };
}
