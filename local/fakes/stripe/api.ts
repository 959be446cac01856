import type { IncomingMessage } from 'node:http';
import type { Reply } from '../server.ts';
import { type Account, apiVersion } from './account.ts';
import { refusal, StripeRefusal } from './errors.ts';
import { eventRoutes } from './eventRoutes.ts';
import { type Form, parseForm } from './form.ts';
import { expandPaths } from './lists.ts';
import { objectRoutes } from './objectRoutes.ts';
import { parseParams } from './params.ts';
import { findRoute, type Route } from './route.ts';
import { sessionRoutes } from './sessionRoutes.ts';

export type Keys = {
  /** The secret key of the test mode, sk_test_…. */
  apiKey: string;
  /** The secret key of the live mode, sk_live_…; without it, no live key is accepted. */
  liveApiKey?: string | undefined;
  /** Restricted keys, rk_…, with their permissions: `customer_read`, `checkout_session_write`…. Write includes read. */
  restrictedKeys?: Record<string, readonly string[]> | undefined;
};

const routes: readonly Route[] = [...sessionRoutes, ...objectRoutes, ...eventRoutes];

type Caller = { livemode: boolean; key: string; permissions: readonly string[] | undefined };

/** A call that may be performed: `path` has `:id` for its id. */
export type ApiCall = { path: string; form: Form; perform: () => Reply };

export type ApiRequest = { method: string; url: string; headers: IncomingMessage['headers']; body: string };

/** Checks calls as Stripe does, and performs them. */
export function createApi(keys: Keys) {
  const replies = createReplayStore();

  /** Returns the call, or throws Stripe's refusal of it. */
  function checkCall(shared: Account, request: ApiRequest, requestId: string): ApiCall {
    const caller = authenticate(request.headers.authorization, keys);
    refuseVersion(request.headers['stripe-version']?.toString());
    const { pathname, search } = new URL(request.url, 'http://fake');
    const found = findRoute(routes, request.method, pathname);
    if (found === undefined) {
      throw refusal(404, {
        message: `Unrecognized request URL (${request.method}: ${pathname}). Please see https://stripe.com/docs or we can help at https://support.stripe.com/.`,
      });
    }
    const { route, id } = found;
    refusePermission(caller, route.permission);
    const form = parseForm(request.method === 'POST' ? request.body : search.slice(1));
    const key = request.method === 'POST' ? request.headers['idempotency-key']?.toString() : undefined;
    const account = {
      ...shared,
      livemode: caller.livemode,
      request: { id: requestId, idempotency_key: key ?? null },
    };
    const run = (): Reply => {
      const params = parseParams(route.params, form) as never;
      return replies.save(account, key, pathname, form, () => {
        const body = route.run(account, params, id);
        const { expand } = params as { expand?: string[] };
        return { status: 200, body: expandPaths(account, body, expand) };
      });
    };
    const replayed = replies.find(account, key, pathname, form);
    if (replayed === undefined) parseParams(route.params, form);
    return { path: route.path, form, perform: () => replies.find(account, key, pathname, form) ?? run() };
  }

  return { checkCall };
}

/** The reply of a call; a refusal is one too. */
function toReply(work: () => Reply): Reply {
  try {
    return work();
  } catch (error) {
    if (error instanceof StripeRefusal) return error.reply;
    throw error;
  }
}

const millisecondsKept = 24 * 3600 * 1000;
const keyLengthMax = 255;

/**
 * Keeps the answers to calls with an Idempotency-Key for a day, refusals too. A call with wrong parameters does not use
 * up its key, because Stripe checks them before the endpoint runs.
 */
function createReplayStore() {
  const saved = new Map<string, { path: string; params: string; reply: Reply; at: number }>();
  const getName = ({ livemode }: Account, key: string) => `${livemode}/${key}`;
  return {
    find(account: Account, key: string | undefined, path: string, form: Form): Reply | undefined {
      if (key === undefined) return undefined;
      if (key.length > keyLengthMax) {
        throw refusal(400, {
          type: 'idempotency_error',
          message: `Idempotency keys can be at most ${keyLengthMax} characters.`,
        });
      }
      const before = saved.get(getName(account, key));
      if (before === undefined || account.clock.now() - before.at >= millisecondsKept) return undefined;
      const advice = `Try using a key other than '${key}' if you meant to execute a different request.`;
      if (before.path !== path) {
        throw refusal(400, {
          type: 'idempotency_error',
          message: `Keys for idempotent requests can only be used for the same endpoint they were first used for ('${before.path}' vs '${path}'). ${advice}`,
        });
      }
      if (before.params !== JSON.stringify(form)) {
        throw refusal(400, {
          type: 'idempotency_error',
          message: `Keys for idempotent requests can only be used with the same parameters they were first used with. ${advice}`,
        });
      }
      const headers = { ...before.reply.headers, 'idempotent-replayed': 'true' };
      return { ...before.reply, headers };
    },
    save(account: Account, key: string | undefined, path: string, form: Form, work: () => Reply): Reply {
      const done = toReply(work);
      if (key === undefined) return done;
      const headers = { 'idempotency-key': key, 'original-request': account.request?.id ?? '' };
      const reply = { ...done, headers: { ...done.headers, ...headers } };
      saved.set(getName(account, key), {
        path,
        params: JSON.stringify(form),
        reply,
        at: account.clock.now(),
      });
      return reply;
    },
  };
}

/** The first and the last characters, as Stripe shows a key in an error. */
const hideKey = (key: string) =>
  key.length <= 12
    ? '*'.repeat(key.length)
    : `${key.slice(0, 8)}${'*'.repeat(key.length - 12)}${key.slice(-4)}`;

function authenticate(header: string | undefined, keys: Keys): Caller {
  const [scheme = '', credentials = ''] = (header ?? '').split(' ');
  const key =
    scheme.toLowerCase() === 'basic'
      ? (Buffer.from(credentials, 'base64').toString().split(':')[0] ?? '')
      : credentials;
  if (key === '') {
    throw refusal(401, {
      message:
        "You did not provide an API key. You need to provide your API key in the Authorization header, using Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY'). See https://stripe.com/docs/api#authentication for details, or we can help at https://support.stripe.com/.",
    });
  }
  const livemode = key.includes('_live_');
  if (key === keys.apiKey || key === keys.liveApiKey) return { livemode, key, permissions: undefined };
  const permissions = keys.restrictedKeys?.[key];
  if (permissions !== undefined) return { livemode, key, permissions };
  if (key.startsWith('pk_')) {
    throw refusal(401, {
      code: 'secret_key_required',
      message:
        'This API call cannot be made with a publishable API key. Please use a secret API key. You can find a list of your API keys at https://dashboard.stripe.com/account/apikeys.',
    });
  }
  throw refusal(401, { message: `Invalid API Key provided: ${hideKey(key)}` });
}

function refusePermission({ key, permissions }: Caller, needed: string): void {
  if (permissions === undefined || permissions.includes(needed)) return;
  if (permissions.includes(needed.replace(/_read$/, '_write'))) return;
  throw refusal(403, {
    message: `The provided key '${hideKey(key)}' does not have the required permissions for this endpoint on account 'acct_1Fake'. Having the 'rak_${needed}' permission would allow this request to continue.`,
  });
}

/** The fake has the shapes of one version. */
function refuseVersion(version: string | undefined): void {
  if (version === undefined || version === apiVersion) return;
  throw refusal(400, { message: `Invalid Stripe API version: ${version}` });
}
