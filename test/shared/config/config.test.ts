/** Which environments are accepted, what they mean, and how a bad one is refused. */
import { describe, expect, it } from 'vitest';
import { ConfigError, getSecrets, parseConfig } from '../../../shared/config/config.ts';
import { variables } from './variables.ts';

type Env = Record<string, string | undefined>;
const project = { GOOGLE_CLOUD_PROJECT: 'nano-studio' };
const parse = (env: Env = {}) => parseConfig({ ...project, ...env });

/** The message that refuses an environment. */
function refusal(env: Env): string {
  try {
    parseConfig(env);
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return (error as Error).message;
  }
  throw new Error('The environment was accepted');
}

describe.each(variables)('$name', ({ name, read, fallback, emptyIs = fallback, alongside, good, bad }) => {
  it('has its default if it is unset or empty', () => {
    expect(read(parse())).toEqual(fallback);
    expect(read(parse({ [name]: undefined }))).toEqual(fallback);
    expect(read(parse({ [name]: '' }))).toEqual(emptyIs);
  });

  it.each(good)('accepts %s', (value, parsed) => {
    expect(read(parse({ ...alongside, [name]: value }))).toEqual(parsed);
  });

  if (bad.length === 0) return;
  it.each(bad)('refuses %j with a message that names the variable, not the value', (value) => {
    const message = refusal({ ...project, [name]: value });
    expect(message).toMatch(new RegExp(`^Bad environment: ${name} must [^;]+\\.$`));
    expect(message).not.toContain('hunter2');
  });
});

describe('a number out of its range is refused with the range', () => {
  const bad = ['-1', '1.5', 'hunter2', '999999999999999'];
  it.each<[string, range: string]>([
    ['SIGNUP_CREDITS', '0 to 1,000,000'],
    ['ALLOWANCE_CREDITS', '0 to 1,000,000'],
    ['PORT', '0 to 65,535'],
    ['RETRY_ATTEMPTS', '1 to 10'],
    ['GENERATE_TIMEOUT_MS', '100 to 3,500,000'],
    ['CACHE_TTL_SECONDS', '0 to 31,536,000'],
    ['MAX_IN_FLIGHT_PER_USER', '1 to 1,000'],
  ])('%s', (name, range) => {
    for (const value of bad) {
      const message = refusal({ ...project, [name]: value });
      expect(message).toBe(`Bad environment: ${name} must be a whole number from ${range}.`);
    }
  });

  it.each<[string, value: string, range: string]>([
    ['MAX_SPEND_PER_DAY_USD', '-1', 'from 0 to 999,999,999.999999'],
    ['IMAGEGEN_MODEL_COSTS_USD', 'a=-1', 'from 0 to 999,999.999999'],
    ['TIER_CREDITS', 'standard=-1,premium2=2,premium4=4', 'from 1 to 999,999'],
  ])('%s', (name, value, range) => {
    expect(refusal({ ...project, [name]: value })).toContain(range);
  });

  it('and the range is true', () => {
    expect(parse({ MAX_SPEND_PER_DAY_USD: '999999999.999999' }).maxSpendPerDayMicros).toBe(
      999_999_999_999_999,
    );
    expect(parse({ TIER_CREDITS: 'standard=1,premium2=2,premium4=999999' }).tierCredits.premium4).toBe(
      999_999,
    );
    expect(parse({ IMAGEGEN_MODEL_COSTS_USD: 'a=999999.999999' }).modelCostMicros.a).toEqual({
      '1K': 999_999_999_999,
    });
  });
});

describe('the model', () => {
  it('comes from IMAGEGEN_MODEL_ID if both names are set', () => {
    const [newer, older] = ['gemini-3-pro-image', 'gemini-nano-banana-2.1'];
    const both = { IMAGEGEN_MODEL_ID: newer, IMAGEGEN_GEMINI_MODEL_ID: older };
    expect(parse(both).modelId).toBe(newer);
    expect(parse({ ...both, IMAGEGEN_MODEL_ID: '' }).modelId).toBe(older);
  });

  const names = ['IMAGEGEN_MODEL_ID', 'IMAGEGEN_GEMINI_MODEL_ID', 'IMAGEGEN_FALLBACK_MODEL_IDS'];
  const imagen = ['imagen-4.0-fast-generate-001', 'imagen-3.0-generate-002', 'imagen-hunter2'];
  it.each(names.flatMap((name) => imagen.map((id) => [name, id] as const)))(
    'from %s may not be %s, and the message names its successor',
    (name, id) => {
      const message = refusal({ ...project, [name]: id });
      expect(message).toMatch(new RegExp(`^Bad environment: ${name} names an Imagen model`));
      expect(message).toContain('gemini-nano-banana-2.1');
      expect(message).not.toContain(id);
    },
  );

  it.each(names)('from %s may be unknown only if its cost is configured', (name) => {
    const env = { [name]: 'hunter2-image' };
    const message = refusal({ ...project, ...env });
    expect(message).toContain('IMAGEGEN_MODEL_COSTS_USD');
    expect(message).toMatch(/IMAGEGEN_\w*MODEL_IDS?\b/);
    expect(message).not.toContain('hunter2');
    refusal({ ...project, ...env, IMAGEGEN_MODEL_COSTS_USD: 'hunter3-image=0.05' });
    expect(parse({ ...env, IMAGEGEN_MODEL_COSTS_USD: 'hunter2-image=0.05' }).modelIds).toContain(
      'hunter2-image',
    );
  });

  it.each(['toString', '__proto__', 'constructor'])(
    'is unknown if it is the name of an object property: %s',
    (id) => {
      expect(refusal({ ...project, IMAGEGEN_MODEL_ID: id })).toContain('IMAGEGEN_MODEL_COSTS_USD');
    },
  );

  it('is called once, in the configured order, even if it is configured twice', () => {
    const env = {
      IMAGEGEN_MODEL_ID: 'gemini-3-pro-image',
      IMAGEGEN_FALLBACK_MODEL_IDS: 'gemini-3.1-flash-lite-image,gemini-3-pro-image,gemini-2.5-flash-image',
    };
    expect(parse(env).modelIds).toEqual([
      'gemini-3-pro-image',
      'gemini-3.1-flash-lite-image',
      'gemini-2.5-flash-image',
    ]);
  });
});

describe('the project', () => {
  it.each<Env>([{}, { GOOGLE_CLOUD_PROJECT: '' }, { GOOGLE_CLOUD_PROJECT: undefined }])(
    'is required: %j',
    (env) => {
      expect(refusal(env)).toBe('Bad environment: GOOGLE_CLOUD_PROJECT is required.');
    },
  );

  it('is read from an environment with other variables', () => {
    expect(parse({ PATH: '/bin', HOME: '/root', npm_config_x: 'y' }).projectId).toBe('nano-studio');
  });
});

describe('several bad variables', () => {
  it('are all named in one message without their values', () => {
    const message = refusal({
      PORT: 'hunter2-port',
      CLOUDINARY_URL: 'cloudinary://12345:hunter2',
      IMAGEGEN_PROVIDER: 'hunter2-provider',
      SIGNUP_CREDITS: '-12345',
    });
    for (const name of [
      'GOOGLE_CLOUD_PROJECT',
      'PORT',
      'CLOUDINARY_URL',
      'IMAGEGEN_PROVIDER',
      'SIGNUP_CREDITS',
    ]) {
      expect(message).toContain(name);
    }
    expect(message).not.toMatch(/hunter2|12345/);
  });
});

describe('on Cloud Run', () => {
  const identityKey = 'k'.repeat(32);
  const deployed = { ...project, K_SERVICE: 'generate', IDENTITY_HASH_KEY: identityKey };

  it.each([
    'FIRESTORE_EMULATOR_HOST',
    'FIREBASE_AUTH_EMULATOR_HOST',
    'FIREBASE_STORAGE_EMULATOR_HOST',
    'PUBSUB_EMULATOR_HOST',
  ])('refuses to start with %s', (name) => {
    const message = refusal({ ...deployed, [name]: '10.11.12.13:8085' });
    expect(message).toContain(name);
    expect(message).toContain('K_SERVICE');
    expect(message).not.toContain('10.11.12.13');
  });

  it('names every emulator in the message', () => {
    const message = refusal({
      ...deployed,
      FIRESTORE_EMULATOR_HOST: 'a:1',
      FIREBASE_AUTH_EMULATOR_HOST: 'b:2',
    });
    expect(message).toContain('FIRESTORE_EMULATOR_HOST');
    expect(message).toContain('FIREBASE_AUTH_EMULATOR_HOST');
  });

  it.each([undefined, '', ' , '])('refuses to start with the identity key %j', (IDENTITY_HASH_KEY) => {
    expect(refusal({ ...deployed, IDENTITY_HASH_KEY })).toContain('IDENTITY_HASH_KEY');
  });

  it('never logs an identity key', () => {
    expect(getSecrets(parse(deployed))).toContain(identityKey);
  });

  it('ignores an empty emulator variable', () => {
    expect(parse({ ...deployed, FIRESTORE_EMULATOR_HOST: '' }).deployed).toBe(true);
  });

  it('starts without emulators; elsewhere it starts with them', () => {
    expect(parse(deployed)).toMatchObject({ deployed: true, projectId: 'nano-studio' });
    expect(parse({ FIRESTORE_EMULATOR_HOST: 'localhost:8085' }).deployed).toBe(false);
  });
});
