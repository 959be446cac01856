/** A request body larger than its limit is a 413, whether it announces its length or not. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { geminiFault } from '../../local/fakes/geminiFaults.ts';
import { expectError, expectUntouched } from '../support/errorReplies.ts';
import { getDetail } from '../support/replies.ts';
import { type Stack, startStack } from '../support/stack.ts';
import type { User } from '../support/users.ts';

let stack: Stack;

beforeAll(async () => {
  stack = await startStack();
  stack.gemini.always(geminiFault.blank());
});
afterAll(() => stack.close());

describe('refuses a body over its limit', () => {
  const padded = (body: object, bytes: number) => JSON.stringify(body).padEnd(bytes);
  const asChunks = (text: string) =>
    new ReadableStream({
      start(controller) {
        for (let at = 0; at < text.length; at += 16_384) {
          controller.enqueue(Buffer.from(text.slice(at, at + 16_384)));
        }
        controller.close();
      },
    });
  const send = (user: User, path: string, body: BodyInit) =>
    stack.fetch(path, {
      method: 'POST',
      body,
      headers: {
        authorization: `Bearer ${user.token}`,
        'idempotency-key': 'key',
        'content-type': 'application/json',
      },
      duplex: 'half',
    } as RequestInit);
  const [enhance, generate] = [{ prompt: 'A banana' }, { prompt: 'A banana', tier: 'standard' }];
  const whole = (text: string) => text;

  it.each<[string, object, number, string, (text: string) => BodyInit]>([
    ['enhance', enhance, 65_536, 'with Content-Length', whole],
    ['enhance', enhance, 65_536, 'chunked', asChunks],
    ['generate', generate, 19_500_000, 'with Content-Length', whole],
    ['generate', generate, 19_500_000, 'chunked', asChunks],
  ])('%s %o: more than %i bytes, %s', async (path, body, bytesMax, _, toBody) => {
    const user = await stack.newUser();
    for (const bytes of [bytesMax + 1, bytesMax + 3_000_000]) {
      const reply = await send(user, path, toBody(padded(body, bytes)));
      expectError(reply, 413, 'INVALID_ARGUMENT', 'TOO_LARGE', 'no');
      expect(getDetail(reply, 'ErrorInfo').metadata.bytesMax).toBe(String(bytesMax));
    }
    await expectUntouched(stack, user);
    expect((await send(user, path, toBody(padded(body, bytesMax)))).status).toBe(200);
  });

  it('other POST functions accept 64 KiB', async () => {
    const user = await stack.newUser();
    for (const path of ['deleteGeneration', 'enhance']) {
      const reply = await send(user, path, padded({}, 65_537));
      expectError(reply, 413, 'INVALID_ARGUMENT', 'TOO_LARGE', 'no');
    }
  });
});
