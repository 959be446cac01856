/**
 * A typed client for the studio's HTTP functions. It renews expired tokens, retries what is safe to retry, and turns
 * every failure into an `ApiError`. It imports only types of the contract, so you can copy this file and
 * shared/contract.ts into any web app.
 */
import type {
  AcceptTermsAnswer,
  AccountAnswer,
  AccountExport,
  BillingPortalAnswer,
  CheckoutAnswer,
  CloseAccountAnswer,
  ConfirmCheckoutAnswer,
  EnhanceAnswer,
  GalleryAnswer,
  GenerateAnswer,
  GenerateInput,
  GenerationAnswer,
  GrantAnswer,
  GrantRequest,
  LedgerAnswer,
  PacksAnswer,
  Receipt,
  ReportRequest,
  Retry,
} from '../shared/contract.ts';

type RetryPolicy = {
  /** Limit for one attempt, including the response body. */
  timeoutMs: number;
  /** No attempt starts later than this after the first one. */
  retryWindowMs: number;
  attemptsMax: number;
  /** If true, IN_PROGRESS does not count as an attempt: only the retry window ends the wait for a running generation. */
  waitsWhileInProgress?: boolean;
};
const defaultPolicy: RetryPolicy = { timeoutMs: 30_000, retryWindowMs: 60_000, attemptsMax: 3 };
const noRetryPolicy: RetryPolicy = { ...defaultPolicy, attemptsMax: 1 };
// A generation takes up to two minutes, and its hold expires after three: within four minutes every outcome is known.
const generatePolicy: RetryPolicy = {
  timeoutMs: 150_000,
  retryWindowMs: 240_000,
  attemptsMax: 5,
  waitsWhileInProgress: true,
};
const exportPolicy: RetryPolicy = { ...defaultPolicy, timeoutMs: 300_000 };
const delayMsMin = 1000;
const delayMsMax = 15_000;

export type ClientOptions = {
  /** Origin of the functions. Defaults to '', the page's own origin. */
  baseUrl?: string;
  /**
   * Returns an ID token of the signed-in user; called before every attempt. After a 401 it is called once more with
   * `forceRefresh` true and must then return a new token. With Firebase: `(force) => user.getIdToken(force)`.
   * An error thrown here is rethrown to the caller.
   */
  token: (forceRefresh: boolean) => Promise<string>;
  fetch?: typeof fetch;
  /**
   * Waits between two attempts. May resolve early. Must reject with `signal.reason` when the signal is aborted. The
   * default also resolves as soon as the browser is back online.
   */
  sleep?: (ms: number, signal?: AbortSignal) => Promise<void>;
  now?: () => number;
};

export type GenerateOptions = {
  /**
   * The Idempotency-Key: 1 to 255 printable ASCII characters, new for each image the user wants. Random by default.
   * Pass your own and save it before the call, so that a reload can continue the same generation.
   */
  key?: string;
  /** Aborting stops the wait, not the generation: the server finishes the image, and it is charged. */
  signal?: AbortSignal;
  /** Called before each wait. If `error.receipt` is there, it already has the balance after the debit. */
  onWait?: (error: ApiError, waitMs: number) => void;
  /** Called before each attempt, including the first. */
  onAttempt?: () => void;
};

/** @property pageSize 1 to 100, 20 by default. @property pageToken the `nextPageToken` of the page before. */
type Page = { pageSize?: number; pageToken?: string | undefined };
/** @property query words of the prompt. @property favourite true for favourites only. */
type GalleryPage = Page & { query?: string | undefined; favourite?: true | undefined };
type Request = { path: string; body?: unknown; key?: string; signal?: AbortSignal | undefined };
type Listeners = Pick<GenerateOptions, 'onAttempt' | 'onWait'>;
// biome-ignore lint/suspicious/noExplicitAny: the functions' answers are trusted to match the contract.
type Reply = { answer: any; headers: Headers };

type ErrorFields = Pick<ApiError, 'code' | 'reason' | 'retry'> & Partial<Omit<ApiError, keyof Error>>;

/** An error answer of a function, or no usable answer at all. Decide by `reason` and `retry`, not by `message`. */
export class ApiError extends Error {
  /** HTTP status; 0 if there was no answer. */
  declare readonly code: number;
  /**
   * One of the contract's reasons, such as INSUFFICIENT_CREDITS. Two more come from this client: UNREACHABLE (no
   * answer: network, timeout) and UNKNOWN (the answer is not from the functions: a proxy, a captive portal).
   */
  declare readonly reason: string;
  /**
   * What may follow. `same_key`: the outcome is unknown or the cause is temporary; retry with the same key, which
   * never charges twice. `new_key`: failed for good, and any charge is refunded; retry with a new key. `no`: the same request
   * would fail again.
   */
  declare readonly retry: Retry;
  /** The Retry-After header in milliseconds, at least 1000. */
  declare readonly retryAfterMs: number | undefined;
  /** Set if the generation was debited: what was charged and refunded, and the balance afterwards. */
  declare readonly receipt: Receipt | undefined;
  /** Facts that depend on the reason, such as `required` and `balance`. `generationId` is the support code. */
  declare readonly metadata: Record<string, string>;
  /** The invalid fields of an INVALID_REQUEST; otherwise empty. */
  declare readonly fieldViolations: { field: string; description: string }[];
  /** The whole answer for an error report: parsed JSON, or text if it is not JSON. */
  declare readonly body: unknown;

  constructor(message: string, fields: ErrorFields, options?: ErrorOptions) {
    super(message, options);
    Object.assign(this, { name: 'ApiError', metadata: {}, fieldViolations: [] }, fields);
  }
}

/**
 * True if an error of `generate` is final, so you can forget its key. False if the generation may still succeed, or
 * may have succeeded in an earlier attempt: keep the key and call again with it.
 */
export const isSettled = (error: unknown) =>
  error instanceof ApiError &&
  error.retry !== 'same_key' &&
  // A 401 is about the session, not about the generation.
  error.code !== 401 &&
  // A proxy rejects one attempt; an earlier attempt with the same key may have reached the functions.
  error.reason !== 'UNKNOWN';

/** Calls functions by name. Throws an `ApiError`, the error that `token` threw, or the reason of the aborted signal. */
export function createCaller({
  baseUrl = '',
  token,
  fetch = (...args) => globalThis.fetch(...args),
  sleep = pause,
  now = Date.now,
}: ClientOptions) {
  const origin = baseUrl.replace(/\/+$/, '');

  async function send(request: Request, timeoutMs: number, forceRefresh: boolean): Promise<Reply> {
    const { path, body, key, signal } = request;
    try {
      const authorization = `Bearer ${await token(forceRefresh).catch(throwTokenError)}`;
      signal?.throwIfAborted();
      const timeout = AbortSignal.timeout(timeoutMs);
      const response = await fetch(`${origin}/${path}`, {
        method: body === undefined ? 'GET' : 'POST',
        headers: {
          authorization,
          ...(body !== undefined && { 'content-type': 'application/json' }),
          ...(key !== undefined && { 'idempotency-key': key }),
        },
        body: body === undefined ? null : JSON.stringify(body),
        signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
      }).catch(throwUnreachable);
      const answer = parseJson(await response.text().catch(throwUnreachable));
      if (response.ok && typeof answer === 'object') return { answer, headers: response.headers };
      throw toApiError(response, answer, now());
    } catch (error) {
      signal?.throwIfAborted();
      throw error;
    }
  }

  async function sendWithToken(request: Request, timeoutMs: number): Promise<Reply> {
    try {
      return await send(request, timeoutMs, false);
    } catch (error) {
      if (!(error instanceof ApiError) || error.code !== 401) throw error;
      return await send(request, timeoutMs, true);
    }
  }

  async function call(request: Request, policy = defaultPolicy, listeners: Listeners = {}): Promise<Reply> {
    const { timeoutMs, retryWindowMs, attemptsMax, waitsWhileInProgress } = policy;
    const { onAttempt, onWait } = listeners;
    const { signal } = request;
    signal?.throwIfAborted();
    const giveUpAt = now() + retryWindowMs;
    for (let attempt = 1; ; ) {
      onAttempt?.();
      try {
        return await sendWithToken(request, timeoutMs);
      } catch (error) {
        if (!(error instanceof ApiError) || error.retry !== 'same_key') throw error;
        const waitMs = error.retryAfterMs ?? backoffMs(attempt);
        const isAttempt = !(waitsWhileInProgress && error.reason === 'IN_PROGRESS');
        if ((isAttempt && attempt >= attemptsMax) || now() + waitMs > giveUpAt) throw error;
        if (isAttempt) attempt++;
        onWait?.(error, waitMs);
        await sleep(waitMs, signal);
        signal?.throwIfAborted();
      }
    }
  }

  return call;
}

export type Client = ReturnType<typeof createClient>;

/** Each method throws what a caller throws. */
export function createClient(options: ClientOptions) {
  const call = createCaller(options);
  return {
    /** Balance, tiers with prices and sizes, limits. Creates the account on the user's first call. */
    account: async (): Promise<AccountAnswer> => (await call({ path: 'account' })).answer,

    /** The user's ledger entries, newest first. */
    ledger: async (page: Page = {}): Promise<LedgerAnswer> =>
      (await call({ path: `ledger${toQuery(page)}` })).answer,

    /** The user's finished images, newest first. A page of a search may be short, even empty, and not the last one. */
    gallery: async (page: GalleryPage = {}): Promise<GalleryAnswer> =>
      (await call({ path: `gallery${toQuery(page)}` })).answer,

    /** Improves a prompt. Never retried: without an improvement the user can go on with the original prompt. */
    enhance: async (prompt: string, { signal }: { signal?: AbortSignal } = {}): Promise<EnhanceAnswer> =>
      (await call({ path: 'enhance', body: { prompt }, signal }, noRetryPolicy)).answer,

    /**
     * Generates one image and waits for it. Retries with the same key for up to four minutes, so the user is charged
     * at most once. An error whose `retry` is still `same_key` has no known outcome yet: call again later with the same
     * key and the same request. `replayed` is true if this key had its image already; the receipt is then an old one.
     */
    async generate(
      request: GenerateInput,
      { key = createKey(), signal, ...listeners }: GenerateOptions = {},
    ): Promise<GenerateAnswer & { replayed: boolean }> {
      const httpRequest = { path: 'generate', body: request, key, signal };
      const { answer, headers } = await call(httpRequest, generatePolicy, listeners);
      return { ...answer, replayed: headers.get('idempotent-replayed') === 'true' };
    },

    /** One generation in any state, by its id or by its Idempotency-Key. */
    generation: async (by: { id: string } | { key: string }): Promise<GenerationAnswer> =>
      (await call({ path: `generation${toQuery(by)}` })).answer,

    /** Deletes an image and its prompt permanently; safe to repeat. IN_PROGRESS while it is still running. */
    deleteGeneration: async (id: string): Promise<GenerationAnswer> =>
      (await call({ path: 'deleteGeneration', body: { id } })).answer,

    /** Marks an image as a favourite, or takes the mark away; safe to repeat. */
    favourite: async (id: string, favourite: boolean): Promise<GenerationAnswer> =>
      (await call({ path: 'favourite', body: { id, favourite } })).answer,

    /** Makes an image public under `shareUrl`, or private again; safe to repeat. */
    share: async (id: string, shared: boolean): Promise<GenerationAnswer> =>
      (await call({ path: 'share', body: { id, shared } })).answer,

    /** Reports a shared image; anyone may, so the token can be empty. */
    report: async (request: ReportRequest): Promise<void> => {
      await call({ path: 'report', body: request });
    },
    /** Accepts the terms of this version: the one in `terms` of `account`, and in a TERMS_NOT_ACCEPTED. */
    acceptTerms: async (version: string): Promise<AcceptTermsAnswer> =>
      (await call({ path: 'acceptTerms', body: { version } })).answer,

    /** Everything that the studio keeps about the user. It can have several megabytes. */
    exportAccount: async ({ signal }: { signal?: AbortSignal } = {}): Promise<AccountExport> =>
      (await call({ path: 'exportAccount', signal }, exportPolicy)).answer,

    /** The credit packs on sale; none where nothing is sold. */
    packs: async (): Promise<PacksAnswer> => (await call({ path: 'packs' })).answer,

    /**
     * Starts the purchase of a pack: send the user to `url`, and call `confirmCheckout` when they are back. One key is
     * one purchase: use a new key only after the outcome of the last one is known.
     */
    checkout: async (pack: string, { key }: { key: string }): Promise<CheckoutAnswer> =>
      (await call({ path: 'checkout', body: { pack }, key })).answer,

    /** Asks whether a purchase is paid, and adds its credits if they are not there yet; safe to repeat. */
    confirmCheckout: async (sessionId: string): Promise<ConfirmCheckoutAnswer> =>
      (await call({ path: 'confirmCheckout', body: { sessionId } })).answer,

    /** The address of the user's receipts. NOT_FOUND if nothing was ever bought. */
    billingPortal: async (): Promise<BillingPortalAnswer> =>
      (await call({ path: 'billingPortal', body: {} })).answer,
    /** Closes the account for good; safe to repeat. SIGN_IN_AGAIN if the user signed in more than 5 minutes ago. */
    closeAccount: async (): Promise<CloseAccountAnswer> =>
      (await call({ path: 'closeAccount', body: { confirm: 'CLOSE' } })).answer,

    /** For admins: adds credits, or takes them if `amount` is negative. One key is one grant, however often sent. */
    grant: async (request: GrantRequest, { key }: { key: string }): Promise<GrantAnswer> =>
      (await call({ path: 'grant', body: request, key })).answer,
  };
}

/** 128 random bits, in the form of a UUID. Pages over plain HTTP have no `crypto.randomUUID`. */
export function createKey(): string {
  const toHex = (byte: number) => byte.toString(16).padStart(2, '0');
  const part = (bytes: number) => Array.from(crypto.getRandomValues(new Uint8Array(bytes)), toHex).join('');
  return [4, 2, 2, 2, 6].map(part).join('-');
}

/** Exponential backoff with up to 50 % jitter, so that clients do not retry all at once. */
function backoffMs(attempt: number): number {
  const maxMs = Math.min(delayMsMin * 2 ** attempt, delayMsMax);
  return Math.round(maxMs * (0.5 + Math.random() / 2));
}

/** The default `sleep`: resolves early when the browser is back online. */
function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const listening = new AbortController();
    const end = (settle: () => void) => {
      clearTimeout(timer);
      listening.abort();
      settle();
    };
    const timer = setTimeout(end, ms, resolve);
    signal?.addEventListener('abort', () => end(() => reject(signal.reason)), { signal: listening.signal });
    globalThis.addEventListener?.('online', () => end(resolve), { signal: listening.signal });
  });
}

export function toQuery(fields: Record<string, string | number | boolean | undefined>): string {
  const pairs = Object.entries(fields).filter(([, value]) => value !== undefined);
  return pairs.length === 0
    ? ''
    : `?${new URLSearchParams(pairs.map(([name, value]) => [name, `${value}`]))}`;
}

function parseJson(text: string): unknown {
  try {
    // The functions answer with objects. `null` becomes text, so that it is handled like HTML of a proxy.
    return JSON.parse(text) ?? text;
  } catch {
    return text;
  }
}

/** The request may or may not have reached the functions, so the outcome is unknown. */
function throwUnreachable(cause: unknown): never {
  const fields = { code: 0, reason: 'UNREACHABLE', retry: 'same_key' } as const;
  throw new ApiError('The studio did not answer.', fields, { cause });
}

/** Firebase refreshes tokens over the network, so `token` can fail for the same reasons as any other request. */
function throwTokenError(error: unknown): never {
  if ((error as { code?: unknown })?.code === 'auth/network-request-failed') throwUnreachable(error);
  throw error;
}

type ErrorDetail = Partial<Pick<ApiError, 'reason' | 'metadata' | 'fieldViolations'>>;
type ErrorBody = { error?: { message?: string; details?: ErrorDetail[] }; receipt?: Receipt };

function toApiError({ status: code, headers }: Response, body: unknown, now: number): ApiError {
  const { error, receipt } = body as ErrorBody;
  const details = Array.isArray(error?.details) ? error.details : [];
  const { reason = 'UNKNOWN', metadata = {} } = details.find((detail) => detail.metadata?.retry) ?? {};
  // An answer of a proxy is final only if the request itself was wrong, which 408 and 429 do not say.
  const isRefused = code >= 400 && code < 500 && code !== 408 && code !== 429;
  return new ApiError(error?.message ?? `The studio sent an unexpected answer (${code}).`, {
    code,
    reason,
    retry: (metadata.retry as Retry | undefined) ?? (isRefused ? 'no' : 'same_key'),
    retryAfterMs: parseRetryAfterMs(headers.get('retry-after'), now),
    receipt,
    metadata,
    fieldViolations: details.flatMap(({ fieldViolations = [] }) => fieldViolations),
    body,
  });
}

/** Accepts seconds, and HTTP dates as proxies may send them. Never returns less than the shortest delay. */
function parseRetryAfterMs(header: string | null, now: number): number | undefined {
  if (!header) return undefined;
  const ms = Number.isFinite(Number(header)) ? Number(header) * 1000 : Date.parse(header) - now;
  return Number.isFinite(ms) ? Math.max(delayMsMin, ms) : undefined;
}
