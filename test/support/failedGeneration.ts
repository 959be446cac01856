/** A generation that an upstream fails: the right error, the credits refunded, none of the vendor's words. */
import { expect } from 'vitest';
import { brokenInvariants } from './invariants.ts';
import { getDetail, type Reply } from './replies.ts';
import type { Stack } from './stack.ts';

/** HTTP status and google.rpc.Code, as the contract's table has them. */
const codes = {
  CONTENT_BLOCKED: [422, 'FAILED_PRECONDITION'],
  PROVIDER_MISCONFIGURED: [500, 'INTERNAL'],
  PROVIDER_ERROR: [502, 'UNAVAILABLE'],
  NO_IMAGE: [502, 'UNAVAILABLE'],
  STORAGE_ERROR: [502, 'UNAVAILABLE'],
  PROVIDER_QUOTA: [503, 'UNAVAILABLE'],
  PROVIDER_OVERLOADED: [503, 'UNAVAILABLE'],
  PROVIDER_TIMEOUT: [504, 'DEADLINE_EXCEEDED'],
} as const;
export type UpstreamReason = keyof typeof codes;

/** What one image of the default model costs, micro-dollars. */
const imageCostMicros = 39_000;
const prompt = 'A banana that no log may speak of';
/** A token has 4 characters, and input costs $0.30 for a million tokens. */
const promptMicros = Math.ceil(Math.ceil(prompt.length / 4) * 0.3);

export type FailedGeneration = { uid: string; reply: Reply; logged: string };
type Expected = {
  reason: UpstreamReason;
  metadata?: Record<string, string>;
  /** Whether the image may be stored, so that the outbox must delete it. */
  inOutbox: boolean;
  /** Whether Google bills the call. It bills every image that was generated, also one that was not stored. */
  billed?: boolean;
  /** Whether the answer reports its tokens, so that the prompt is billed. */
  replied?: boolean;
};

/** Has a new user generate an image for two credits. `logged` is what the servers logged meanwhile. */
export async function generateOnce(stack: Stack, url: string): Promise<FailedGeneration> {
  const user = await stack.newUser();
  const logsBefore = stack.logs.length;
  const reply = await user.generate('key', { tier: 'premium2', prompt }, url);
  return { uid: user.uid, reply, logged: JSON.stringify(stack.logs.slice(logsBefore)) };
}

export async function expectRefunded(
  stack: Stack,
  { uid, reply, logged }: FailedGeneration,
  { reason, metadata, inOutbox, billed = inOutbox, replied = false }: Expected,
): Promise<void> {
  const [code, status] = codes[reason];
  expect(getDetail(reply, 'ErrorInfo')).toMatchObject({ reason, domain: 'nano-banana-studio' });
  expect({ http: reply.status, ...reply.body.error }).toMatchObject({ http: code, code, status });
  expect(reply.body.receipt).toEqual({ charged: 2, refunded: 2, balance: 10, sequence: 3 });

  const { account, entries, generations } = await stack.ledger(uid);
  const id = generations[0]?.id as string;
  expect(getDetail(reply, 'ErrorInfo').metadata).toEqual({
    ...metadata,
    generationId: id,
    retry: 'new_key',
  });
  expect(account).toMatchObject({ balance: 10, settled: 10, sequence: 3 });
  expect(account.active).not.toHaveProperty(id);
  expect(entries.map(({ type, amount }) => [type, amount])).toEqual([
    ['adjustment', 10],
    ['debit', -2],
    ['refund', 2],
  ]);
  expect(entries[2]).toMatchObject({ id: `${id}:refund`, generationId: id, reason });
  expect(generations).toMatchObject([
    {
      status: 'refunded',
      failure: { reason },
      image: null,
      providerCostMicros: billed ? imageCostMicros : replied ? promptMicros : 0,
    },
  ]);
  expect(await brokenInvariants(stack, uid)).toEqual([]);
  const item = await stack.document(`outbox/${id}`);
  expect(item?.publicId).toBe(inOutbox ? generations[0]?.publicId : undefined);

  for (const secret of [prompt, 'test-gemini-key', 'test-secret']) expect(logged).not.toContain(secret);
}

/** Neither the reply nor the log has the words that the vendor answered with in this step. */
export function expectNoVendorWords(step: object, { reply, logged }: FailedGeneration): void {
  for (const words of getVendorWords(step)) {
    expect(JSON.stringify(reply.body)).not.toContain(words);
    expect(logged).not.toContain(words);
  }
}

/** The head and tail of each line that is a sentence or an address. Bare codes are no secret. */
function getVendorWords(value: unknown, key = ''): string[] {
  if (['@type', 'headers', 'mimeType'].includes(key)) return [];
  if (typeof value === 'string') {
    const lines = value.split('\n').filter((line) => line.length > 8 && /[ /]/.test(line));
    return lines.flatMap((line) => [line.slice(0, 24), line.slice(-24)]);
  }
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) => getVendorWords(inner, name));
}
