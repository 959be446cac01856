/** What tests of failing upstreams share: a new server for each test, and one with a short deadline. */
import { afterAll, afterEach, beforeEach } from 'vitest';
import { geminiFault } from '../../local/fakes/geminiFaults.ts';
import { type Server, startStack } from './stack.ts';

const model = 'gemini-2.5-flash-image';

/** Starts and ends what the tests of a file need. */
export async function useUpstreams() {
  const stack = await startStack();
  const upstreams = {
    stack,
    /** A server with a short deadline, for upstreams that never end. */
    impatient: await stack.startServer({ GENERATE_TIMEOUT_MS: '1000' }),
    /** A new server for each test, because what one learns about a model stops the next from calling it. */
    server: undefined as unknown as Server,
  };
  // The first calls load and connect everything. A test of a deadline must not include that time.
  stack.gemini.always(geminiFault.blank());
  for (const { url } of [stack, upstreams.impatient]) await (await stack.newUser()).generate('warm', {}, url);

  beforeEach(async () => {
    await stack.erase(`quota/${model}`);
    const database = { ...stack.database, close: async () => {} };
    upstreams.server = await stack.startServer({}, { database });
  });
  afterEach(async () => {
    stack.gemini.always(undefined);
    stack.cloudinary.always(undefined);
    await upstreams.server.close();
  });
  afterAll(() => stack.close());
  return upstreams;
}
