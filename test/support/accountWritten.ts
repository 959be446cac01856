/** What tests of `accountWritten` share: events posted as Eventarc posts them, and accounts edited in the console. */
import { geminiFault } from '../../local/fakes/geminiFaults.ts';
import { type AccountWrite, eventBody, eventHeaders } from './accountEvents.ts';
import { countingDatabase } from './countingDatabase.ts';
import { startStack } from './stack.ts';

/** Production sends the event in binary, the emulator in base64. */
export type Encoding = 'production' | 'emulator';
type Delivery = { encoding?: Encoding; authid?: string; url?: string };

export const hasSucceeded = (status: number) => status >= 200 && status < 300;

export async function startAccountWritten() {
  const stack = await startStack();
  stack.gemini.always(geminiFault.blank());
  /** The calls to the database of the server at `countedUrl`. */
  const counted = countingDatabase(stack.database);
  const { url: countedUrl } = await stack.startServer({}, { database: counted.database });

  /** Posts anything as an event. Returns the status. */
  async function post(
    body: Buffer | string,
    headers: Record<string, string>,
    url = stack.url,
  ): Promise<number> {
    const response = await fetch(`${url}/accountWritten`, {
      method: 'POST',
      headers,
      body: typeof body === 'string' ? body : new Uint8Array(body),
    });
    await response.arrayBuffer();
    return response.status;
  }

  return {
    stack,
    counted,
    countedUrl,
    post,

    /** Posts the event of a write to an account. Returns the status. */
    deliver(uid: string, write: AccountWrite, { encoding = 'production', authid, url }: Delivery = {}) {
      const document = `accounts/${uid}`;
      const bytes = eventBody(stack.projectId, document, write);
      const body = encoding === 'emulator' ? bytes.toString('base64') : bytes;
      return post(body, eventHeaders(stack.projectId, document, authid), url);
    },

    /** A user with an account that the ledger has opened, and an admin's edits of it. */
    async openAccount(credits = 10) {
      const user = await stack.newAccount(credits);
      return {
        ...user,
        getStored: async () => (await stack.document(user.path)) as Record<string, unknown>,
        getEntries: async () => (await stack.ledger(user.uid)).entries,
        /** Sets fields in the console. Returns the write, as its event has it. */
        async edit(fields: Record<string, unknown>): Promise<AccountWrite> {
          const before = await stack.document(user.path);
          await stack.edit(user.path, fields);
          return { before, after: await stack.document(user.path) };
        },
      };
    },
  };
}
