import { createHmac } from 'node:crypto';

/**
 * The value of `Stripe-Signature` for a body sent at this time, in seconds. In the test mode Stripe adds a signature of
 * a scheme that does not exist, so that handlers learn to ignore those they do not know.
 */
export function createSignature(
  body: string,
  { secret, seconds, livemode }: { secret: string; seconds: number; livemode: boolean },
): string {
  const sign = (key: string) => createHmac('sha256', key).update(`${seconds}.${body}`).digest('hex');
  return `t=${seconds},v1=${sign(secret)}${livemode ? '' : `,v0=${sign(`${secret}/v0`)}`}`;
}
