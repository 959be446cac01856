/** Wrong methods are a 405; unknown functions and other users' generations are a 404. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { geminiFault } from '../../local/fakes/geminiFaults.ts';
import { expectError, getFunctions, postFunctions } from '../support/errorReplies.ts';
import { type Stack, startStack } from '../support/stack.ts';

let stack: Stack;

beforeAll(async () => {
  stack = await startStack();
  stack.gemini.always(geminiFault.blank());
});
afterAll(() => stack.close());

describe('wrong methods and unknown names', () => {
  it.each(['GET', 'PUT', 'PATCH', 'DELETE'])(
    '%s of a POST function is a 405 that names the allowed method',
    async (method) => {
      for (const name of postFunctions) {
        const reply = await stack.fetch(name, { method });
        expectError(reply, 405, 'UNIMPLEMENTED', 'METHOD_NOT_ALLOWED', 'no');
        expect(reply.headers.get('allow')?.split(', ')).toContain('POST');
      }
    },
  );

  it.each(['POST', 'PUT', 'PATCH', 'DELETE'])(
    '%s of a GET function is a 405 that names the allowed method',
    async (method) => {
      for (const name of getFunctions) {
        const reply = await stack.fetch(name, { method });
        expectError(reply, 405, 'UNIMPLEMENTED', 'METHOD_NOT_ALLOWED', 'no');
        expect(reply.headers.get('allow')?.split(', ')).toContain('GET');
      }
    },
  );

  it.each(['', 'nothing', 'Generate', '__proto__', 'constructor', 'toString', '%67enerate'])(
    'the unknown function "%s" is a 404',
    async (name) => {
      for (const method of ['GET', 'POST']) {
        expectError(await stack.fetch(name, { method }), 404, 'NOT_FOUND', 'NOT_FOUND', 'no');
      }
    },
  );

  it('answers the same for the generation of another user as for one that never existed', async () => {
    const [owner, stranger] = [await stack.newUser(), await stack.newUser()];
    const { id } = (await owner.generate('key')).body.generation;
    const replies = [
      await stranger.get(`generation?id=${id}`),
      await stranger.get('generation?key=key'),
      await stranger.post('deleteGeneration', { id }),
      await stranger.get(`generation?id=${'0'.repeat(32)}`),
    ];
    for (const reply of replies) expectError(reply, 404, 'NOT_FOUND', 'NOT_FOUND', 'no');
    expect(new Set(replies.map(({ body }) => JSON.stringify(body))).size).toBe(1);
    expect((await owner.get(`generation?id=${id}`)).body.generation.status).toBe('succeeded');
  });
});
