import { describe, expect, it } from 'vitest';
import { type Config, ConfigError, parseConfig } from '../../../shared/config/config.ts';

type Env = Record<string, string | undefined>;
const project = { GOOGLE_CLOUD_PROJECT: 'nano-studio' };
const parse = (env: Env = {}) => parseConfig({ ...project, ...env });

/** What the start says to an environment it refuses. */
function refusal(env: Env): string {
  try {
    parseConfig(env);
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return (error as Error).message;
  }
  throw new Error('The environment was accepted');
}

type Variable = {
  name: string;
  read: (config: Config) => unknown;
  fallback: unknown;
  /** What it is where it is set to nothing, unless that is not to set it. */
  emptyIs?: unknown;
  good: [value: string, parsed: unknown][];
  /** Each is refused by a message that does not hold it. */
  bad: string[];
};

const notWhole = ['hunter2', '1.5', '-1', '1e3', '0x10', ' 7', '7 ', '١٢', '9'.repeat(16), 'NaN', 'Infinity'];

const variables: Variable[] = [
  {
    name: 'FIRESTORE_DATABASE_ID',
    read: (config) => config.databaseId,
    fallback: '(default)',
    good: [['studio', 'studio']],
    bad: [],
  },
  {
    name: 'FIRESTORE_EMULATOR_HOST',
    read: (config) => config.firestoreEmulatorHost,
    fallback: undefined,
    good: [
      ['127.0.0.1:8085', '127.0.0.1:8085'],
      ['localhost:1', 'localhost:1'],
      ['[::1]:8085', '[::1]:8085'],
    ],
    bad: [
      'hunter2-host',
      'http://hunter2:8085',
      'hunter2:',
      ':8085',
      'hunter2 host:8085',
      'hunter2:123456',
      '::1:80',
    ],
  },
  {
    name: 'FIREBASE_AUTH_EMULATOR_HOST',
    read: (config) => config.authEmulatorHost,
    fallback: undefined,
    good: [['localhost:9099', 'localhost:9099']],
    bad: ['hunter2-host', 'http://hunter2:9099', 'hunter2:port'],
  },
  {
    name: 'GEMINI_API_KEY',
    read: (config) => config.gemini.apiKey,
    fallback: undefined,
    good: [['key', 'key']],
    bad: [],
  },
  {
    name: 'GOOGLE_GEMINI_BASE_URL',
    read: (config) => config.gemini.baseUrl,
    fallback: undefined,
    good: [
      ['http://127.0.0.1:1234', 'http://127.0.0.1:1234'],
      ['https://proxy.example.com/gemini', 'https://proxy.example.com/gemini'],
    ],
    bad: [
      'hunter2',
      '//hunter2.example.com',
      'hunter2.example.com:8080',
      'localhost:1234',
      'ftp://hunter2.example.com',
    ],
  },
  {
    name: 'GOOGLE_GENAI_USE_VERTEXAI',
    read: (config) => config.gemini.vertexAi,
    fallback: false,
    good: [
      ['true', true],
      ['TRUE', true],
      ['True', true],
      ['1', true],
      ['false', false],
      ['0', false],
    ],
    bad: ['yes', 'on', '2', 'truely', ' true'],
  },
  {
    name: 'GOOGLE_CLOUD_LOCATION',
    read: (config) => config.gemini.location,
    fallback: undefined,
    good: [['europe-west1', 'europe-west1']],
    bad: [],
  },
  {
    name: 'CLOUDINARY_URL',
    read: (config) => config.cloudinaryUrl,
    fallback: undefined,
    good: [
      'cloudinary://12345:s-ecret_X@cloud',
      'cloudinary://12345:secret@cloud?upload_prefix=http://127.0.0.1:80',
      'cloudinary://12345:secret@cloud/assets.example.com',
    ].map((value) => [value, value]),
    bad: [
      'hunter2',
      'https://12345:hunter2@cloud',
      'cloudinary://12345@cloud',
      'cloudinary://12345:hunter2@',
      'cloudinary://12345:hunter2',
      'cloudinary://:hunter2@cloud',
      'CLOUDINARY_URL=cloudinary://12345:hunter2@cloud',
      ' cloudinary://12345:hunter2@cloud',
    ],
  },
  {
    name: 'PORT',
    read: (config) => config.port,
    fallback: 8080,
    good: [
      ['0', 0],
      ['1', 1],
      ['65535', 65_535],
    ],
    bad: [...notWhole, '65536'],
  },
  {
    name: 'FUNCTION_TARGET',
    read: (config) => config.functionTarget,
    fallback: undefined,
    good: [['generate', 'generate']],
    bad: [],
  },
  {
    name: 'K_REVISION',
    read: (config) => config.version,
    fallback: 'local',
    good: [['generate-00007-abc', 'generate-00007-abc']],
    bad: [],
  },
  {
    name: 'K_SERVICE',
    read: (config) => config.deployed,
    fallback: false,
    good: [['generate', true]],
    bad: [],
  },
  {
    name: 'IMAGEGEN_PROVIDER',
    read: (config) => config.modelId,
    fallback: 'gemini-2.5-flash-image',
    good: ['gemini', 'imagen', 'gemini_imagen', 'nano_banana', 'gemini_nano_banana'].map((name) => [
      name,
      'gemini-2.5-flash-image',
    ]),
    bad: ['dall-e', 'Gemini', 'gemini-imagen', 'hunter2'],
  },
  {
    name: 'IMAGEGEN_MODEL_ID',
    read: (config) => config.modelId,
    fallback: 'gemini-2.5-flash-image',
    good: [['gemini-nano-banana-2.1', 'gemini-nano-banana-2.1']],
    bad: [],
  },
  {
    name: 'IMAGEGEN_GEMINI_MODEL_ID',
    read: (config) => config.modelId,
    fallback: 'gemini-2.5-flash-image',
    good: [['gemini-3-pro-image', 'gemini-3-pro-image']],
    bad: [],
  },
  {
    name: 'IMAGEGEN_FALLBACK_MODEL_IDS',
    read: (config) => config.modelIds,
    fallback: ['gemini-2.5-flash-image', 'gemini-nano-banana-2.1', 'gemini-3.1-flash-lite-image'],
    emptyIs: ['gemini-2.5-flash-image'],
    good: [
      ['gemini-3-pro-image', ['gemini-2.5-flash-image', 'gemini-3-pro-image']],
      [
        ' gemini-3-pro-image, gemini-nano-banana-2.1 ,',
        ['gemini-2.5-flash-image', 'gemini-3-pro-image', 'gemini-nano-banana-2.1'],
      ],
    ],
    bad: ['hunter2/model', 'hunter2 model', 'gemini-3-pro-image;hunter2', 'h'.repeat(101)],
  },
  {
    name: 'IMAGEGEN_MODEL_COSTS_USD',
    read: (config) => config.modelCostMicros,
    fallback: {},
    good: [
      ['my-model=0.05', { 'my-model': 50_000 }],
      ['a=1, b.c_d-e=0.000001 ,', { a: 1_000_000, 'b.c_d-e': 1 }],
    ],
    bad: ['hunter2', 'hunter2=', '=1', 'hunter2=-1', 'hunter2=1e3', 'a=1;hunter2=2', 'a=0.0000001', 'a=b'],
  },
  {
    name: 'PROMPT_MODEL_ID',
    read: (config) => config.prompt.modelId,
    fallback: 'gemini-3.5-flash-lite',
    good: [['gemini-3.5-flash', 'gemini-3.5-flash']],
    bad: [],
  },
  {
    name: 'PROMPT_TIMEOUT_MS',
    read: (config) => config.prompt.timeoutMs,
    fallback: 4_000,
    good: [
      ['1', 1],
      ['60000', 60_000],
    ],
    bad: [...notWhole, '0', '60001'],
  },
  {
    name: 'RETRY_ATTEMPTS',
    read: (config) => config.retry.attempts,
    fallback: 3,
    good: [
      ['1', 1],
      ['10', 10],
    ],
    bad: [...notWhole, '0', '11'],
  },
  {
    name: 'RETRY_BASE_DELAY_MS',
    read: (config) => config.retry.baseDelayMs,
    fallback: 500,
    good: [
      ['0', 0],
      ['60000', 60_000],
    ],
    bad: [...notWhole, '60001'],
  },
  {
    name: 'CACHE_TTL_SECONDS',
    read: (config) => config.cacheTtlSeconds,
    fallback: 0,
    good: [
      ['0', 0],
      ['31536000', 31_536_000],
    ],
    bad: [...notWhole, '31536001'],
  },
  {
    name: 'ALLOWANCE_CREDITS',
    read: (config) => config.allowance.credits,
    fallback: 0,
    good: [['74', 74]],
    bad: [...notWhole, '1000001'],
  },
  {
    name: 'ALLOWANCE_PERIOD',
    read: (config) => config.allowance.period,
    fallback: 'month',
    good: ['day', 'week', 'month'].map((value) => [value, value]),
    bad: ['hunter2', 'Day', 'year', 'monthly'],
  },
  {
    name: 'MAX_SPEND_PER_DAY_USD',
    read: (config) => config.maxSpendPerDayMicros,
    fallback: undefined,
    good: [
      ['0', 0],
      ['25', 25_000_000],
      ['0.039', 39_000],
      ['1.1', 1_100_000],
    ],
    bad: ['hunter2', '-1', '1e3', '1,5', '$5', '5 USD', ' 5', '.5', '5.', '0.0000001', '1234567890'],
  },
  {
    name: 'GENERATE_TIMEOUT_MS',
    read: (config) => config.generateTimeoutMs,
    fallback: 120_000,
    good: [
      ['100', 100],
      ['300000', 300_000],
    ],
    bad: [...notWhole, '0', '99', '3600001'],
  },
  {
    name: 'HOLD_GRACE_MS',
    read: (config) => config.holdGraceMs,
    fallback: 60_000,
    good: [
      ['0', 0],
      ['1000', 1_000],
    ],
    bad: [...notWhole, '86400001'],
  },
  {
    name: 'SIGNUP_CREDITS',
    read: (config) => config.signupCredits,
    fallback: 10,
    good: [
      ['0', 0],
      ['74', 74],
    ],
    bad: [...notWhole, '1000001'],
  },
  {
    name: 'MAX_IN_FLIGHT_PER_USER',
    read: (config) => config.limits.maxInFlightPerUser,
    fallback: 4,
    good: [['1', 1]],
    bad: [...notWhole, '0', '1001'],
  },
  {
    name: 'MAX_PER_MINUTE_PER_USER',
    read: (config) => config.limits.maxPerMinutePerUser,
    fallback: 20,
    good: [['1', 1]],
    bad: [...notWhole, '0', '10001'],
  },
  {
    name: 'ALLOWED_ORIGINS',
    read: (config) => config.allowedOrigins,
    fallback: [],
    good: [
      ['https://studio.example.com', ['https://studio.example.com']],
      ['https://a.example, http://localhost:5173 ,', ['https://a.example', 'http://localhost:5173']],
    ],
    bad: [],
  },
  {
    name: 'SCHEDULER_AUDIENCE',
    read: (config) => config.scheduler.audience,
    fallback: undefined,
    good: [['https://sweep.example.com', 'https://sweep.example.com']],
    bad: [],
  },
  {
    name: 'SCHEDULER_SERVICE_ACCOUNT',
    read: (config) => config.scheduler.serviceAccount,
    fallback: undefined,
    good: [
      ['scheduler@nano-studio.iam.gserviceaccount.com', 'scheduler@nano-studio.iam.gserviceaccount.com'],
    ],
    bad: [],
  },
];

describe.each(variables)('$name', ({ name, read, fallback, emptyIs = fallback, good, bad }) => {
  it('has its default where it is not set, or set to nothing', () => {
    expect(read(parse())).toEqual(fallback);
    expect(read(parse({ [name]: undefined }))).toEqual(fallback);
    expect(read(parse({ [name]: '' }))).toEqual(emptyIs);
  });

  it.each(good)('may be %s', (value, parsed) => {
    expect(read(parse({ [name]: value }))).toEqual(parsed);
  });

  if (bad.length === 0) return;
  it.each(bad)('may not be %j, and the message names the variable, not the value', (value) => {
    const message = refusal({ ...project, [name]: value });
    expect(message).toMatch(new RegExp(`^Bad environment: ${name} must [^;]+\\.$`));
    expect(message).not.toContain('hunter2');
  });
});

describe('the model', () => {
  it('is named by the newer spelling where both are set', () => {
    const [newer, older] = ['gemini-3-pro-image', 'gemini-nano-banana-2.1'];
    const both = { IMAGEGEN_MODEL_ID: newer, IMAGEGEN_GEMINI_MODEL_ID: older };
    expect(parse(both).modelId).toBe(newer);
    expect(parse({ ...both, IMAGEGEN_MODEL_ID: '' }).modelId).toBe(older);
  });

  const names = ['IMAGEGEN_MODEL_ID', 'IMAGEGEN_GEMINI_MODEL_ID', 'IMAGEGEN_FALLBACK_MODEL_IDS'];
  const imagen = ['imagen-4.0-fast-generate-001', 'imagen-3.0-generate-002', 'imagen-hunter2'];
  it.each(names.flatMap((name) => imagen.map((id) => [name, id] as const)))(
    '%s may not be %s: its successor is named',
    (name, id) => {
      const message = refusal({ ...project, [name]: id });
      expect(message).toMatch(new RegExp(`^Bad environment: ${name} names an Imagen model`));
      expect(message).toContain('gemini-nano-banana-2.1');
      expect(message).not.toContain(id);
    },
  );

  it.each(names)('%s may be one that we do not know, only where it is said what it costs', (name) => {
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
    'a name that every object has is unknown too: %s',
    (id) => {
      expect(refusal({ ...project, IMAGEGEN_MODEL_ID: id })).toContain('IMAGEGEN_MODEL_COSTS_USD');
    },
  );

  it('comes once, however often it is named, and all are asked in the order they are named in', () => {
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

  it('is what is set, and what else is in the environment does not matter', () => {
    expect(parse({ PATH: '/bin', HOME: '/root', npm_config_x: 'y' }).projectId).toBe('nano-studio');
  });
});

describe('several faults', () => {
  it('are told at once, each variable named and no value', () => {
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
  const deployed = { ...project, K_SERVICE: 'generate' };

  it.each([
    'FIRESTORE_EMULATOR_HOST',
    'FIREBASE_AUTH_EMULATOR_HOST',
    'FIREBASE_STORAGE_EMULATOR_HOST',
    'PUBSUB_EMULATOR_HOST',
  ])('a start with %s is refused', (name) => {
    const message = refusal({ ...deployed, [name]: '10.11.12.13:8085' });
    expect(message).toContain(name);
    expect(message).toContain('K_SERVICE');
    expect(message).not.toContain('10.11.12.13');
  });

  it('all of several emulators are named', () => {
    const message = refusal({
      ...deployed,
      FIRESTORE_EMULATOR_HOST: 'a:1',
      FIREBASE_AUTH_EMULATOR_HOST: 'b:2',
    });
    expect(message).toContain('FIRESTORE_EMULATOR_HOST');
    expect(message).toContain('FIREBASE_AUTH_EMULATOR_HOST');
  });

  it('one that is set to nothing is none', () => {
    expect(parse({ K_SERVICE: 'generate', FIRESTORE_EMULATOR_HOST: '' }).deployed).toBe(true);
  });

  it('a start without any is fine, and off Cloud Run one with them', () => {
    expect(parse({ K_SERVICE: 'generate' })).toMatchObject({ deployed: true, projectId: 'nano-studio' });
    expect(parse({ FIRESTORE_EMULATOR_HOST: 'localhost:8085' }).deployed).toBe(false);
  });
});
