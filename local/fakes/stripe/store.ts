import { createHash } from 'node:crypto';
import { appendFileSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type Stripe from 'stripe';

/** As sent: the library makes its own type of the decimal. */
export type Price = Omit<Stripe.Price, 'unit_amount_decimal'> & { unit_amount_decimal: string };
export type LineItem = Omit<Stripe.LineItem, 'price'> & { price: Price };
export type StripeEvent = Stripe.EventBase;

/** An object, and what the fake knows of it beyond what the API shows. */
type Row<Shown, Hidden = unknown> = { livemode: boolean; shown: Shown } & Hidden;
export type SessionRow = Row<
  Stripe.Checkout.Session,
  {
    lineItems: LineItem[];
    paymentIntentData: { description?: string | undefined; metadata?: Record<string, string> | undefined };
    /** The payment intent of a declined attempt, which the next attempt uses. */
    attemptedIntent?: string;
  }
>;
export type Tables = {
  prices: Row<Price, { name: string }>;
  sessions: SessionRow;
  paymentIntents: Row<Stripe.PaymentIntent>;
  charges: Row<Stripe.Charge>;
  refunds: Row<Stripe.Refund>;
  disputes: Row<Stripe.Dispute>;
  customers: Row<Stripe.Customer | Stripe.DeletedCustomer>;
  invoices: Row<Stripe.Invoice>;
  events: Row<StripeEvent>;
  portalSessions: Row<Stripe.BillingPortal.Session>;
  endpoints: Row<Stripe.WebhookEndpoint, { secret: string }>;
};
export type TableName = keyof Tables;

/** The name of a resource in `No such …`, and the parameter that a missing id in a path is blamed on. */
export const resources: Record<TableName, { prefix: string; name: string; param: string }> = {
  prices: { prefix: 'price_', name: 'price', param: 'price' },
  sessions: { prefix: 'cs_', name: 'checkout.session', param: 'session' },
  paymentIntents: { prefix: 'pi_', name: 'payment_intent', param: 'intent' },
  charges: { prefix: 'ch_', name: 'charge', param: 'id' },
  refunds: { prefix: 're_', name: 'refund', param: 'id' },
  disputes: { prefix: 'du_', name: 'dispute', param: 'id' },
  customers: { prefix: 'cus_', name: 'customer', param: 'id' },
  invoices: { prefix: 'in_', name: 'invoice', param: 'id' },
  events: { prefix: 'evt_', name: 'event', param: 'id' },
  portalSessions: { prefix: 'bps_', name: 'billing_portal.session', param: 'id' },
  endpoints: { prefix: 'we_', name: 'webhook endpoint', param: 'id' },
};
export const tableNames = Object.keys(resources) as TableName[];

export type Store = {
  get: <T extends TableName>(table: T, id: string) => Tables[T] | undefined;
  put: <T extends TableName>(table: T, row: Tables[T]) => void;
  /** The newest first: by their time and, within one second, by their order. */
  list: <T extends TableName>(table: T) => Tables[T][];
  remove: (table: TableName, id: string) => void;
  /** A new id with this prefix. The same seed and the same calls make the same ids. */
  createId: (prefix: string, length?: number) => string;
};

type Line = { ids: number; table: TableName; id: string; row?: unknown };

/**
 * Keeps objects in memory and, with a folder, in a journal that outlives the process: one line for each write, the last
 * one of an object counts. Writes are synchronous, so an object is kept before its answer.
 */
export function createStore(seed: string, dataDir: string | undefined): Store {
  const tables = Object.fromEntries(tableNames.map((name) => [name, new Map()])) as {
    [T in TableName]: Map<string, Tables[T]>;
  };
  let ids = 0;
  const journal = dataDir === undefined ? undefined : openJournal(dataDir);
  for (const line of journal?.lines ?? []) {
    const table = tables[line.table] as Map<string, unknown>;
    ids = Math.max(ids, line.ids);
    if (line.row === undefined) table.delete(line.id);
    else table.set(line.id, line.row);
  }
  const getCreated = (row: Tables[TableName]) => ('created' in row.shown ? row.shown.created : 0);
  return {
    get: (table, id) => tables[table].get(id),
    put(table, row) {
      tables[table].set(row.shown.id, row);
      journal?.write({ ids, table, id: row.shown.id, row });
    },
    list: (table) => [...tables[table].values()].reverse().sort((a, b) => getCreated(b) - getCreated(a)),
    remove(table, id) {
      tables[table].delete(id);
      journal?.write({ ids, table, id });
    },
    createId(prefix, length = 24) {
      ids += 1;
      return prefix + hashText(`${seed}/${prefix}/${ids}`, length);
    },
  };
}

/** Letters and digits, as in Stripe's ids. */
function hashText(text: string, length: number): string {
  const letters = createHash('sha512').update(text).digest('base64').replace(/[^\w]/g, '');
  return letters.repeat(Math.ceil(length / letters.length)).slice(0, length);
}

function openJournal(dataDir: string) {
  mkdirSync(dataDir, { recursive: true });
  const file = join(dataDir, 'journal.jsonl');
  const text = existsSync(file) ? readFileSync(file, 'utf8') : '';
  // A line without its end was cut off when the process died.
  const lines = text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Line);
  if (!text.endsWith('\n') && text !== '') {
    writeFileSync(`${file}.new`, lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
    renameSync(`${file}.new`, file);
  }
  return { lines, write: (line: Line) => appendFileSync(file, `${JSON.stringify(line)}\n`) };
}
