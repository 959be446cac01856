import type Stripe from 'stripe';
import { type Account, getRow } from './account.ts';
import { refusal } from './errors.ts';
import type { Pagination, Range } from './params.ts';
import { type LineItem, resources, type TableName, type Tables, tableNames } from './store.ts';

type List<T> = { object: 'list'; url: string; has_more: boolean; data: T[] };
type Shown = Tables[TableName]['shown'];

/** One page of a table, newest first, of the objects for which `matches` holds. */
export function listRows<T extends TableName>(
  account: Account,
  table: T,
  path: string,
  params: Pagination & { created?: Range | undefined },
  matches: (shown: Tables[T]['shown']) => boolean = () => true,
): List<Tables[T]['shown']> {
  const all = account.store
    .list(table)
    .filter(({ livemode }) => livemode === account.livemode)
    .map(({ shown }) => shown as Tables[T]['shown'])
    .filter((shown) => matches(shown) && isInRange(getCreated(shown), params.created));
  return paginate(all, path, params, (id, param) => getRow(account, table, id, param));
}

/** Cuts a page out of a list. `require` throws if the object of a cursor does not exist. */
export function paginate<T extends { id: string }>(
  all: readonly T[],
  path: string,
  { limit, starting_after: after, ending_before: before }: Pagination,
  require: (id: string, param: string) => unknown,
): List<T> {
  if (after !== undefined && before !== undefined) {
    throw refusal(400, {
      message: 'You may only specify one of these parameters: starting_after, ending_before.',
    });
  }
  const page = (begin: number, end: number, hasMore: boolean): List<T> => ({
    object: 'list',
    url: path,
    has_more: hasMore,
    data: all.slice(begin, end),
  });
  if (before !== undefined) {
    require(before, 'ending_before');
    const end = all.findIndex(({ id }) => id === before);
    const begin = Math.max(0, end - limit);
    return page(begin, end, begin > 0);
  }
  if (after !== undefined) require(after, 'starting_after');
  const begin = after === undefined ? 0 : all.findIndex(({ id }) => id === after) + 1;
  return page(begin, begin + limit, begin + limit < all.length);
}

const getCreated = (shown: Shown) => ('created' in shown ? shown.created : 0);

function isInRange(created: number, range: Range | undefined): boolean {
  if (range === undefined) return true;
  if (typeof range === 'number') return created === range;
  const { gt = -Infinity, gte = -Infinity, lt = Infinity, lte = Infinity } = range;
  return created > gt && created >= gte && created < lt && created <= lte;
}

export function listLineItems(
  account: Account,
  sessionId: string,
  params: Pagination = { limit: 10 },
): List<LineItem> {
  const { lineItems } = getRow(account, 'sessions', sessionId);
  return paginate(lineItems, `/v1/checkout/sessions/${sessionId}/line_items`, params, () => undefined);
}

type Json = Record<string, unknown>;

/** Returns a copy with the ids at these paths, such as `data.payment_intent.latest_charge`, replaced by their objects. */
export function expandPaths(account: Account, answer: object, paths: readonly string[] = []): object {
  const copy = structuredClone(answer);
  for (const path of paths) expandPath(account, copy as Json, path.split('.'), path);
  return copy;
}

function expandPath(account: Account, target: Json, [key = '', ...rest]: string[], path: string): void {
  if (target.object === 'list' && key === 'data') {
    for (const item of target.data as Json[]) expandPath(account, item, rest, path);
    return;
  }
  const value = includeField(account, target, key) ?? target[key];
  if (value === null) return;
  const found = typeof value === 'string' ? findById(account, value) : value;
  if (typeof found !== 'object' || found === null) {
    throw refusal(400, { message: `This property cannot be expanded (${path}).`, param: 'expand' });
  }
  target[key] = structuredClone(found);
  if (rest.length > 0) expandPath(account, target[key] as Json, rest, path);
}

/** Fields that are there only if a request asks for them. */
function includeField(account: Account, target: Json, key: string): object | undefined {
  if (target.object === 'checkout.session' && key === 'line_items') {
    return listLineItems(account, String(target.id));
  }
  if (target.object === 'charge' && key === 'refunds') {
    const { id } = target as unknown as Stripe.Charge;
    return listRows(
      account,
      'refunds',
      `/v1/charges/${id}/refunds`,
      { limit: 10 },
      (refund) => refund.charge === id,
    );
  }
  return undefined;
}

function findById(account: Account, id: string): object | undefined {
  const table = tableNames.find((name) => id.startsWith(resources[name].prefix));
  return table && account.store.get(table, id)?.shown;
}
