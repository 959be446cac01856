import { shareTokenSchema } from '../shared/contract/ids.ts';
import { sharedImagePageSchema, sharedImageQuerySchema } from '../shared/contract/sharing.ts';
import { parseIfReadable } from '../shared/database/spoiltDocuments.ts';
import { parseShare, sharePath } from '../shared/generation/shares.ts';
import { endpoint } from '../shared/http/endpoint.ts';
import { createMissingPage, createSharePage } from '../shared/sharing/sharePage.ts';

/** The page of a shared image. The server makes the query of the path: `/i/{token}`. */
export const sharedImage = endpoint({
  method: 'GET',
  access: 'anyone',
  input: sharedImageQuerySchema,
  answer: sharedImagePageSchema,
  isPage: true,
  async run({ input }, services) {
    const token = shareTokenSchema.safeParse(input.token).data;
    const { database, retryCommit, log } = await services.ledger();
    const [document] = token
      ? (await retryCommit(undefined, () => database.read([sharePath(token)]))).documents
      : [];
    // Nobody sees an image that an admin's edit has spoilt.
    const share = parseIfReadable(log, document, parseShare);
    const image = share?.image;
    const page = token && image ? createSharePage({ token, image }, services.config) : undefined;
    if (page) return { body: page.html, headers: page.headers };
    const missing = createMissingPage(services.config);
    return { body: missing.html, headers: missing.headers, status: 404 as const };
  },
});
