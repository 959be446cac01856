/** The commands of `npm run admin` that call a function. */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

export type AdminCall = {
  name: string;
  query?: Record<string, string>;
  body?: object;
  /** The Idempotency-Key of a grant. */
  key?: string;
};
type Flags = {
  key?: string | undefined;
  generation?: string | undefined;
  from?: string | undefined;
  to?: string | undefined;
};

const dayMs = 86_400_000;

/**
 * The call of a command; undefined if there is no such command, or a word is missing.
 * @throws {Error} for an e-mail address in the place of a uid.
 */
export function parseCall(
  [command, first, ...rest]: string[],
  flags: Flags,
  now: Date,
): AdminCall | undefined {
  const words = rest.join(' ');
  if (first?.includes('@') && command && ['show', 'grant', 'suspend', 'restore'].includes(command))
    throw new Error(`${command} takes a uid. To see that of ${first}: npm run admin -- find ${first}`);
  switch (command) {
    case 'overview': {
      const { from = new Date(now.getTime() - dayMs).toISOString(), to = now.toISOString() } = flags;
      return { name: 'adminOverview', query: { from, to } };
    }
    case 'find':
      return first ? { name: 'adminAccounts', query: { find: [first, ...rest].join(' ') } } : undefined;
    case 'show':
      return first ? { name: 'adminAccount', query: { uid: first } } : undefined;
    case 'grant': {
      const [amount, ...reason] = rest;
      if (!first || !/^-?\d+$/.test(amount ?? '') || reason.length === 0) return undefined;
      const { key = randomUUID(), generation: generationId } = flags;
      const body = {
        uid: first,
        amount: Number(amount),
        reason: reason.join(' '),
        ...(generationId && { generationId }),
      };
      return { name: 'grant', body, key };
    }
    case 'suspend':
    case 'restore': {
      const suspended = command === 'suspend';
      return first && words ? { name: 'suspend', body: { uid: first, suspended, reason: words } } : undefined;
    }
    default:
      return undefined;
  }
}

/** The pauses before the call is repeated with the same key, milliseconds. Each call may be repeated without harm. */
const pausesMs = [500, 2_000, 5_000];

/**
 * Calls the function, again if it could not answer.
 * @throws {Error} with the server's answer if it refuses.
 */
export async function callFunction(
  { name, query = {}, body, key }: AdminCall,
  { url, token, pauses = pausesMs }: { url: string; token: string; pauses?: readonly number[] },
): Promise<unknown> {
  const search = new URLSearchParams(query).toString();
  const address = `${url}/${name}${search && `?${search}`}`;
  const request = {
    method: body ? 'POST' : 'GET',
    headers: {
      authorization: `Bearer ${token}`,
      ...(body && { 'content-type': 'application/json' }),
      ...(key && { 'idempotency-key': key }),
    },
    ...(body && { body: JSON.stringify(body) }),
  };
  for (let attempt = 0; ; attempt += 1) {
    const response = await fetch(address, request).catch((error: Error) => error);
    const text = response instanceof Error ? response.message : await response.text();
    if (!(response instanceof Error) && response.ok) return JSON.parse(text);
    const status = response instanceof Error ? 'not' : response.status;
    const isRefused = typeof status === 'number' && status < 500;
    const pause = pauses[attempt];
    if (isRefused || pause === undefined) {
      const again = key && !isRefused ? `\nTo try the same grant again, pass --key ${key}` : '';
      throw new Error(`${name} answered ${status}: ${readMessage(text)}${again}`);
    }
    await sleep(pause);
  }
}

/** The message of an error in the form of our API, or else the text itself. */
function readMessage(text: string): string {
  try {
    const { message, details } = JSON.parse(text).error;
    return `${message} (${details[0].reason})`;
  } catch {
    return text.slice(0, 500);
  }
}
