import { createHmac } from 'node:crypto';

/** The value of `Stripe-Signature` for a body sent at this time, in seconds. */
export function createSignature(body: string, secret: string, seconds: number): string {
  const signature = createHmac('sha256', secret).update(`${seconds}.${body}`).digest('hex');
  return `t=${seconds},v1=${signature}`;
}
