/** A client of the functions: typed calls, their errors, and asking again where that is safe. */
import type {
  AccountView,
  Entry,
  GenerateInput,
  Generation,
  Receipt,
  Retry,
  Tier,
} from '../shared/contract.ts';

export type TierOffer = { id: Tier; credits: number; aspectRatio: string; width: number; height: number };
export type AccountAnswer = { account: AccountView; tiers: TierOffer[] };
export type GenerateAnswer = { generation: Generation; receipt: Receipt };
export type EntryPage = { entries: Entry[]; nextPageToken?: string };
export type GalleryPage = { generations: Generation[]; nextPageToken?: string };

/** Longest waits for an answer, milliseconds: `generate` may take two minutes to paint. */
const timeoutMs = 30_000;
const generateTimeoutMs = 150_000;
/** How long a generation is asked for: a little longer than any hold lasts, milliseconds. */
const patienceMs = 240_000;
/** How often it is asked for in all, not counting while it is being painted. */
const attemptsMax = 5;
const delayMs = (attempt: number) => Math.min(1000 * 2 ** (attempt - 1), 15_000);

type ApiErrorDetails = {
  /** The HTTP status; 0 where no answer came. */
  code: number;
  reason: string;
  retry: Retry;
  retryAfterMs?: number | undefined;
  receipt?: Receipt | undefined;
};

/** What a function refused, in its own words; or that it did not answer: UNREACHABLE. */
export class ApiError extends Error {
  readonly details: ApiErrorDetails;

  constructor(message: string, details: ApiErrorDetails) {
    super(message);
    this.details = details;
  }
}

export type GenerateProgress = {
  /** Called whenever the generation is asked for. */
  onAsk?: () => void;
  /** Called before each wait; the receipt of a generation still running tells the balance already. */
  onWait?: (error: ApiError, waitMs: number) => void;
};

export type ApiOptions = {
  /** A token of the signed-in user, a new one for `anew`. */
  token: (anew?: boolean) => Promise<string>;
  fetch?: typeof fetch;
  sleep?: (ms: number) => Promise<void>;
  now?: () => number;
};

export type Api = ReturnType<typeof createApi>;

export function createApi({
  token,
  fetch = globalThis.fetch.bind(globalThis),
  sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  now = Date.now,
}: ApiOptions) {
  async function ask(path: string, init: RequestInit, limitMs: number, anew: boolean): Promise<unknown> {
    const headers = { ...init.headers, authorization: `Bearer ${await token(anew)}` };
    let response: Response;
    let text: string;
    try {
      response = await fetch(path, { ...init, headers, signal: AbortSignal.timeout(limitMs) });
      text = await response.text();
    } catch {
      throw new ApiError('The studio did not answer.', { code: 0, reason: 'UNREACHABLE', retry: 'same_key' });
    }
    const body = parsed(text);
    if (response.ok && body !== undefined) return body;
    throw readError(response, body);
  }

  /** @throws {ApiError}; whatever `token` throws. */
  async function call(path: string, init: RequestInit = {}, limitMs = timeoutMs): Promise<unknown> {
    try {
      return await ask(path, init, limitMs, false);
    } catch (error) {
      if (!(error instanceof ApiError) || error.details.code !== 401) throw error;
      return await ask(path, init, limitMs, true);
    }
  }

  const post = (body: unknown, headers: Record<string, string> = {}): RequestInit => ({
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });

  return {
    account: async () => (await call('/account')) as AccountAnswer,

    ledger: async (pageSize: number, pageToken?: string) =>
      (await call(`/ledger?${pageQuery(pageSize, pageToken)}`)) as EntryPage,

    gallery: async (pageSize: number, pageToken?: string) =>
      (await call(`/gallery?${pageQuery(pageSize, pageToken)}`)) as GalleryPage,

    deleteGeneration: (id: string) => call('/deleteGeneration', post({ id })),

    /**
     * Asks for a generation, with the same key again for as long as nothing is settled: that can never
     * charge twice. @throws {ApiError} the last one, once it is settled or patience is at its end.
     */
    async generate(
      request: GenerateInput,
      key: string,
      { onAsk, onWait }: GenerateProgress = {},
    ): Promise<GenerateAnswer> {
      const until = now() + patienceMs;
      for (let attempt = 1; ; ) {
        try {
          onAsk?.();
          const init = post(request, { 'idempotency-key': key });
          return (await call('/generate', init, generateTimeoutMs)) as GenerateAnswer;
        } catch (error) {
          if (!(error instanceof ApiError) || error.details.retry !== 'same_key') throw error;
          const waitMs = error.details.retryAfterMs ?? delayMs(attempt);
          if (attempt >= attemptsMax || now() + waitMs > until) throw error;
          if (error.details.reason !== 'IN_PROGRESS') attempt++;
          onWait?.(error, waitMs);
          await sleep(waitMs);
        }
      }
    },
  };
}

function pageQuery(pageSize: number, pageToken: string | undefined): URLSearchParams {
  return new URLSearchParams({ pageSize: String(pageSize), ...(pageToken && { pageToken }) });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

type ErrorBody = {
  error?: { message?: string; details?: { reason?: string; metadata?: { retry?: Retry } }[] };
  receipt?: Receipt;
};

/** An answer that is not of the functions (a proxy's, say) leaves everything open unless it blames us. */
function readError({ status: code, headers }: Response, body: unknown): ApiError {
  const { error, receipt } = (body ?? {}) as ErrorBody;
  const info = error?.details?.find(({ metadata }) => metadata?.retry !== undefined);
  const seconds = Number(headers.get('retry-after') || Number.NaN);
  return new ApiError(error?.message ?? `The studio answered with an error (${code}).`, {
    code,
    reason: info?.reason ?? 'UNKNOWN',
    retry: info?.metadata?.retry ?? (code >= 400 && code < 500 ? 'no' : 'same_key'),
    retryAfterMs: Number.isFinite(seconds) ? Math.max(1, seconds) * 1000 : undefined,
    receipt,
  });
}
