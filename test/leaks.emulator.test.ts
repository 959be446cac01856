/**
 * Nothing leaks: no reply and no log line has a key, a token, an upload signature, a prompt or a reference image,
 * even if upstreams, SDKs and our own code put them into errors. No stack trace reaches a client.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { geminiFault } from '../local/fakes/geminiFaults.ts';
import { loopback } from '../local/ports.ts';
import { createFunctionsServer, type FunctionModule, type StaticHandler } from '../shared/http/server.ts';
import { eventBody, eventHeaders } from './support/accountEvents.ts';
import { watchLeaks } from './support/leaks.ts';
import { listen } from './support/listen.ts';
import { onePixelPng } from './support/pictures.ts';
import { type Stack, startStack } from './support/stack.ts';

const geminiKey = 'AIzaSyCanaryOfTheGeminiKey0123456789abc';
const apiSecret = 'CanaryOfCloudinarysSecret42';
const prompt = 'a canary whose feathers nobody may read of';
const reference = { mimeType: 'image/png', data: onePixelPng.toString('base64') };

/** How an upstream fails and quotes the request, headers and body. */
type QuoteRequest = (request: IncomingMessage, body: string, response: ServerResponse) => void;
let quote: QuoteRequest = () => {};
let upstream: Server;
let upstreamUrl: string;
let stack: Stack;

beforeAll(async () => {
  upstream = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    quote(request, Buffer.concat(chunks).toString('latin1'), response);
  });
  upstreamUrl = `http://${await listen(upstream)}`;
  stack = await startStack();
  stack.leaks.secret(geminiKey, apiSecret, reference.data);
  stack.leaks.prompt(prompt);
  stack.gemini.always(geminiFault.blank());
});
afterAll(async () => {
  await stack.close(); // Checks every reply and log line.
  upstream.closeAllConnections();
  upstream.close();
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await stack.erase('quota/gemini-2.5-flash-image');
});

/** Generates an image on a server with this environment. `said` is the reply and the log. */
async function generateWith(
  env: Record<string, string>,
  overrides: Parameters<Stack['startServer']>[1] = {},
) {
  const server = await stack.startServer(env, overrides);
  const user = await stack.newUser();
  const before = stack.logs.length;
  const reply = await user.generate('key', { prompt, references: [reference], enhance: true }, server.url);
  await server.close();
  const said = `${JSON.stringify(reply.body)} ${JSON.stringify(stack.logs.slice(before))}`;
  return { ...reply, said };
}
/** Neither a secret nor its mask: the words never reached the reply or the log. */
function expectNoSecret(said: string): void {
  for (const word of [geminiKey, apiSecret, prompt, reference.data, '[secret]', '[token]'])
    expect(said).not.toContain(word);
}

describe('what Gemini quotes stays secret', () => {
  const withQuote =
    (status: number, more: object = {}): QuoteRequest =>
    (request, body, response) => {
      const message = `API key ${request.headers['x-goog-api-key']} and ${body} at ${request.url}`;
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ error: { code: status, status: 'FAILED', message, ...more } }));
    };
  const brokenJson: QuoteRequest = (request, body, response) =>
    void response.end(`{"key": ${request.headers['x-goog-api-key']} ${body}`);
  const html: QuoteRequest = (request, body, response) =>
    void response.writeHead(502).end(`<p>${request.headers['x-goog-api-key']} ${body}`);
  const finish: QuoteRequest = (_request, body, response) =>
    void response
      .setHeader('content-type', 'application/json')
      .end(JSON.stringify({ promptFeedback: { blockReason: 'SAFETY', blockReasonMessage: `${body}` } }));

  it.each<[string, QuoteRequest]>([
    ...[400, 401, 403, 404, 429, 499, 500, 503, 504].map((status): [string, QuoteRequest] => [
      `with ${status}`,
      withQuote(status),
    ]),
    ['as a bad key', withQuote(400, { details: [{ reason: 'API_KEY_INVALID' }] })],
    ['in a body that is not JSON', brokenJson],
    ["in a proxy's HTML page", html],
    ['as the reason of a block', finish],
    ['before the connection breaks', (_request, _body, response) => void response.destroy()],
  ])('%s', async (_how, quoteRequest) => {
    quote = quoteRequest;
    const { status, said } = await generateWith({
      GEMINI_API_KEY: geminiKey,
      GOOGLE_GEMINI_BASE_URL: upstreamUrl,
    });
    expect(status).toBeGreaterThanOrEqual(400);
    expectNoSecret(said);
  });

  it('in the address of an unreachable server', async () => {
    const env = {
      GEMINI_API_KEY: geminiKey,
      GOOGLE_GEMINI_BASE_URL: `http://${loopback}:1/?key=${geminiKey}`,
    };
    const { status, said } = await generateWith(env);
    expect(status).toBe(502);
    expectNoSecret(said);
  });
});

describe('what Cloudinary quotes stays secret', () => {
  // 12345 is the API key. It is sent with each upload and is not a secret.
  const cloudinary = (address: string) => ({
    CLOUDINARY_URL: `cloudinary://12345:${apiSecret}@test?upload_prefix=${address}`,
  });
  const stringToSign = 'overwrite=true&public_id=CanaryOfWhatWasSigned&timestamp=1';

  it.each([400, 401, 403, 404, 409, 420, 429, 500, 502, 503])('with %i', async (status) => {
    stack.leaks.secret(stringToSign, 'CanaryOfWhatWasSigned');
    quote = (_request, body, response) => {
      const message = `Invalid Signature. String to sign - '${stringToSign}${apiSecret}'. ${body}`;
      response.writeHead(status, { 'x-cld-error': stringToSign, 'content-type': 'application/json' });
      response.end(JSON.stringify({ error: { message } }));
    };
    const { body, said } = await generateWith(cloudinary(upstreamUrl));
    const isOurs = status === 401 || status === 403;
    expect(body.error.details[0].reason).toBe(isOurs ? 'PROVIDER_MISCONFIGURED' : 'STORAGE_ERROR');
    expectNoSecret(said);
    expect(said).not.toContain('WhatWasSigned');
  });

  it('in the address of an unreachable server', async () => {
    const { body, said } = await generateWith(cloudinary(`http://${loopback}:1`));
    expect(body.error.details[0].reason).toBe('STORAGE_ERROR');
    expectNoSecret(said);
  });
});

describe('what an SDK puts into its exceptions stays secret', () => {
  /** An error as HTTP clients throw it: with the whole request attached and the URL in the message. */
  const createError = (token: string) =>
    Object.assign(new Error(`GET https://host/?key=${geminiKey} failed with ${token}`), {
      config: { headers: { authorization: `Bearer ${token}`, 'x-goog-api-key': geminiKey }, data: prompt },
      response: { data: { prompt, apiSecret } },
      cause: new Error(`socket of cloudinary://12345:${apiSecret}@test`),
    });

  it.each(['imageGenerator', 'imageStore', 'gemini', 'database', 'auth'])('from the %s', async (part) => {
    const error = createError(await stack.tokenFor('canary'));
    const fails = () => Promise.reject(error);
    const methods = [
      'generateImage',
      'write',
      'store',
      'fetch',
      'destroy',
      'read',
      'commit',
      'page',
      'totals',
      'user',
    ];
    const throwing =
      part === 'imageGenerator' ? fails : Object.fromEntries(methods.map((name) => [name, fails]));
    const env = {
      GEMINI_API_KEY: geminiKey,
      CLOUDINARY_URL: `cloudinary://12345:${apiSecret}@test?upload_prefix=${stack.cloudinary.url}`,
    };
    const imageGenerator =
      part === 'gemini' || part === 'imageGenerator' ? {} : { imageGenerator: generateImage };
    const { body, said } = await generateWith(env, { ...imageGenerator, [part]: throwing });
    expect(body.error.code).toBe(500);
    expect(JSON.stringify(body)).not.toMatch(/https?:|cloudinary:|at /);
    expect(said).toContain('stack_trace');
    for (const word of [geminiKey, apiSecret, prompt]) expect(said).not.toContain(word);
    expect(said).toContain('[secret]');
  });

  const generateImage = async () => ({
    mimeType: 'image/png' as const,
    width: 1,
    height: 1,
    chunks: [onePixelPng],
    bytes: onePixelPng.length,
    model: 'model',
    providerCostMicros: 0,
  });
});

it('logs no word of a refused request', async () => {
  const user = await stack.user('refused', 10);
  const post = (body: string, headers: Record<string, string> = {}) =>
    stack.fetch('generate', {
      method: 'POST',
      body,
      headers: { authorization: `Bearer ${user.token}`, 'content-type': 'application/json', ...headers },
    });
  await post(`{"prompt": "${prompt}", `);
  await post(JSON.stringify({ prompt, tier: prompt, [prompt]: 1 }));
  await post(JSON.stringify({ prompt }), { 'content-type': 'text/plain', 'idempotency-key': prompt });
  await post(JSON.stringify({ prompt, tier: 'standard' }), { authorization: `Bearer ${user.token}x` });
  await post(JSON.stringify({ prompt, tier: 'standard' }), { authorization: user.token });
  await stack.fetch(`generation?key=${encodeURIComponent(prompt)}&${encodeURIComponent(prompt)}=1`, {
    headers: { authorization: `Bearer ${user.token}` },
  });
  await stack.fetch(encodeURIComponent(prompt));
  expect(stack.leaks.lines.join('')).not.toContain(prompt);
});

describe.each(['development', 'production', undefined])('with NODE_ENV %s no client gets', (nodeEnv) => {
  const canary = 'what only the log may have';
  const fails = () => Promise.reject(new Error(canary));
  const functions: Record<string, FunctionModule> = {
    broken: fails,
    throws: async () => Object.assign(() => fails, { spec: {} as never }),
    throwsLate: async () =>
      Object.assign(
        () => async (_request: IncomingMessage, response: ServerResponse) => {
          response.writeHead(200).write('begun');
          throw new Error(canary);
        },
        { spec: {} as never },
      ),
    brokenEvent: { event: () => fails() },
    event: { event: async () => () => fails },
    forgets: async () =>
      Object.assign(
        () => async (_request: IncomingMessage, response: ServerResponse) => {
          void fails();
          await new Promise((resolve) => setImmediate(resolve));
          response.end('all is well');
        },
        { spec: {} as never },
      ),
  };
  const site: StaticHandler = ({ url }) => {
    if (url === '/site') throw new Error(canary);
    return false;
  };
  const event = {
    method: 'POST',
    headers: { 'content-type': 'application/protobuf', ...eventHeaders('demo', 'accounts/ada') },
    body: new Uint8Array(eventBody('demo', 'accounts/ada', { after: { balance: 1 } })),
  };

  /** Sends a request. Returns the reply, the log, and what was printed past the log. */
  async function send(path: string, init: RequestInit) {
    vi.stubEnv('NODE_ENV', nodeEnv);
    const printed = vi.spyOn(console, 'error').mockImplementation(() => {});
    const leaks = watchLeaks();
    const { environment: env } = stack;
    const services = createFunctionsServer({ functions, site, env, writeLog: leaks.line });
    leaks.watchServer(services.server);
    const host = await listen(services.server);
    const reply = await fetch(`http://${host}/${path}`, init).catch(() => undefined);
    const text = await reply?.text().catch(() => 'it broke off');
    services.server.closeAllConnections();
    await services.shutdown();
    const answer = `${leaks.answers.join('')} ${text}`;
    const prints = JSON.stringify(printed.mock.calls);
    printed.mockRestore();
    return { status: reply?.status, answer, prints, logged: leaks.lines };
  }

  it.each<[string, string, RequestInit]>([
    ['a site that throws', 'site', {}],
    ['a module that does not load', 'broken', {}],
    ['a function that throws outside of its endpoint', 'throws', { method: 'POST' }],
    ['a function that throws in the middle of its reply', 'throwsLate', {}],
    ['the module of an event that does not load', 'brokenEvent', event],
    ['an event that fails', 'event', event],
  ])('the stack trace of %s', async (_what, path, init) => {
    const { status, answer, prints, logged } = await send(path, init);
    if (path !== 'throwsLate') expect(status).toBe(500);
    expect(answer).not.toMatch(/only the log|Error:|at .*\.(js|ts)|node_modules/);
    expect(prints).not.toMatch(/only the log|at /);
    expect(logged.join('')).toContain(canary);
    for (const line of logged) expect(JSON.parse(line).severity).toBe('ERROR');
  });

  it("the framework's error for a malformed event", async () => {
    const headers = { 'content-type': 'application/cloudevents+json' };
    const { status, answer } = await send('event', { method: 'POST', body: '{"broken', headers });
    expect(status).toBe(400);
    expect(answer).toContain('INVALID_REQUEST');
    expect(answer).not.toMatch(/Error:|at .*\.(js|ts)|node_modules/);
  });

  it('an unhandled rejection, but gets its reply', async () => {
    const others = process.listeners('unhandledRejection');
    process.removeAllListeners('unhandledRejection');
    const unhandled = vi.fn();
    process.on('unhandledRejection', unhandled);
    const { status, answer } = await send('forgets', {});
    process.removeAllListeners('unhandledRejection');
    for (const other of others) process.on('unhandledRejection', other);
    expect([status, unhandled.mock.calls[0]?.[0].message]).toEqual([200, canary]);
    expect(answer).toContain('all is well');
    expect(answer).not.toContain(canary);
  });
});
