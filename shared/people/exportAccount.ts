/** Everything that is kept about one user, as the text of one JSON document, piece by piece. */
import type { AccountExport } from '../contract/exportAccount.ts';
import type { Data, PageRequest, StoredDocument } from '../database/database.ts';
import { parseDocument, parseReadable } from '../database/spoiltDocuments.ts';
import { generationsPath, parseGeneration, toGeneration, toShareUrl } from '../generation/record.ts';
import { parseShare } from '../generation/shares.ts';
import { accountPath } from '../ledger/account.ts';
import { entriesPath, parseEntry } from '../ledger/entries.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { purchaseSchema, purchasesPath } from '../ledger/purchaseRules.ts';
import { parseEnhancements } from '../prompts/enhancements.ts';

/** Documents in memory at once. */
const pageSize = 50;

/** A list of the export: the field's name, the user's documents, and what is shown of each. */
type List = {
  name: keyof AccountExport;
  query(uid: string): Pick<PageRequest, 'collection' | 'where'>;
  /** @throws {UnreadableDocument} The document is left out, and logged. */
  toItem(document: StoredDocument): object;
};

/** A further collection is one line here, and its schema in the contract. @param publicUrl where the studio is reached. */
const createLists = (publicUrl: string): readonly List[] => [
  { name: 'entries', query: (uid) => ({ collection: entriesPath(uid) }), toItem: parseEntry },
  { name: 'purchases', query: (uid) => ({ collection: purchasesPath(uid) }), toItem: toExportedPurchase },
  {
    name: 'generations',
    query: (uid) => ({ collection: generationsPath(uid) }),
    toItem: (document) => toExportedGeneration(document, publicUrl),
  },
  {
    name: 'enhancements',
    query: (uid) => ({ collection: `accounts/${uid}/enhancements` }),
    toItem: parseEnhancements,
  },
  {
    name: 'shares',
    query: (uid) => ({ collection: 'shares', where: [['uid', '==', uid]] }),
    toItem: (document) => toExportedShare(document, publicUrl),
  },
];

/**
 * Reads the export in the order in which it is sent. It is no snapshot: every page is read at its own time.
 * @throws {Failure} DATABASE_UNAVAILABLE, before the first piece or between two.
 */
export async function* exportAccount(
  ledger: Ledger,
  uid: string,
  publicUrl: string,
): AsyncGenerator<string, void, void> {
  const { database, retryCommit } = ledger;
  const { documents, readTime } = await retryCommit(undefined, () => database.read([accountPath(uid)]));
  const [account] = documents;
  const head = {
    format: 'nano-banana-studio/export',
    version: 1,
    exportedAt: readTime.toISOString(),
    account: account ? { uid, ...toPlainData(account.data) } : null,
  };
  yield JSON.stringify(head).slice(0, -1);
  const unreadable: string[] = [];
  for (const list of createLists(publicUrl)) {
    yield `,\n${JSON.stringify(list.name)}:[`;
    yield* exportList(ledger, uid, list, unreadable);
    yield ']';
  }
  yield `,\n"unreadable":${JSON.stringify(unreadable)}}\n`;
}

async function* exportList(
  { database, retryCommit, log }: Ledger,
  uid: string,
  { name, query, toItem }: List,
  unreadable: string[],
) {
  let after: string | undefined;
  let separator = '\n';
  do {
    const { documents } = await retryCommit(undefined, () =>
      database.page({
        ...query(uid),
        // A document that lacks the field of another order would be missing.
        orderBy: [['__name__', 'asc']],
        ...(after !== undefined && { after: [after] }),
        limit: pageSize,
      }),
    );
    let text = '';
    for (const document of documents) {
      const [item] = parseReadable(log, [document], toItem);
      if (item) {
        text += separator + JSON.stringify(item);
        separator = ',\n';
      } else unreadable.push(`${name}/${document.id}`);
    }
    if (text) yield text;
    after = documents.length < pageSize ? undefined : documents.at(-1)?.id;
  } while (after !== undefined);
}

function toExportedGeneration(
  document: StoredDocument,
  publicUrl: string,
): AccountExport['generations'][number] {
  const record = parseGeneration(document);
  const { modelVersion, thoughtSignature, receipt, request, finishedAt } = record;
  return {
    ...toGeneration(record, publicUrl),
    ...(modelVersion !== undefined && { modelVersion }),
    ...(thoughtSignature && { thoughtSignature }),
    receipt,
    ...request,
    finishedAt: finishedAt?.toISOString() ?? null,
  };
}

function toExportedShare(document: StoredDocument, publicUrl: string): AccountExport['shares'][number] {
  const { token, generationId, image, createdAt } = parseShare(document);
  return { generationId, shareUrl: toShareUrl(publicUrl, token), image, createdAt: createdAt.toISOString() };
}

function toExportedPurchase(document: StoredDocument): AccountExport['purchases'][number] {
  const { createdAt, updatedAt, ...purchase } = parseDocument(purchaseSchema, document);
  return {
    sessionId: document.id,
    ...purchase,
    createdAt: createdAt.toISOString(),
    updatedAt: updatedAt.toISOString(),
  };
}

/** A document as it is, without Firestore's own types: times are RFC 3339. */
function toPlainData(data: Data): Data {
  return Object.fromEntries(Object.entries(data).map(([name, value]) => [name, toPlain(value)]));
}

function toPlain(value: unknown): unknown {
  if (value instanceof Date) return value.toISOString();
  if (Array.isArray(value)) return value.map(toPlain);
  return typeof value === 'object' && value !== null ? toPlainData(value as Data) : value;
}
