import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import { createFaultScript } from '../server.ts';
import { wantsEvent } from './account.ts';
import type { Clock } from './clock.ts';
import type { DeliveryStep } from './faults.ts';
import { createSignature } from './signature.ts';
import type { Store, StripeEvent, Tables } from './store.ts';

/** One attempt to deliver an event. */
export type Delivery = {
  event: string;
  type: string;
  /** The endpoint's id. */
  endpoint: string;
  /** 1 is the first. */
  attempt: number;
  fault: DeliveryStep['kind'] | undefined;
  /** The status of the answer; undefined if none arrived. */
  status: number | undefined;
};

export type Webhooks = {
  script: (...steps: DeliveryStep[]) => void;
  always: (step: DeliveryStep | undefined) => void;
  /** Every attempt so far, in the order of their ends. */
  deliveries: Delivery[];
  /** Sends an event again, as the button in Stripe's dashboard does: to every endpoint that wants it, or to one. */
  resend: (eventId: string, endpointId?: string) => void;
  /** Sends what `hold`, `delay` and `reorder` keep back. `newestFirst` turns their order round. */
  release: (order?: 'oldestFirst' | 'newestFirst') => void;
  /** Resolves when nothing is on its way and no retry is due. What is kept back does not count. */
  idle: () => Promise<void>;
};

export type WebhookOptions = {
  /** The waits before the retries of a delivery that was not answered with 2xx. Stripe retries for days. */
  retryDelaysMs: readonly number[];
  timeoutMs: number;
  /** The time of signatures, milliseconds. It is not the fake's clock: Stripe signs every attempt when it sends it. */
  signedAt: () => number;
  deliveriesMax: number;
};

type Job = { event: StripeEvent; endpoint: Tables['endpoints'] };
type HeldJob = Job & { step: DeliveryStep; until: number };

export function createWebhooks(
  { store, clock, closing }: { store: Store; clock: Clock; closing: AbortSignal },
  options: WebhookOptions,
): Webhooks & { deliver: (event: StripeEvent) => void; releaseDue: () => void } {
  const faults = createFaultScript<DeliveryStep>();
  const deliveries: Delivery[] = [];
  const running = new Set<Promise<void>>();
  let held: HeldJob[] = [];

  function start(job: Job, step?: DeliveryStep): void {
    const work = deliverUntilAnswered(job, step).finally(() => running.delete(work));
    running.add(work);
  }

  function begin(job: Job): void {
    const { event, endpoint } = job;
    const step = faults.take(
      ({ type = event.type, endpoint: name = endpoint.shown.id }) =>
        type === event.type && [endpoint.shown.id, endpoint.shown.url].includes(name),
    );
    if (step?.kind === 'drop') return;
    if (step?.kind === 'hold' || step?.kind === 'reorder' || step?.kind === 'delay') {
      held.push({ ...job, step, until: clock.now() + (step.kind === 'delay' ? step.ms : 0) });
      return;
    }
    for (let count = step?.kind === 'duplicate' ? (step.times ?? 2) : 1; count > 0; count -= 1)
      start(job, step);
  }

  function releaseIf(isDue: (job: HeldJob) => boolean, order = 'oldestFirst'): void {
    const due = held.filter(isDue);
    held = held.filter((job) => !due.includes(job));
    for (const job of order === 'newestFirst' ? due.reverse() : due) start(job, job.step);
  }

  async function deliverUntilAnswered(job: Job, step: DeliveryStep | undefined): Promise<void> {
    const { event, endpoint } = job;
    for (let attempt = 1; ; attempt += 1) {
      const fault = attempt === 1 ? step : undefined;
      const status = await attemptDelivery(job, fault, { ...options, closing }).catch(() => undefined);
      if (closing.aborted) return;
      deliveries.push({
        event: event.id,
        type: event.type,
        endpoint: endpoint.shown.id,
        attempt,
        fault: fault?.kind,
        status,
      });
      if (deliveries.length > options.deliveriesMax) deliveries.shift();
      if (attempt === 1) {
        releaseIf((other) => other.step.kind === 'reorder' && other.endpoint.shown.id === endpoint.shown.id);
      }
      if (status !== undefined && status >= 200 && status < 300) return countAnswer(store, event.id);
      const delay = options.retryDelaysMs[attempt - 1];
      if (delay === undefined) return;
      await sleep(delay, undefined, { signal: closing }).catch(() => undefined);
      if (closing.aborted) return;
    }
  }

  const getEndpoints = ({ type, livemode }: StripeEvent) =>
    store
      .list('endpoints')
      .filter((endpoint) => endpoint.livemode === livemode && wantsEvent(endpoint, type));

  return {
    script: faults.script,
    always: faults.always,
    deliveries,
    deliver(event) {
      for (const endpoint of getEndpoints(event)) begin({ event, endpoint });
    },
    resend(eventId, endpointId) {
      const event = store.get('events', eventId)?.shown;
      if (event === undefined) throw new Error(`No such event: ${eventId}`);
      for (const endpoint of getEndpoints(event)) {
        if (endpointId === undefined || endpoint.shown.id === endpointId) start({ event, endpoint });
      }
    },
    release: (order) => releaseIf(() => true, order),
    releaseDue: () => releaseIf((job) => job.step.kind === 'delay' && job.until <= clock.now()),
    async idle() {
      while (running.size > 0) await Promise.all(running);
    },
  };
}

/** An endpoint less that has not answered with 2xx. */
function countAnswer(store: Store, eventId: string): void {
  const row = store.get('events', eventId);
  if (row === undefined) return;
  const pending = Math.max(0, row.shown.pending_webhooks - 1);
  store.put('events', { ...row, shown: { ...row.shown, pending_webhooks: pending } });
}

/** Posts the event once, and returns the status of the answer; rejects if none arrives. */
async function attemptDelivery(
  { event, endpoint }: Job,
  fault: DeliveryStep | undefined,
  { signedAt, timeoutMs, closing }: WebhookOptions & { closing: AbortSignal },
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
