import { auditAnswerSchema, auditQuerySchema } from '../shared/contract.ts';
import { isDocumentId } from '../shared/database/database.ts';
import { Failure, invalidRequest } from '../shared/errors.ts';
import { endpoint } from '../shared/http/endpoint.ts';
import { accountPage } from '../shared/ledger/accounts.ts';
import { auditAccount } from '../shared/ledger/audit.ts';

/** Whether the ledger of one account, or of all by page, adds up. */
export const audit = endpoint({
  method: 'GET',
  access: 'admin',
  input: auditQuerySchema,
  answer: auditAnswerSchema,
  async run({ input: { uid, pageSize, pageToken } }, services) {
    const ledger = await services.ledger();
    if (uid !== undefined) {
      const one = await auditAccount(ledger, uid);
      if (!one) throw new Failure('NOT_FOUND', 'There is no such account.');
      return { body: { accounts: [one] } };
    }
    const after = pageToken === undefined ? undefined : parsePageToken(pageToken);
    const page = await accountPage(ledger, after, pageSize + 1);
    const shown = page.slice(0, pageSize);
    const audits = await Promise.all(shown.map(({ id }) => auditAccount(ledger, id)));
    const last = page.length > pageSize ? shown.at(-1)?.id : undefined;
    return {
      body: {
        accounts: audits.filter((one) => one !== undefined),
        ...(last && { nextPageToken: toPageToken(last) }),
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
