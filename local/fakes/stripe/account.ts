import type { Clock } from './clock.ts';
import { missingResource } from './errors.ts';
import { resources, type Store, type StripeEvent, type TableName, type Tables } from './store.ts';

/** The version of the library that the product uses. */
export const apiVersion = '2026-10-28.endive';

/** One Stripe account, as one request sees it. */
export type Account = {
  clock: Clock;
  store: Store;
  /** The address of the fake, for the pages it hosts. */
  url: string;
  /** Added to the price where Stripe computes taxes. */
  taxPercent: number;
  /** The mode of the caller's key. */
  livemode: boolean;
  /** The API call that causes an event; null for what happens without one. */
  request: { id: string; idempotency_key: string | null } | null;
  deliver: (event: StripeEvent) => void;
};

/** Returns an object of the caller's mode, or throws `No such …`. `param` names the parameter that had the id. */
export function getRow<T extends TableName>(
  account: Account,
  table: T,
  id: string,
  param?: string,
): Tables[T] {
  const row = account.store.get(table, id);
  if (row && row.livemode === account.livemode) return row;
  const other = (livemode: boolean) => (livemode ? 'live' : 'test');
  throw missingResource(
    resources[table].name,
    id,
    param ?? resources[table].param,
    param === undefined ? 404 : 400,
    row
      ? `; a similar object exists in ${other(row.livemode)} mode, but a ${other(account.livemode)} mode key was used to make this request.`
      : '',
  );
}

/** Changes fields of an object, and returns it with their values before, as an event shows them. */
export function change<T extends TableName>(
  account: Account,
  table: T,
  id: string,
  fields: Partial<Tables[T]['shown']>,
): { shown: Tables[T]['shown']; previous: object } {
  const row = getRow(account, table, id);
  const shown = { ...row.shown, ...fields };
  account.store.put(table, { ...row, shown } as Tables[T]);
  return { shown, previous: diff(row.shown, fields) };
}

const isPlain = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function diff(before: object, fields: object): object {
  const old = before as Record<string, unknown>;
  return Object.fromEntries(
    Object.entries(fields).flatMap(([name, value]) => {
      if (JSON.stringify(old[name]) === JSON.stringify(value)) return [];
      return [[name, isPlain(old[name]) && isPlain(value) ? diff(old[name], value) : (old[name] ?? null)]];
    }),
  );
}

/** Keeps an event, and sends it to the webhook endpoints that want it. */
export function emit(account: Account, type: StripeEvent['type'], shown: object, previous?: object): void {
  const { store, clock, livemode, request } = account;
  const event: StripeEvent = {
    id: store.createId('evt_1'),
    object: 'event',
    api_version: apiVersion,
    created: clock.seconds(),
    data: {
      object: structuredClone(shown) as StripeEvent['data']['object'],
      ...(previous && Object.keys(previous).length > 0
        ? { previous_attributes: structuredClone(previous) }
        : {}),
    },
    livemode,
    pending_webhooks: store
      .list('endpoints')
      .filter((endpoint) => endpoint.livemode === livemode && wantsEvent(endpoint, type)).length,
    request,
    type,
  };
  store.put('events', { livemode, shown: event });
  account.deliver(event);
}

export const wantsEvent = ({ shown }: Tables['endpoints'], type: string) =>
  shown.status === 'enabled' && shown.enabled_events.some((name) => name === '*' || name === type);
