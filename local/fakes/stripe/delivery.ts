import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import type { DeliveryStep } from './faults.ts';
import { createSignature } from './signature.ts';
import type { StripeEvent, Tables } from './store.ts';

export type DeliveryJob = { event: StripeEvent; endpoint: Tables['endpoints'] };

/** Posts the event once, and returns the status of the answer; rejects if none arrives. */
export async function postEvent(
  { event, endpoint }: DeliveryJob,
  fault: DeliveryStep | undefined,
  { signedAt, timeoutMs, closing }: { signedAt: () => number; timeoutMs: number; closing: AbortSignal },
): Promise<number> {
  const sent = fault?.kind === 'wrongMode' ? { ...event, livemode: !event.livemode } : event;
  const body = JSON.stringify(sent, null, 2);
  const secret = fault?.kind === 'wrongSignature' ? `${endpoint.secret}x` : endpoint.secret;
  const age = fault?.kind === 'staleSignature' ? (fault.seconds ?? 301) : 0;
  const seconds = Math.floor(signedAt() / 1000) - age;
  const signature = createSignature(body, { secret, seconds, livemode: sent.livemode });
  const bytes = Buffer.from(fault?.kind === 'alteredBody' ? alter(body, fault) : body);
  const send = endpoint.shown.url.startsWith('https:') ? requestHttps : requestHttp;
  const signal = AbortSignal.any([closing, AbortSignal.timeout(timeoutMs)]);
  return await new Promise<number>((resolve, reject) => {
    const request = send(endpoint.shown.url, {
      method: 'POST',
      // A delivery that is cut must not break the next one.
      agent: false,
      signal,
      headers: {
        accept: '*/*; q=0.5, application/xml',
        'cache-control': 'no-cache',
        'content-length': bytes.length,
        'content-type': 'application/json; charset=utf-8',
        'user-agent': 'Stripe/1.0 (+https://stripe.com/docs/webhooks)',
        ...(fault?.kind === 'missingSignature' ? {} : { 'stripe-signature': signature }),
      },
    });
    request.once('error', reject);
    request.once('response', (response) => {
      if (fault?.kind === 'cut') return void request.destroy(new Error('cut'));
      response.resume();
      response.once('error', reject);
      response.once('end', () => resolve(response.statusCode ?? 0));
    });
    if (fault?.kind === 'cut' && fault.when === 'before-answer') {
      request.once('finish', () => request.destroy(new Error('cut')));
    }
    request.end(bytes);
  });
}

function alter(
  body: string,
  { from, to = '' }: { from?: string | undefined; to?: string | undefined },
): string {
  if (from === undefined) return `${body} `;
  if (!body.includes(from)) throw new Error(`The event has no ${from}`);
  return body.replace(from, to);
}
