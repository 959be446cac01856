/** The client that measures: plain node:http over kept connections, so that it costs little and the same for all. */
import http from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Server } from './world.ts';

export type Reply = { status: number; body: string };

/** System-wide milliseconds, comparable between processes of one machine. */
export const now = () => Number(process.hrtime.bigint()) / 1e6;

const agent = new http.Agent({ keepAlive: true, maxSockets: 256 });
/** Lets go of connections that a server which was left alone for a while may be closing. */
export const forgetConnections = () => agent.destroy();

/** How long a server may take until it answers at all, milliseconds. */
const startMsMax = 30_000;

function call(url: string, token?: string, key?: string, body?: object): Promise<Reply> {
  const payload = body && JSON.stringify(body);
  const headers = {
    ...(token && { authorization: `Bearer ${token}` }),
    ...(key && { 'idempotency-key': key }),
    ...(payload && { 'content-type': 'application/json', 'content-length': Buffer.byteLength(payload) }),
  };
  return new Promise((resolve, reject) => {
    const request = http.request(url, { agent, method: payload ? 'POST' : 'GET', headers }, (response) => {
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

/** One `generate` under a key of its own. */
export function generate(url: string, token: string): Promise<Reply> {
  keys += 1;
  return call(url, token, `key-${keys}`, { prompt: 'A banana on the moon', tier: 'standard' });
}

/** As `generate`, but anything other than success ends the measurement. Gives its milliseconds. */
export async function timedGenerate(url: string, token: string): Promise<number> {
  const began = now();
  const reply = await generate(url, token);
  if (reply.status !== 200) throw new Error(`generate answered ${reply.status}: ${reply.body.slice(0, 300)}`);
  return now() - began;
}

/**
 * Asks until the port answers.
 * @throws {Error} for an answer that is no 200, and when none comes.
 */
export async function untilFirst200(server: Server, ask: () => Promise<Reply>): Promise<void> {
  const deadline = now() + startMsMax;
  while (now() < deadline) {
    const reply = await ask().catch((error: { code?: string }) => {
      if (error.code !== 'ECONNREFUSED') throw error;
    });
    if (reply?.status === 200) return;
    if (reply) throw new Error(`${server.url} answered ${reply.status}: ${reply.body.slice(0, 300)}`);
    await sleep(1);
  }
  throw new Error(`${server.url} did not answer within ${startMsMax / 1000} s`);
}
