/** The measuring client: plain node:http with keep-alive, so that its cost is small and the same for all servers. */
import http from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Server } from './world.ts';

export type Reply = { status: number; body: string };

/** System-wide milliseconds, comparable between the processes of one machine. */
export const now = () => Number(process.hrtime.bigint()) / 1e6;

const agent = new http.Agent({ keepAlive: true, maxSockets: 256 });
/** Closes all connections. An idle server may be closing its side. */
export const closeConnections = () => agent.destroy();

/** Longest wait for the first reply of a server, milliseconds. */
const startMsMax = 30_000;

function call(url: string, token?: string, key?: string, body?: object): Promise<Reply> {
  const headers = {
    ...(token && { authorization: `Bearer ${token}` }),
    ...(key && { 'idempotency-key': key }),
    ...(body && { 'content-type': 'application/json' }),
  };
  return body ? post(url, JSON.stringify(body), headers) : request(url, 'GET', headers);
}

/** Posts these bytes. */
export const post = (url: string, payload: string, headers: Record<string, string>) =>
  request(url, 'POST', { ...headers, 'content-length': Buffer.byteLength(payload) }, payload);

function request(
  url: string,
  method: string,
  headers: http.OutgoingHttpHeaders,
  payload?: string,
): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const request = http.request(url, { agent, method, headers }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body: text }));
      response.on('error', reject);
    });
    request.on('error', reject);
    request.end(payload);
  });
}

export const get = (url: string, token?: string) => call(url, token);

let keys = 0;

/** One `generate` under a new key. */
export function generate(url: string, token: string): Promise<Reply> {
  keys += 1;
  return call(url, token, `key-${keys}`, { prompt: 'A banana on the moon', tier: 'standard' });
}

/** One `generate`. Returns its milliseconds. @throws {Error} if it does not succeed. */
export async function timedGenerate(url: string, token: string): Promise<number> {
  const began = now();
  const reply = await generate(url, token);
  if (reply.status !== 200) throw new Error(`generate answered ${reply.status}: ${reply.body.slice(0, 300)}`);
  return now() - began;
}

/**
 * Sends a request until the port answers.
 * @throws {Error} for a reply other than 200, and if none comes in time.
 */
export async function waitForFirst200(server: Server, send: () => Promise<Reply>): Promise<void> {
  const deadline = now() + startMsMax;
  while (now() < deadline) {
    const reply = await send().catch((error: { code?: string }) => {
      if (error.code !== 'ECONNREFUSED') throw error;
    });
    if (reply?.status === 200) return;
    if (reply) throw new Error(`${server.url} answered ${reply.status}: ${reply.body.slice(0, 300)}`);
    await sleep(1);
  }
  throw new Error(`${server.url} did not answer within ${startMsMax / 1000} s`);
}
