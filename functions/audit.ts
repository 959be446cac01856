import { auditAnswerSchema, auditQuerySchema } from '../shared/contract/admin.ts';
import { isDocumentId } from '../shared/database/database.ts';
import { readPage } from '../shared/database/pages.ts';
import { Failure, invalidRequest } from '../shared/errors.ts';
import { endpoint } from '../shared/http/endpoint.ts';
import { auditAccount, auditOrReport } from '../shared/ledger/audit.ts';
import { accountsQuery } from '../shared/ledger/forEachAccount.ts';

/** Whether the ledger of one account, or of each account of a page, adds up. */
export const audit = endpoint({
  method: 'GET',
  access: 'admin',
  input: auditQuerySchema,
  answer: auditAnswerSchema,
  async run({ input: { uid, pageSize, pageToken }, log }, services) {
    const ledger = await services.ledger();
    if (uid !== undefined) {
      log.add({ uid });
      const audit = await auditAccount(ledger, uid);
      if (!audit) throw new Failure('NOT_FOUND', 'There is no such account.');
      return { body: { accounts: [audit] } };
    }
    const after = pageToken === undefined ? undefined : parsePageToken(pageToken);
    const { items: uids, last } = await readPage(ledger, pageSize, accountsQuery(after), ({ id }) => id);
    const audits = await Promise.all(uids.map((uid) => auditOrReport(ledger, uid)));
    return {
      body: {
        accounts: audits.filter((audit) => audit !== undefined),
        ...(last && { nextPageToken: toPageToken(last.id) }),
      },
    };
  },
});

const toPageToken = (uid: string) => Buffer.from(uid).toString('base64url');

function parsePageToken(pageToken: string): string {
  const uid = Buffer.from(pageToken, 'base64url').toString();
  if (isDocumentId(uid) && toPageToken(uid) === pageToken) return uid;
  throw invalidRequest([{ field: 'pageToken', description: 'is not a page token of this list' }]);
}
