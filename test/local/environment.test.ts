/** A local run uses the services that the environment names, starts the others, and refuses bad variables. */
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  createFunctionsEnvironment,
  type Endpoints,
  getBrowserUrl,
  parseLocalConfig,
} from '../../local/environment.ts';
import { localPacks } from '../../local/stripe.ts';

const endpoints: Endpoints = {
  port: 8080,
  firestoreHost: '127.0.0.1:8085',
  authHost: '127.0.0.1:9099',
  gemini: undefined,
  cloudinary: undefined,
  stripe: undefined,
};

describe('the configuration of a local run', () => {
  it('has defaults for an empty environment', () => {
    expect(parseLocalConfig({})).toEqual({
      port: 8080,
      projectId: 'demo-nano-banana-studio',
      databaseId: '(default)',
      dataDir: undefined,
      firestoreHost: undefined,
      authHost: undefined,
      gemini: 'fake',
      model: { id: 'gemini-2.5-flash-image', costMicros: 39_000 },
      cloudinary: 'fake',
      stripe: 'fake',
      packs: localPacks,
      webhookSecret: undefined,
    });
  });

  it('uses what the environment names', () => {
    const config = parseLocalConfig({
      PORT: '8090',
      GOOGLE_CLOUD_PROJECT: 'demo-other',
      LOCAL_DATA_DIR: 'kept',
      FIRESTORE_EMULATOR_HOST: '127.0.0.1:1',
      FIREBASE_AUTH_EMULATOR_HOST: 'localhost:2',
      CLOUDINARY_URL: 'cloudinary://key:secret@cloud',
    });
    expect(config).toMatchObject({
      port: 8090,
      projectId: 'demo-other',
      dataDir: resolve('kept'),
      firestoreHost: '127.0.0.1:1',
      authHost: 'localhost:2',
      cloudinary: 'Cloudinary',
    });
  });

  it.each([
    ['fake', {}],
    ['Google', { GEMINI_API_KEY: 'key' }],
    ['own server', { GEMINI_API_KEY: 'key', GOOGLE_GEMINI_BASE_URL: 'http://127.0.0.1:1' }],
    ['Vertex AI', { GOOGLE_GENAI_USE_VERTEXAI: 'true', GOOGLE_CLOUD_LOCATION: 'europe-west1' }],
  ])('uses this Gemini: %s', (gemini, env) => {
    expect(parseLocalConfig(env).gemini).toBe(gemini);
  });

  it.each([
    ['fake', {}],
    ['Stripe', { STRIPE_SECRET_KEY: 'sk_test_1' }],
    ['own server', { STRIPE_SECRET_KEY: 'sk_test_1', STRIPE_API_BASE_URL: 'http://127.0.0.1:1' }],
  ])('uses this Stripe: %s', (stripe, env) => {
    expect(parseLocalConfig(env).stripe).toBe(stripe);
  });

  it('sells the packs of the environment, also if it names none', () => {
    const packs = [{ id: 'tiny', priceId: 'price_tiny', credits: 7 }];
    expect(parseLocalConfig({ CREDIT_PACKS: 'tiny=price_tiny:7' }).packs).toEqual(packs);
    expect(parseLocalConfig({ CREDIT_PACKS: '' }).packs).toEqual([]);
  });

  it.each([
    ['PORT', { PORT: 'abc-secret' }],
    ['FIRESTORE_EMULATOR_HOST', { FIRESTORE_EMULATOR_HOST: 'http://secret' }],
    ['GOOGLE_GEMINI_BASE_URL', { GOOGLE_GEMINI_BASE_URL: 'http://secret' }],
    ['STRIPE_API_BASE_URL', { STRIPE_API_BASE_URL: 'http://secret' }],
    ['SIGNUP_CREDITS', { SIGNUP_CREDITS: 'secret' }],
  ])('is refused with a bad %s, which the message names without its value', (name, env) => {
    expect(() => parseLocalConfig(env)).toThrow(name);
    expect(() => parseLocalConfig(env)).not.toThrow('secret');
  });
});

describe("the functions' environment", () => {
  it('names every service, and no metadata server', () => {
    const gemini = { url: 'http://127.0.0.1:1', apiKey: 'fake' };
    const cloudinary = { url: 'http://127.0.0.1:2', cloudinaryUrl: 'cloudinary://a:b@demo' };
    expect(createFunctionsEnvironment({}, { ...endpoints, gemini, cloudinary }, '/tmp/run')).toEqual({
      ERASURE_LOG_BUCKET: 'file:///tmp/run/erasures',
      GOOGLE_CLOUD_PROJECT: 'demo-nano-banana-studio',
      PORT: '8080',
      FIRESTORE_EMULATOR_HOST: '127.0.0.1:8085',
      FIREBASE_AUTH_EMULATOR_HOST: '127.0.0.1:9099',
      METADATA_SERVER_DETECTION: 'none',
      GEMINI_API_KEY: 'fake',
      GOOGLE_GEMINI_BASE_URL: 'http://127.0.0.1:1',
      CLOUDINARY_URL: 'cloudinary://a:b@demo',
      PUBLIC_URL: 'http://127.0.0.1:8080',
    });
  });

  it('keeps a PUBLIC_URL that is set', () => {
    const env = { PUBLIC_URL: 'https://studio.example' };
    expect(createFunctionsEnvironment(env, endpoints, '/tmp/run').PUBLIC_URL).toBe('https://studio.example');
  });

  it('has the forwarded address in a codespace', () => {
    const env = { CODESPACE_NAME: 'blue-fox', GITHUB_CODESPACES_PORT_FORWARDING_DOMAIN: 'app.github.dev' };
    const { PUBLIC_URL } = createFunctionsEnvironment(env, endpoints, '/tmp/run');
    expect(PUBLIC_URL).toBe('https://blue-fox-8080.app.github.dev');
    expect(getBrowserUrl({}, 8080)).toBe('http://127.0.0.1:8080');
  });

  it('has no variables of Cloud Run, so that one process serves all functions', () => {
    const deployed = { K_SERVICE: 'x', K_REVISION: 'x-1', FUNCTION_TARGET: 'health', NODE_ENV: 'production' };
    const names = Object.keys(createFunctionsEnvironment(deployed, endpoints, '/tmp/run'));
    for (const name of Object.keys(deployed)) expect(names).not.toContain(name);
  });
});
