import { sharedImagePageSchema, sharedImageQuerySchema, shareTokenSchema } from '../shared/contract.ts';
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
    const { database, retryCommit } = await services.ledger();
    const document =
      token && (await retryCommit(undefined, () => database.read([sharePath(token)]))).documents[0];
    const { image } = document ? parseShare(document) : {};
    const page = token && image ? createSharePage({ token, image }, services.config) : undefined;
    if (page) return { body: page.html, headers: page.headers };
    const missing = createMissingPage();
    return { body: missing.html, headers: missing.headers, status: 404 as const };
  },
});
