/**
 * The fakes of both upstreams in their own process, so that their work is not measured. Started with fork: it
 * sends its addresses, then at each message the times of the requests since the last message.
 * Arguments: milliseconds per reply, and bytes of the ready-made image.
 */
import { randomBytes } from 'node:crypto';
import { subscribe } from 'node:diagnostics_channel';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { squarePng } from '../support/pictures.ts';
import { startFakes } from './fakes.ts';

/** When a request began to arrive and when its reply was sent, system-wide milliseconds. */
export type Mark = { path: string; beganAt: number; endedAt: number };
export type Addresses = { geminiUrl: string; cloudinaryUrl: string };

const [latencyMs = 0, imageBytes = 0] = process.argv.slice(2).map(Number);
/** A PNG with random bytes after its end, which cannot be compressed. */
const image = Buffer.concat([squarePng, randomBytes(Math.max(0, imageBytes - squarePng.length))]);

const now = () => Number(process.hrtime.bigint()) / 1e6;
const began = new WeakMap<IncomingMessage, number>();
const marks: Mark[] = [];
subscribe('http.server.request.start', (message) => {
  began.set((message as { request: IncomingMessage }).request, now());
});
subscribe('http.server.response.finish', (message) => {
  const { request } = message as { request: IncomingMessage; response: ServerResponse };
  marks.push({ path: request.url ?? '', beganAt: began.get(request) ?? 0, endedAt: now() });
  if (marks.length > 10_000) marks.shift();
});

const { gemini, cloudinary } = await startFakes(image, latencyMs, {
  keepsBytes: false,
  onRequest: () => (latencyMs > 0 ? sleep(latencyMs) : undefined),
});

process.on('message', () => process.send?.(marks.splice(0)));
process.on('disconnect', () => process.exit(0));
process.send?.({ geminiUrl: gemini.url, cloudinaryUrl: cloudinary.cloudinaryUrl } satisfies Addresses);
