/** How images are sent to their store. */
import { randomBytes } from 'node:crypto';
import net, { type AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startFakeCloudinary } from '../../../local/fakes/cloudinary.ts';
import { parseConfig } from '../../../shared/config/config.ts';
import { onePixelPng } from '../../support/pictures.ts';

const longMs = 60_000;
let fake: Awaited<ReturnType<typeof startFakeCloudinary>>;
let connections = 0;
/** A line to the stand-in on which connections can be counted. */
const line = net.createServer((socket) => {
  connections += 1;
  const there = net.connect(Number(new URL(fake.url).port), '127.0.0.1');
  socket.pipe(there).pipe(socket);
  socket.on('error', () => there.destroy());
  there.on('error', () => socket.destroy());
  socket.on('close', () => there.destroy());
  there.on('close', () => socket.destroy());
});

beforeAll(async () => {
  fake = await startFakeCloudinary({ cloudName: 'test', apiKey: '12345', apiSecret: 'test-secret' });
  await new Promise<void>((resolve) => line.listen(0, '127.0.0.1', resolve));
});
afterAll(async () => {
  line.close();
  await fake.close();
});

async function openStore() {
  const { port } = line.address() as AddressInfo;
  const url = `cloudinary://12345:test-secret@test?upload_prefix=http://127.0.0.1:${port}`;
  // The SDK reads it when it is imported.
  process.env.CLOUDINARY_URL = url;
  const { createImageStore } = await import('../../../shared/images/cloudinary.ts');
  return createImageStore(parseConfig({ GOOGLE_CLOUD_PROJECT: 'demo-test', CLOUDINARY_URL: url }));
}

it('gives each upload a connection of its own, so that none is lost with one that was closed meanwhile', async () => {
  const images = await openStore();
  const store = (name: string) => images.store(name, [onePixelPng], longMs, new AbortController().signal);
  await store('first');
  await store('second');
  expect(connections).toBe(2);
});

it('sends the pieces of an image in order, and keeps none of them', async () => {
  const images = await openStore();
  const noise = randomBytes(2_500_000);
  const chunks = [onePixelPng, noise.subarray(0, 1_000_000), noise.subarray(1_000_000)];
  const { url } = await images.store('in-pieces', chunks, longMs, new AbortController().signal);
  const delivered = Buffer.from(await (await fetch(url)).arrayBuffer());
  expect(delivered.equals(Buffer.concat([onePixelPng, noise]))).toBe(true);
  expect(chunks).toEqual([]);
});
