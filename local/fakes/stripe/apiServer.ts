import type { ServerResponse } from 'node:http';
import { answer, createFaultScript, type Reply, send } from '../server.ts';
import { type Account, apiVersion } from './account.ts';
import { type ApiRequest, createApi, type Keys } from './api.ts';
import { StripeRefusal } from './errors.ts';
import type { StripeStep } from './faults.ts';
import { type Form, parseForm } from './form.ts';

/** One API call as it arrived. Refused calls are recorded too. */
export type StripeRequest = {
  method: string;
  /** Without the query. */
  path: string;
  /** Of the body or the query. */
  params: Form;
  idempotencyKey: string | undefined;
  /** Milliseconds since 1970. */
  at: number;
  /** The status of the refusal, if the call was refused. */
  refused?: number;
  /** True if the answer is that of an earlier call with the same Idempotency-Key. */
  replayed?: boolean;
};

export type ApiOptions = Keys & {
  /** Awaited before the answer to a valid call. */
  onRequest?: ((request: StripeRequest) => Promise<void> | void) | undefined;
  requestsMax: number;
};

/** Answers API calls, remembers them, and applies the scripted faults. */
export function createApiServer(account: Account, options: ApiOptions) {
  const api = createApi(options);
  const requests: StripeRequest[] = [];
  const faults = createFaultScript<StripeStep>();

  function remember({ method, url, headers, body }: ApiRequest): StripeRequest {
    const { pathname, search } = new URL(url, 'http://fake');
    const record: StripeRequest = {
      method,
      path: pathname,
      params: parseForm(method === 'POST' ? body : search.slice(1)),
      idempotencyKey: headers['idempotency-key']?.toString(),
      at: Date.now(),
    };
    requests.push(record);
    if (requests.length > options.requestsMax) requests.shift();
    return record;
  }

  async function answerCall(request: ApiRequest, response: ServerResponse, closing: AbortSignal) {
    const record = remember(request);
    const requestId = account.store.createId('req_', 14);
    const finish = (reply: Reply): Reply => {
      if (reply.status >= 400) record.refused = reply.status;
      if (reply.headers?.['idempotent-replayed']) record.replayed = true;
      const headers = { 'request-id': requestId, 'stripe-version': apiVersion };
      return { ...reply, headers: { ...headers, ...reply.headers } };
    };
    try {
      const call = api.checkCall(account, request, requestId);
      await options.onRequest?.(record);
      const step = faults.take(
        ({ method = request.method, path = call.path }) => method === request.method && path === call.path,
      );
      await answer(response, step, closing, async () => finish(call.perform()));
    } catch (error) {
      if (!(error instanceof StripeRefusal)) throw error;
      send(response, finish(error.reply));
    }
  }

  return { answerCall, requests, script: faults.script, always: faults.always };
}
