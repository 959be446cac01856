/** Events, and the webhook endpoints that get them. */
import { z } from 'zod';
import { type Account, apiVersion, change, getRow } from './account.ts';
import { refusal } from './errors.ts';
import { listRows } from './lists.ts';
import { address, boolean, emptyable, expand, metadata, pagination, range, text } from './params.ts';
import { type Route, route } from './route.ts';
import type { Tables } from './store.ts';

/** Stripe lists and returns events of the last 30 days. */
const secondsKept = 30 * 24 * 3600;

const isKept = ({ clock }: Account, created: number) => created > clock.seconds() - secondsKept;

const events = '/v1/events';
const endpoints = '/v1/webhook_endpoints';
const endpointsMax = 16;

export type EndpointOptions = {
  url: string;
  /** `*` by default, which wants every event. */
  enabledEvents?: string[] | undefined;
  /** A new one by default. */
  secret?: string | undefined;
  description?: string | undefined;
  metadata?: Record<string, string> | undefined;
};

export function createEndpoint(account: Account, options: EndpointOptions): Tables['endpoints'] {
  const { store, livemode, clock } = account;
  const row: Tables['endpoints'] = {
    livemode,
    secret: options.secret ?? store.createId('whsec_', 32),
    shown: {
      id: store.createId('we_1'),
      object: 'webhook_endpoint',
      api_version: apiVersion,
      application: null,
      created: clock.seconds(),
      description: options.description ?? null,
      enabled_events: options.enabledEvents ?? ['*'],
      livemode,
      metadata: options.metadata ?? {},
      status: 'enabled',
      url: options.url,
    },
  };
  store.put('endpoints', row);
  return row;
}

export const eventRoutes: Route[] = [
  route(
    ['GET', events],
    'event_read',
    z.strictObject({
      ...pagination,
      created: range.optional(),
      delivery_success: boolean.optional(),
      type: text().optional(),
      types: z.array(text()).max(20).optional(),
    }),
    (account, params) => {
      if (params.type !== undefined && params.types !== undefined) {
        throw refusal(400, { message: 'You may only specify one of these parameters: type, types.' });
      }
      return listRows(
        account,
        'events',
        events,
        params,
        (event) =>
          isKept(account, event.created) &&
          (params.type === undefined || matchesType(event.type, params.type)) &&
          (params.types === undefined || params.types.includes(event.type)) &&
          (params.delivery_success === undefined ||
            (event.pending_webhooks === 0) === params.delivery_success),
      );
    },
  ),
  route(['GET', `${events}/:id`], 'event_read', z.strictObject({ expand }), (account, _, id) => {
    const { shown } = getRow(account, 'events', id);
    if (isKept(account, shown.created)) return shown;
    throw refusal(404, { code: 'resource_missing', message: `No such event: '${id}'`, param: 'id' });
  }),
  route(
    ['POST', endpoints],
    'webhook_write',
    z.strictObject({
      api_version: text().optional(),
      description: emptyable(text()).optional(),
      enabled_events: z.array(text()).min(1),
      expand,
      metadata: metadata.optional(),
      url: address,
    }),
    (account, { enabled_events: enabledEvents, ...params }) => {
      const count = account.store
        .list('endpoints')
        .filter(({ livemode }) => livemode === account.livemode).length;
      if (count >= endpointsMax) {
        throw refusal(400, {
          message: `You have reached the maximum of ${endpointsMax} ${account.livemode ? 'live' : 'test'} webhook endpoints.`,
        });
      }
      const { shown, secret } = createEndpoint(account, { ...params, enabledEvents });
      // Only the answer to the creation has the secret.
      return { ...shown, secret };
    },
  ),
  route(['GET', endpoints], 'webhook_read', z.strictObject(pagination), (account, params) =>
    listRows(account, 'endpoints', endpoints, params),
  ),
  route(
    ['GET', `${endpoints}/:id`],
    'webhook_read',
    z.strictObject({ expand }),
    (account, _, id) => getRow(account, 'endpoints', id).shown,
  ),
  route(
    ['POST', `${endpoints}/:id`],
    'webhook_write',
    z.strictObject({
      description: emptyable(text()).optional(),
      disabled: boolean.optional(),
      enabled_events: z.array(text()).min(1).optional(),
      expand,
      metadata: metadata.optional(),
      url: address.optional(),
    }),
    (account, { disabled, expand: _, ...fields }, id) => {
      const known = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
      const status = disabled === undefined ? {} : { status: disabled ? 'disabled' : 'enabled' };
      return change(account, 'endpoints', id, { ...known, ...status }).shown;
    },
  ),
  route(['DELETE', `${endpoints}/:id`], 'webhook_write', z.strictObject({}), (account, _, id) => {
    getRow(account, 'endpoints', id);
    account.store.remove('endpoints', id);
    return { id, object: 'webhook_endpoint', deleted: true };
  }),
];

/** A type, or a group of types such as `charge.*`. */
const matchesType = (type: string, wanted: string) =>
  wanted.endsWith('*') ? type.startsWith(wanted.slice(0, -1)) : type === wanted;
