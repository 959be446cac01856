import { setTimeout as sleep } from 'node:timers/promises';
import { createFaultScript } from '../server.ts';
import { wantsEvent } from './account.ts';
import type { Clock } from './clock.ts';
import { type DeliveryJob, postEvent } from './delivery.ts';
import type { DeliveryStep } from './faults.ts';
import type { Store, StripeEvent } from './store.ts';

/** One attempt to deliver an event. */
export type Delivery = {
  event: string;
  type: string;
  /** The endpoint's id. */
  endpoint: string;
  /** 1 is the first. */
  attempt: number;
  fault: DeliveryStep['kind'] | undefined;
  /** The status of the answer, or why none arrived. */
  answer: number | string;
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

type HeldJob = DeliveryJob & { step: DeliveryStep; until: number };

export function createWebhooks(
  { store, clock, closing }: { store: Store; clock: Clock; closing: AbortSignal },
  options: WebhookOptions,
): Webhooks & { deliver: (event: StripeEvent) => void; releaseDue: () => void } {
  const faults = createFaultScript<DeliveryStep>();
  const deliveries: Delivery[] = [];
  const running = new Set<Promise<void>>();
  const answered = new Set<string>();
  let held: HeldJob[] = [];

  function start(job: DeliveryJob, step?: DeliveryStep): void {
    const work = deliverUntilAnswered(job, step).finally(() => running.delete(work));
    running.add(work);
  }

  function begin(job: DeliveryJob): void {
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

  /** Makes one attempt; true if the answer is 2xx. */
  async function attempt(job: DeliveryJob, count: number, fault: DeliveryStep | undefined): Promise<boolean> {
    const { event, endpoint } = job;
    const answer = await postEvent(job, fault, { ...options, closing }).catch(
      (error: Error) => error.message,
    );
    deliveries.push({
      event: event.id,
      type: event.type,
      endpoint: endpoint.shown.id,
      attempt: count,
      fault: fault?.kind,
      answer,
    });
    if (deliveries.length > options.deliveriesMax) deliveries.shift();
    const isDone = typeof answer === 'number' && answer >= 200 && answer < 300;
    if (isDone) countAnswer(job);
    return isDone;
  }

  async function deliverUntilAnswered(job: DeliveryJob, step: DeliveryStep | undefined): Promise<void> {
    const { id } = job.endpoint.shown;
    for (let count = 1; !closing.aborted; count += 1) {
      const isDone = await attempt(job, count, count === 1 ? step : undefined);
      if (count === 1) {
        releaseIf((other) => other.step.kind === 'reorder' && other.endpoint.shown.id === id);
      }
      const delay = options.retryDelaysMs[count - 1];
      if (isDone || delay === undefined) return;
      await sleep(delay, undefined, { signal: closing }).catch(() => undefined);
    }
  }

  /** One endpoint less that has not answered with 2xx. A repetition does not count. */
  function countAnswer({ event, endpoint }: DeliveryJob): void {
    const name = `${event.id}/${endpoint.shown.id}`;
    const row = store.get('events', event.id);
    if (row === undefined || answered.has(name)) return;
    answered.add(name);
    const pending = Math.max(0, row.shown.pending_webhooks - 1);
    store.put('events', { ...row, shown: { ...row.shown, pending_webhooks: pending } });
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
