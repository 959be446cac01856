import { z } from 'zod';
import { type Account, change, emit, getRow } from './account.ts';
import { refusal } from './errors.ts';
import { listRows } from './lists.ts';
import { toId } from './moneyObjects.ts';
import { createCustomer } from './objects.ts';
import { address, boolean, emptyable, expand, integer, metadata, pagination, range, text } from './params.ts';
import { createRefund, updateRefund } from './refunds.ts';
import { type Route, route } from './route.ts';
import { getCustomer } from './sessionRoutes.ts';
import type { TableName } from './store.ts';

const onlyExpand = z.strictObject({ expand });

const retrieve = (path: string, permission: string, table: TableName) =>
  route(['GET', `${path}/:id`], permission, onlyExpand, (account, _, id) => getRow(account, table, id).shown);

const listParams = <T extends z.ZodRawShape>(filters: T) =>
  z.strictObject({ ...pagination, created: range.optional(), ...filters });

const optional = text().optional();

const customerParams = z.strictObject({
  description: emptyable(text()).optional(),
  email: emptyable(text(512)).optional(),
  expand,
  metadata: metadata.optional(),
  name: emptyable(text(256)).optional(),
});

function toCustomerFields({ description, email, name, metadata: map }: z.infer<typeof customerParams>) {
  const texts = Object.entries({ description, email, name }).filter(([, value]) => value !== undefined);
  return {
    ...Object.fromEntries(texts.map(([key, value]) => [key, value === '' ? null : value])),
    ...(map === undefined ? {} : { metadata: map }),
  };
}

/** Clauses such as `email:'a@b.c' AND metadata['uid']:'u1'`. */
function parseSearch(query: string): [field: string, value: string][] {
  const clause =
    /^(?<field>email|name|metadata\[['"](?<key>[^'"]+)['"]\]):(?<quote>['"])(?<value>.*)\k<quote>$/;
  return query.split(/ AND /i).map((part) => {
    const { field = '', key, value = '' } = clause.exec(part.trim())?.groups ?? {};
    if (field === '') {
      throw refusal(400, {
        message: `We were unable to parse your search query: ${query}`,
        param: 'query',
      });
    }
    // A backslash escapes a quote or a backslash: docs.stripe.com/search#search-query-language.
    return [key === undefined ? field : `metadata.${key}`, value.replaceAll(/\\(.)/g, '$1')];
  });
}

const customerRoutes: Route[] = [
  route(['POST', '/v1/customers'], 'customer_write', customerParams, (account, params) => {
    const customer = createCustomer(account, toCustomerFields(params));
    account.store.put('customers', { livemode: account.livemode, shown: customer });
    emit(account, 'customer.created', customer);
    return customer;
  }),
  route(['GET', '/v1/customers'], 'customer_read', listParams({ email: optional }), (account, params) =>
    listRows(account, 'customers', '/v1/customers', params, (customer) =>
      'deleted' in customer ? false : params.email === undefined || customer.email === params.email,
    ),
  ),
  route(
    ['GET', '/v1/customers/search'],
    'customer_read',
    z.strictObject({ query: text(), limit: integer(1, 100).default(10), page: optional, expand }),
    (account, { query, limit }) => {
      const clauses = parseSearch(query);
      const { data, has_more } = listRows(account, 'customers', '', { limit }, (customer) => {
        if ('deleted' in customer) return false;
        const fields: Record<string, string | null | undefined> = {
          email: customer.email,
          name: customer.name,
          ...Object.fromEntries(
            Object.entries(customer.metadata).map(([key, value]) => [`metadata.${key}`, value]),
          ),
        };
        return clauses.every(([field, value]) => fields[field] === value);
      });
      return { object: 'search_result', url: '/v1/customers/search', has_more, data, next_page: null };
    },
  ),
  retrieve('/v1/customers', 'customer_read', 'customers'),
  route(['POST', '/v1/customers/:id'], 'customer_write', customerParams, (account, params, id) => {
    getCustomer(account, id);
    const { shown, previous } = change(account, 'customers', id, toCustomerFields(params));
    emit(account, 'customer.updated', shown, previous);
    return shown;
  }),
  route(['DELETE', '/v1/customers/:id'], 'customer_write', z.strictObject({}), (account, _, id) => {
    const { livemode, shown } = getRow(account, 'customers', id);
    if ('deleted' in shown) {
      throw refusal(404, { code: 'resource_missing', message: `No such customer: '${id}'`, param: 'id' });
    }
    emit(account, 'customer.deleted', shown);
    const deleted = { id, object: 'customer', deleted: true } as const;
    account.store.put('customers', { livemode, shown: deleted });
    return deleted;
  }),
];

const priceRoutes: Route[] = [
  route(
    ['GET', '/v1/prices'],
    'plan_read',
    listParams({ active: boolean.optional(), currency: optional, product: optional }),
    (account, params) =>
      listRows(
        account,
        'prices',
        '/v1/prices',
        params,
        ({ active, currency, product }) =>
          (params.active === undefined || active === params.active) &&
          (params.currency === undefined || currency === params.currency) &&
          (params.product === undefined || product === params.product),
      ),
  ),
  retrieve('/v1/prices', 'plan_read', 'prices'),
  route(
    ['POST', '/v1/prices/:id'],
    'plan_write',
    z.strictObject({ active: boolean.optional(), expand }),
    (account, { active }, id) => setPriceActive(account, id, active),
  ),
];

export function setPriceActive(account: Account, id: string, active: boolean | undefined) {
  const { shown, previous } = change(account, 'prices', id, active === undefined ? {} : { active });
  emit(account, 'price.updated', shown, previous);
  return shown;
}

/** Lists the objects of a table with this charge and payment intent, where the parameters name one. */
const listByCharge = (path: string, permission: string, table: 'refunds' | 'disputes') =>
  route(
    ['GET', path],
    permission,
    listParams({ charge: optional, payment_intent: optional }),
    (account, params) =>
      listRows(
        account,
        table,
        path,
        params,
        ({ charge, payment_intent: intent }) =>
          (params.charge === undefined || toId(charge) === params.charge) &&
          (params.payment_intent === undefined || toId(intent) === params.payment_intent),
      ),
  );

const paymentRoutes: Route[] = [
  route(
    ['GET', '/v1/payment_intents'],
    'payment_intent_read',
    listParams({ customer: optional }),
    (account, params) =>
      listRows(
        account,
        'paymentIntents',
        '/v1/payment_intents',
        params,
        ({ customer }) => params.customer === undefined || toId(customer) === params.customer,
      ),
  ),
  retrieve('/v1/payment_intents', 'payment_intent_read', 'paymentIntents'),
  route(
    ['GET', '/v1/charges'],
    'charge_read',
    listParams({ customer: optional, payment_intent: optional }),
    (account, params) =>
      listRows(
        account,
        'charges',
        '/v1/charges',
        params,
        ({ customer, payment_intent: intent }) =>
          (params.customer === undefined || toId(customer) === params.customer) &&
          (params.payment_intent === undefined || toId(intent) === params.payment_intent),
      ),
  ),
  retrieve('/v1/charges', 'charge_read', 'charges'),
  route(
    ['POST', '/v1/refunds'],
    'charge_write',
    z.strictObject({
      amount: integer(1).optional(),
      charge: optional,
      expand,
      metadata: metadata.optional(),
      payment_intent: optional,
      reason: z.enum(['duplicate', 'fraudulent', 'requested_by_customer']).optional(),
    }),
    (account, params) => createRefund(account, params),
  ),
  listByCharge('/v1/refunds', 'charge_read', 'refunds'),
  retrieve('/v1/refunds', 'charge_read', 'refunds'),
  route(
    ['POST', '/v1/refunds/:id'],
    'charge_write',
    z.strictObject({ expand, metadata: metadata.optional() }),
    (account, params, id) => updateRefund(account, id, params.metadata ?? {}),
  ),
  listByCharge('/v1/disputes', 'dispute_read', 'disputes'),
  retrieve('/v1/disputes', 'dispute_read', 'disputes'),
  route(
    ['GET', '/v1/invoices'],
    'invoice_read',
    listParams({
      customer: optional,
      status: z.enum(['draft', 'open', 'paid', 'uncollectible', 'void']).optional(),
    }),
    (account, params) =>
      listRows(
        account,
        'invoices',
        '/v1/invoices',
        params,
        ({ customer, status }) =>
          (params.customer === undefined || toId(customer) === params.customer) &&
          (params.status === undefined || status === params.status),
      ),
  ),
  retrieve('/v1/invoices', 'invoice_read', 'invoices'),
];

const portalRoute = route(
  ['POST', '/v1/billing_portal/sessions'],
  'customer_portal_write',
  z.strictObject({ customer: text(), expand, locale: optional, return_url: address.optional() }),
  (account, params) => {
    getCustomer(account, params.customer);
    const { clock, livemode, store, url } = account;
    const session = {
      id: store.createId('bps_1'),
      object: 'billing_portal.session',
      after_expiration: null,
      configuration: 'bpc_1FakeConfiguration',
      created: clock.seconds(),
      customer: params.customer,
      customer_account: null,
      flow: null,
      livemode,
      locale: null,
      on_behalf_of: null,
      return_url: params.return_url ?? null,
      url: `${url}/p/session/${store.createId(livemode ? 'live_' : 'test_', 40)}`,
    } as const;
    store.put('portalSessions', { livemode, shown: session });
    return session;
  },
);

export const objectRoutes: Route[] = [...customerRoutes, ...priceRoutes, ...paymentRoutes, portalRoute];
