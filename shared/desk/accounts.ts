/** Finds and lists accounts for admins. */
import * as z from 'zod';
import type { AdminAccount, AdminAccountsQuery } from '../contract/desk.ts';
import { generationIdSchema } from '../contract/ids.ts';
import { isDocumentId, type PageRequest } from '../database/database.ts';
import { parsePageToken, readPage, tokenTimeSchema, toNextPageToken } from '../database/pages.ts';
import { parseDocument } from '../database/spoiltDocuments.ts';
import { accountPath } from '../ledger/account.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Services } from '../services.ts';
import { showAccount } from './account.ts';

/** Made by hand, an account may have an id that no user can have. */
const documentIdSchema = z.string().refine(isDocumentId);
/** What the list must know of an account. */
const listedSchema = z.object({ createdAt: z.date() });

/** Most accounts that one search finds. */
const foundMax = 100;

/** One page of all accounts, newest first. An account made by hand in the console has no time until its first use. */
export async function listAccounts(ledger: Ledger, { pageSize, pageToken }: AdminAccountsQuery) {
  const after = pageToken && parsePageToken(pageToken, z.tuple([tokenTimeSchema, documentIdSchema]));
  const query = {
    collection: 'accounts',
    orderBy: [
      ['createdAt', 'desc'],
      ['__name__', 'desc'],
    ] as const,
    ...(after && { after: [new Date(after[0]), after[1]] }),
  };
  const { items, last } = await readPage(ledger, pageSize, query, (document) => {
    parseDocument(listedSchema, document);
    return document;
  });
  const nextPageToken = toNextPageToken(last, ({ data, id }) => [data.createdAt, id]);
  const accounts = await Promise.all(items.map((document) => showAccount(ledger, document)));
  return { accounts, ...nextPageToken };
}

/**
 * The accounts that a text names: a uid, an e-mail address, the id of a generation, or that of a Stripe Checkout session.
 * @throws {Failure} DATABASE_UNAVAILABLE, AUTH_UNAVAILABLE, PAYMENTS_UNAVAILABLE.
 */
export async function findAccounts(services: Services, text: string): Promise<AdminAccount[]> {
  const ledger = await services.ledger();
  const uids = await Promise.all([
    isDocumentId(text) ? [text] : [],
    text.includes('@') ? findByEmail(services, ledger, text) : [],
    generationIdSchema.safeParse(text).success ? findByGeneration(ledger, text) : [],
    text.startsWith('cs_') ? findBySession(services, text) : [],
  ]);
  const paths = [...new Set(uids.flat().filter(isDocumentId))].slice(0, foundMax).map(accountPath);
  if (paths.length === 0) return [];
  const { documents } = await ledger.retryCommit(undefined, () => ledger.database.read(paths));
  const found = documents.filter((document) => document !== undefined);
  return Promise.all(found.map((document) => showAccount(ledger, document)));
}

/** The users with this address: those whose account has it, and those whom Firebase Authentication knows, verified or not. */
async function findByEmail(services: Services, ledger: Ledger, email: string): Promise<string[]> {
  const [users, documents] = await Promise.all([
    services.users(),
    find(ledger, {
      collection: 'accounts',
      where: [['email', 'in', [...new Set([email, email.toLowerCase()])]]],
      orderBy: [['__name__', 'asc']],
    }),
  ]);
  const known = (await users?.findByEmail(email.toLowerCase())) ?? [];
  return [...documents.map(({ id }) => id), ...known];
}

/** The user whose debit names the generation. An image from the cache has no debit. */
async function findByGeneration(ledger: Ledger, generationId: string): Promise<string[]> {
  const documents = await find(ledger, {
    collection: 'entries',
    group: true,
    where: [['generationId', '==', generationId]],
    orderBy: [['__name__', 'asc']],
  });
  return documents.map(({ path }) => path.split('/')[1] ?? '');
}

/** Stripe knows for whom the session was made. */
async function findBySession(services: Services, sessionId: string): Promise<string[]> {
  const payments = await services.payments();
  const session = await payments?.stripe.findSession(sessionId);
  const uid = session?.metadata?.uid;
  return uid === undefined ? [] : [uid];
}

async function find({ database, retryCommit }: Ledger, query: Omit<PageRequest, 'limit'>) {
  const page = { ...query, limit: foundMax };
  return (await retryCommit(undefined, () => database.page(page))).documents;
}
