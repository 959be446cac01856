/**
 * A client of the functions: typed calls, their errors, and asking again where that is safe.
 * It imports nothing but the types of the contract, so the two files can be copied into any web app.
 */
import type {
  AccountAnswer,
  EnhanceAnswer,
  GalleryAnswer,
  GenerateAnswer,
  GenerateInput,
  GenerationAnswer,
  GrantAnswer,
  GrantRequest,
  LedgerAnswer,
  Receipt,
  Retry,
} from '../shared/contract.ts';

type Limits = {
  /** Longest wait for one answer, its body included. */
  timeoutMs: number;
  /** How long it is asked for in all; no wait is begun that would end later. */
  patienceMs: number;
  /** How often it is asked for in all. */
  attemptsMax: number;
  /** Whether IN_PROGRESS is no attempt: only patience ends the wait for a painting. */
  waitsForPainting?: boolean;
};
const ordinary: Limits = { timeoutMs: 30_000, patienceMs: 60_000, attemptsMax: 3 };
const once: Limits = { ...ordinary, attemptsMax: 1 };
// `generate` may take two minutes; no hold lasts longer than three, so four see the end of any.
const painting: Limits = {
  timeoutMs: 150_000,
  patienceMs: 240_000,
  attemptsMax: 5,
  waitsForPainting: true,
};
const delayMsMin = 1000;
const delayMsMax = 15_000;

export type ClientOptions = {
  /** Where the functions are; '' for the page's own origin. */
  baseUrl?: string;
  /** A token of the signed-in user; `anew` after a 401, to have it made anew. What it throws is thrown on. */
  token: (anew: boolean) => Promise<string>;
  fetch?: typeof fetch;
  /** Rejects with the signal's reason when it is aborted; may end early. */
  sleep?: (ms: number, signal?: AbortSignal) => Promise<void>;
  now?: () => number;
};

export type GenerateOptions = {
  /** The Idempotency-Key; a new UUID where it is left out. Keep your own to find the image after a reload. */
  key?: string;
  signal?: AbortSignal;
  /** Called before each wait; the receipt of a generation still running tells the balance already. */
  onWait?: (error: ApiError, waitMs: number) => void;
  /** Called whenever the generation is asked for. */
  onAsk?: () => void;
};

type Page = { pageSize?: number; pageToken?: string | undefined };
type Request = { path: string; body?: unknown; key?: string; signal?: AbortSignal | undefined };
type Watch = Pick<GenerateOptions, 'onAsk' | 'onWait'>;
// biome-ignore lint/suspicious/noExplicitAny: the functions' answers are trusted to be those of the contract.
type Reply = { answer: any; headers: Headers };

type ErrorFields = Pick<ApiError, 'code' | 'reason' | 'retry'> & Partial<Omit<ApiError, keyof Error>>;

/** What a function refused, in its own words; or that no function answered: UNREACHABLE or UNKNOWN. */
export class ApiError extends Error {
  /** The HTTP status; 0 where no answer came. */
  declare readonly code: number;
  /** A reason of the contract; UNREACHABLE where no answer came, UNKNOWN where it is not of the functions. */
  declare readonly reason: string;
  declare readonly retry: Retry;
  declare readonly retryAfterMs: number | undefined;
  declare readonly receipt: Receipt | undefined;
  declare readonly metadata: Record<string, string>;
  declare readonly fieldViolations: { field: string; description: string }[];
  /** The answer as it came, parsed where it is JSON: to copy, not to read. */
  declare readonly body: unknown;

  constructor(message: string, fields: ErrorFields, options?: ErrorOptions) {
    super(message, options);
    Object.assign(this, { name: 'ApiError', metadata: {}, fieldViolations: [] }, fields);
  }
}

/**
 * Whether an error of `generate` says how the generation ended, so that its key is done with. What is no
 * answer of the functions says nothing, and one to a session that has ended says nothing of the generation.
 */
export const isSettled = (error: unknown) =>
  error instanceof ApiError &&
  error.retry !== 'same_key' &&
  error.code !== 401 &&
  // A proxy's refusal is of one asking; an earlier one with the key may have come through.
  error.reason !== 'UNKNOWN';

export type Client = ReturnType<typeof createClient>;

/** Every call throws an ApiError, what `token` throws, or the reason of its aborted signal. */
export function createClient({
  baseUrl = '',
  token,
  fetch = (...args) => globalThis.fetch(...args),
  sleep = pause,
  now = Date.now,
}: ClientOptions) {
  async function ask({ path, body, key, signal }: Request, timeoutMs: number, anew: boolean): Promise<Reply> {
    try {
      const authorization = `Bearer ${await token(anew).catch(throwTokenError)}`;
      signal?.throwIfAborted();
      const timeout = AbortSignal.timeout(timeoutMs);
      const response = await fetch(`${baseUrl}/${path}`, {
        method: body === undefined ? 'GET' : 'POST',
        headers: {
          authorization,
          ...(body !== undefined && { 'content-type': 'application/json' }),
          ...(key !== undefined && { 'idempotency-key': key }),
        },
        body: body === undefined ? null : JSON.stringify(body),
        signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
      }).catch(throwUnreachable);
      const answer = parsed(await response.text().catch(throwUnreachable));
      if (response.ok && typeof answer === 'object') return { answer, headers: response.headers };
      throw readError(response, answer, now());
    } catch (error) {
      signal?.throwIfAborted();
      throw error;
    }
  }

  async function askWithToken(request: Request, timeoutMs: number): Promise<Reply> {
    try {
      return await ask(request, timeoutMs, false);
    } catch (error) {
      if (!(error instanceof ApiError) || error.code !== 401) throw error;
      return await ask(request, timeoutMs, true);
    }
  }

  async function call(request: Request, limits = ordinary, { onAsk, onWait }: Watch = {}): Promise<Reply> {
    const { timeoutMs, patienceMs, attemptsMax, waitsForPainting } = limits;
    const { signal } = request;
    signal?.throwIfAborted();
    const until = now() + patienceMs;
    for (let attempt = 1; ; ) {
      onAsk?.();
      try {
        return await askWithToken(request, timeoutMs);
      } catch (error) {
        if (!(error instanceof ApiError) || error.retry !== 'same_key') throw error;
        const waitMs = error.retryAfterMs ?? backoffMs(attempt);
        const isAttempt = !(waitsForPainting && error.reason === 'IN_PROGRESS');
        if ((isAttempt && attempt >= attemptsMax) || now() + waitMs > until) throw error;
        if (isAttempt) attempt++;
        onWait?.(error, waitMs);
        await sleep(waitMs, signal);
        signal?.throwIfAborted();
      }
    }
  }

  return {
    account: async (): Promise<AccountAnswer> => (await call({ path: 'account' })).answer,
    ledger: async (page: Page = {}): Promise<LedgerAnswer> =>
      (await call({ path: `ledger${query(page)}` })).answer,
    gallery: async (page: Page = {}): Promise<GalleryAnswer> =>
      (await call({ path: `gallery${query(page)}` })).answer,

    /** Asked for once: a prompt that was not made better is worth no wait. */
    enhance: async (prompt: string, { signal }: { signal?: AbortSignal } = {}): Promise<EnhanceAnswer> =>
      (await call({ path: 'enhance', body: { prompt }, signal }, once)).answer,

    /**
     * Asks with the same key again for as long as nothing is settled: that can never charge twice.
     * An error whose `retry` is still `same_key` was left open when patience ended: ask later with that key.
     */
    async generate(
      request: GenerateInput,
      { key = crypto.randomUUID(), signal, ...watch }: GenerateOptions = {},
    ): Promise<GenerateAnswer & { replayed: boolean }> {
      const { answer, headers } = await call(
        { path: 'generate', body: request, key, signal },
        painting,
        watch,
      );
      return { ...answer, replayed: headers.get('idempotent-replayed') === 'true' };
    },

    generation: async (by: { id: string } | { key: string }): Promise<GenerationAnswer> =>
      (await call({ path: `generation${query(by)}` })).answer,
    deleteGeneration: async (id: string): Promise<GenerationAnswer> =>
      (await call({ path: 'deleteGeneration', body: { id } })).answer,
    grant: async (request: GrantRequest, { key }: { key: string }): Promise<GrantAnswer> =>
      (await call({ path: 'grant', body: request, key })).answer,
  };
}

/** Doubling, and a random half of it taken off, so that clients do not come back all at once. */
function backoffMs(attempt: number): number {
  const most = Math.min(delayMsMin * 2 ** attempt, delayMsMax);
  return Math.round(most * (0.5 + Math.random() / 2));
}

/** The default sleep; the browser's coming back online ends it early. */
function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const ended = new AbortController();
    const end = (settle: () => void) => {
      clearTimeout(timer);
      ended.abort();
      settle();
    };
    const timer = setTimeout(end, ms, resolve);
    signal?.addEventListener('abort', () => end(() => reject(signal.reason)), { signal: ended.signal });
    globalThis.addEventListener?.('online', () => end(resolve), { signal: ended.signal });
  });
}

function query(fields: Record<string, string | number | undefined>): string {
  const given = Object.entries(fields).filter(([, value]) => value !== undefined);
  return given.length === 0
    ? ''
    : `?${new URLSearchParams(given.map(([name, value]) => [name, `${value}`]))}`;
}

function parsed(text: string): unknown {
  try {
    // An answer of the functions is an object; null is as strange as HTML.
    return JSON.parse(text) ?? text;
  } catch {
    return text;
  }
}

/** Whether the functions were reached is not known, so everything is open. */
function throwUnreachable(cause: unknown): never {
  const fields = { code: 0, reason: 'UNREACHABLE', retry: 'same_key' } as const;
  throw new ApiError('The studio did not answer.', fields, { cause });
}

/** Firebase renews a token over the network, and can lose it like any other call. */
function throwTokenError(error: unknown): never {
  if ((error as { code?: unknown })?.code === 'auth/network-request-failed') throwUnreachable(error);
  throw error;
}

type ErrorDetail = Partial<Pick<ApiError, 'reason' | 'metadata' | 'fieldViolations'>>;
type ErrorBody = { error?: { message?: string; details?: ErrorDetail[] }; receipt?: Receipt };

function readError({ status: code, headers }: Response, body: unknown, now: number): ApiError {
  const { error, receipt } = body as ErrorBody;
  const details = Array.isArray(error?.details) ? error.details : [];
  const { reason = 'UNKNOWN', metadata = {} } = details.find((detail) => detail.metadata?.retry) ?? {};
  // A proxy's answer leaves everything open unless it blames the request; a 408 or 429 of its own does not.
  const isRefused = code >= 400 && code < 500 && code !== 408 && code !== 429;
  return new ApiError(error?.message ?? `The studio's answer makes no sense (${code}).`, {
    code,
    reason,
    retry: (metadata.retry as Retry | undefined) ?? (isRefused ? 'no' : 'same_key'),
    retryAfterMs: readRetryAfterMs(headers.get('retry-after'), now),
    receipt,
    metadata,
    fieldViolations: details.flatMap(({ fieldViolations = [] }) => fieldViolations),
    body,
  });
}

/** Seconds, or a date as proxies may write it; never less than the shortest delay. */
function readRetryAfterMs(header: string | null, now: number): number | undefined {
  if (!header) return undefined;
  const ms = Number.isFinite(Number(header)) ? Number(header) * 1000 : Date.parse(header) - now;
  return Number.isFinite(ms) ? Math.max(delayMsMin, ms) : undefined;
}
