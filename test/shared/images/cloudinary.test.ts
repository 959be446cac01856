/** How images are uploaded. */
import { randomBytes } from 'node:crypto';
import net, { type AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startFakeCloudinary } from '../../../local/fakes/cloudinary.ts';
import { parseConfig } from '../../../shared/config/config.ts';
import { onePixelPng } from '../../support/pictures.ts';

const longMs = 60_000;
let fake: Awaited<ReturnType<typeof startFakeCloudinary>>;
let connections = 0;
/** A proxy in front of the fake that counts connections. */
const proxy = net.createServer((socket) => {
  connections += 1;
  const upstream = net.connect(Number(new URL(fake.url).port), '127.0.0.1');
  socket.pipe(upstream).pipe(socket);
  socket.on('error', () => upstream.destroy());
  upstream.on('error', () => socket.destroy());
  socket.on('close', () => upstream.destroy());
  upstream.on('close', () => socket.destroy());
});

beforeAll(async () => {
  fake = await startFakeCloudinary({ cloudName: 'test', apiKey: '12345', apiSecret: 'test-secret' });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
});
afterAll(async () => {
  proxy.close();
  await fake.close();
});

async function createStore() {
  const { port } = proxy.address() as AddressInfo;
  const url = `cloudinary://12345:test-secret@test?upload_prefix=http://127.0.0.1:${port}`;
  // The SDK reads the environment when it is imported.
  process.env.CLOUDINARY_URL = url;
  const { createImageStore } = await import('../../../shared/images/cloudinary.ts');
  return createImageStore(parseConfig({ GOOGLE_CLOUD_PROJECT: 'demo-test', CLOUDINARY_URL: url }));
}

it('opens a new connection for each upload, so that none fails on a connection that was closed', async () => {
  const images = await createStore();
  const store = (name: string) => images.store(name, [onePixelPng], longMs, new AbortController().signal);
  await store('first');
  await store('second');
  expect(connections).toBe(2);
});

it('sends the chunks of an image in order, and keeps none of them', async () => {
  const images = await createStore();
  const noise = randomBytes(2_500_000);
  const chunks = [onePixelPng, noise.subarray(0, 1_000_000), noise.subarray(1_000_000)];
  const { url } = await images.store('in-chunks', chunks, longMs, new AbortController().signal);
  const delivered = Buffer.from(await (await fetch(url)).arrayBuffer());
  expect(delivered.equals(Buffer.concat([onePixelPng, noise]))).toBe(true);
  expect(chunks).toEqual([]);
});
