import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** An answer of a fake. A body that is neither text nor bytes is sent as JSON. */
export type Reply = {
  status: number;
  headers?: Record<string, string>;
  body: string | Uint8Array | object;
};

/**
 * What can go wrong between a client and a service. With `afterWork`, the service does the work (generates and bills
 * an image, stores, deletes) and only the answer is lost. `truncate` and `delay` always do the work.
 */
export type WireFault = { afterWork?: boolean } & (
  | ({ kind: 'reply' } & Reply)
  | { kind: 'reset'; when: 'before-headers' | 'after-headers' }
  | { kind: 'hang' }
  | { kind: 'drip'; everyMs: number }
  | { kind: 'truncate' }
  | { kind: 'delay'; ms: number }
);

/** Faults of any HTTP service. The faults of one service are in its own file. */
export const wireFault = {
  /** An empty body. With status 200 it looks like a success. */
  emptyBody: (status: 200 | 500 = 200) => ({ kind: 'reply', status, body: '' }) as const,
  /** An HTML page from a proxy in front of the service, instead of JSON. */
  html: (status = 502) =>
    ({
      kind: 'reply',
      status,
      headers: { 'content-type': 'text/html; charset=UTF-8' },
      body: `<!DOCTYPE html><html><head><title>Error ${status}</title></head><body>Try again in 30 seconds.</body></html>`,
    }) as const,
  reset: (when: 'before-headers' | 'after-headers' = 'before-headers') => ({ kind: 'reset', when }) as const,
  /** Never answers. The connection stays open until the client or `close()` closes it. */
  hang: () => ({ kind: 'hang' }) as const,
  /** Status 200, then endless spaces, so that an idle timeout never fires. */
  drip: (everyMs = 200) => ({ kind: 'drip', everyMs }) as const,
  /** A complete HTTP response with only the first half of its JSON. */
  truncate: () => ({ kind: 'truncate' }) as const,
  delay: (ms: number) => ({ kind: 'delay', ms }) as const,
};

/** A queue of steps for single requests, and a default step for all others. */
export function createFaultScript<Step>() {
  const queue: Step[] = [];
  let defaultStep: Step | undefined;
  return {
    script: (...steps: Step[]) => void queue.push(...steps),
    always: (step: Step | undefined) => {
      defaultStep = step;
    },
    /** Removes and returns the first matching step of the queue; otherwise the default step, if it matches. */
    take(matches: (step: Step) => boolean): Step | undefined {
      const index = queue.findIndex(matches);
      if (index >= 0) return queue.splice(index, 1)[0];
      return defaultStep !== undefined && matches(defaultStep) ? defaultStep : undefined;
    },
  };
}

export type RunningServer = {
  url: string;
  /** Aborted by `close()`, to cancel every timer of the fake. */
  closing: AbortSignal;
  close: () => Promise<void>;
};

/**
 * Serves `handle` on `port`, by default a free one. `close` closes open connections at once, so that a hanging answer
 * never delays the end of a test. If `handle` throws, the fake has a bug: it answers 500 with the stack trace.
 */
export async function startServer(
  { host = '127.0.0.1', port = 0 }: { host?: string | undefined; port?: number | undefined },
  handle: (request: IncomingMessage, response: ServerResponse, closing: AbortSignal) => Promise<void>,
): Promise<RunningServer> {
  const closer = new AbortController();
  const server = createServer((request, response) => {
    handle(request, response, closer.signal).catch((error: unknown) => {
      if (closer.signal.aborted || request.destroyed || response.destroyed) return;
      if (response.headersSent) response.destroy();
      else send(response, { status: 500, body: error instanceof Error ? `${error.stack}` : String(error) });
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  const address = server.address() as AddressInfo;
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${address.port}`,
    closing: closer.signal,
    close: () =>
      new Promise((resolve) => {
        closer.abort();
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/**
 * Reads the whole body; undefined if it is longer than `bytesMax`. A long body is still read to its end, because a
 * client that is still sending would see a broken pipe instead of the answer.
 */
export async function readBody(request: IncomingMessage, bytesMax: number): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length <= bytesMax) chunks.push(chunk);
  }
  return length <= bytesMax ? Buffer.concat(chunks) : undefined;
}

function encode(reply: Reply): { headers: Record<string, string>; bytes: Buffer } {
  const { body } = reply;
  if (typeof body === 'string') {
    return {
      headers: { 'content-type': 'text/plain; charset=UTF-8', ...reply.headers },
      bytes: Buffer.from(body),
    };
  }
  if (body instanceof Uint8Array) return { headers: { ...reply.headers }, bytes: Buffer.from(body) };
  return {
    headers: { 'content-type': 'application/json; charset=UTF-8', ...reply.headers },
    bytes: Buffer.from(JSON.stringify(body)),
  };
}

/** Sends an answer, or only its first `bytesKept` bytes. Does nothing if the client has disconnected. */
export function send(response: ServerResponse, reply: Reply, bytesKept = Number.POSITIVE_INFINITY): void {
  if (response.destroyed) return;
  const { headers, bytes } = encode(reply);
  const sentBytes = bytes.subarray(0, Math.min(bytes.length, bytesKept));
  response.writeHead(reply.status, { ...headers, 'content-length': String(sentBytes.length) });
  response.end(sentBytes);
}

/**
 * Sends the result of `work`, changed by `fault`. Resolves when the answer is on its way. A hanging or dripping answer
 * continues until the client disconnects or the server closes.
 */
export async function answer(
  response: ServerResponse,
  fault: WireFault | undefined,
  closing: AbortSignal,
  work: () => Promise<Reply>,
): Promise<void> {
  if (fault === undefined) return send(response, await work());
  if (fault.kind === 'delay') {
    await sleep(fault.ms, undefined, { signal: closing });
    return send(response, await work());
  }
  if (fault.kind === 'truncate') {
    const reply = await work();
    return send(response, reply, Math.floor(encode(reply).bytes.length / 2));
  }
  if (fault.afterWork) await work();
  if (fault.kind === 'reply') return send(response, fault);
  if (fault.kind === 'reset') return breakConnection(response, fault.when);
  if (fault.kind === 'drip') return drip(response, fault.everyMs, closing);
}

function breakConnection(response: ServerResponse, when: 'before-headers' | 'after-headers'): void {
  if (when === 'before-headers') {
    response.socket?.resetAndDestroy();
    return;
  }
  response.writeHead(200, { 'content-type': 'application/json; charset=UTF-8', 'content-length': '100000' });
  // End the connection without a TCP reset: a reset may overtake the headers, and the client's error would be random.
  response.write('{', () => response.socket?.destroy());
}

function drip(response: ServerResponse, everyMs: number, closing: AbortSignal): void {
  if (response.destroyed || closing.aborted) return;
  response.writeHead(200, { 'content-type': 'application/json; charset=UTF-8' });
  response.write(' ');
  const timer = setInterval(() => response.write(' '), everyMs);
  response.once('close', () => clearInterval(timer));
}
