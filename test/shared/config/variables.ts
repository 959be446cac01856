/** Every variable of the environment with its default, some good values and some bad ones. */
import type { Config } from '../../../shared/config/config.ts';

export type Variable = {
  name: string;
  read: (config: Config) => unknown;
  fallback: unknown;
  /** The parsed value of an empty variable, if it differs from the fallback. */
  emptyIs?: unknown;
  /** Other variables that it needs. */
  alongside?: Record<string, string>;
  good: [value: string, parsed: unknown][];
  /** Values that are refused. */
  bad: string[];
};

const notWhole = ['hunter2', '1.5', '-1', '1e3', '0x10', ' 7', '7 ', '١٢', '9'.repeat(16), 'NaN', 'Infinity'];

export const variables: Variable[] = [
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
    good: [
      ['key', 'key'],
      ['key\n', 'key'],
      [' key\r\n', 'key'],
    ],
    bad: ['"hunter2"', "'hunter2'", 'hunter2 key', 'hunter2\nkey'],
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
    name: 'IDENTITY_HASH_KEY',
    read: (config) => config.identityKeys,
    fallback: ['local'],
    good: [
      ['a'.repeat(32), ['a'.repeat(32)]],
      [`${'a'.repeat(64)}, ${'b'.repeat(32)}`, ['a'.repeat(64), 'b'.repeat(32)]],
    ],
    bad: ['hunter2', 'a'.repeat(31), `${'a'.repeat(32)},hunter2`],
  },
  {
    name: 'DISPOSABLE_EMAIL_CREDITS',
    read: (config) => config.disposableEmailCredits,
    fallback: 0,
    good: [
      ['0', 0],
      ['3', 3],
      ['1000000', 1_000_000],
    ],
    bad: [...notWhole, '1000001'],
  },
  {
    name: 'K_SERVICE',
    alongside: { IDENTITY_HASH_KEY: 'a'.repeat(32) },
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
      ['my-model=0.05', { 'my-model': { '1K': 50_000 } }],
      ['a=1, b.c_d-e=0.000001 ,', { a: { '1K': 1_000_000 }, 'b.c_d-e': { '1K': 1 } }],
      ['a=0.1/0.2/0.4', { a: { '1K': 100_000, '2K': 200_000, '4K': 400_000 } }],
    ],
    bad: [
      'hunter2',
      'hunter2=',
      '=1',
      'hunter2=-1',
      'hunter2=1e3',
      'a=1;hunter2=2',
      'a=0.0000001',
      'a=b',
      'a=1/',
      'a=1/2/3/4',
    ],
  },
  {
    name: 'PROMPT_MODEL_ID',
    read: (config) => config.prompt.modelId,
    fallback: 'gemini-3.5-flash-lite',
    good: [['gemini-3.5-flash', 'gemini-3.5-flash']],
    bad: ['models/hunter2', 'hunter2 flash', 'h'.repeat(101)],
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
    name: 'MAX_REFUNDS_PER_HOUR_PER_USER',
    read: (config) => config.limits.maxRefundsPerHourPerUser,
    fallback: 30,
    good: [['1', 1]],
    bad: [...notWhole, '0', '1001'],
  },
  {
    name: 'MAX_ENHANCE_PER_DAY_PER_USER',
    read: (config) => config.prompt.maxPerDayPerUser,
    fallback: 100,
    good: [
      ['0', 0],
      ['1', 1],
    ],
    bad: [...notWhole, '100001'],
  },
  {
    name: 'PUBLIC_URL',
    read: (config) => config.publicUrl,
    fallback: 'http://localhost:8080',
    good: [
      ['https://studio.example.com', 'https://studio.example.com'],
      ['https://example.com/studio/', 'https://example.com/studio'],
    ],
    bad: ['hunter2', 'ftp://hunter2.example.com'],
  },
  {
    name: 'SHARED_IMAGES_INDEXED',
    read: (config) => config.sharedImagesIndexed,
    fallback: false,
    good: [
      ['true', true],
      ['0', false],
    ],
    bad: ['hunter2'],
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
  {
    name: 'TERMS_VERSION',
    read: (config) => config.terms.version,
    fallback: undefined,
    good: [
      ['2026-11', '2026-11'],
      ['v1.2_b', 'v1.2_b'],
    ],
    bad: ['hunter 2', 'hunter2/', 'h'.repeat(65)],
  },
  {
    name: 'TERMS_URL',
    read: (config) => config.terms.termsUrl,
    fallback: undefined,
    good: [['https://studio.example.com/terms', 'https://studio.example.com/terms']],
    bad: ['hunter2', 'javascript:hunter2', 'ftp://hunter2.example.com'],
  },
  {
    name: 'PRIVACY_URL',
    read: (config) => config.terms.privacyUrl,
    fallback: undefined,
    good: [['https://studio.example.com/privacy', 'https://studio.example.com/privacy']],
    bad: ['hunter2', 'javascript:hunter2'],
  },
  {
    name: 'SUPPORT_EMAIL',
    read: (config) => config.supportEmail,
    fallback: undefined,
    good: [['help@studio.example.com', 'help@studio.example.com']],
    bad: ['hunter2', 'hunter2@', 'Hunter <hunter2@example.com>'],
  },
  {
    name: 'STRIPE_SECRET_KEY',
    read: (config) => config.stripe.secretKey,
    fallback: undefined,
    good: [
      ['sk_test_1', 'sk_test_1'],
      ['rk_live_1\n', 'rk_live_1'],
    ],
    bad: ['"hunter2"', 'hunter2 key'],
  },
  {
    name: 'STRIPE_WEBHOOK_SECRET',
    read: (config) => config.stripe.webhookSecrets,
    fallback: [],
    good: [
      ['whsec_1', ['whsec_1']],
      ['whsec_1, whsec_2\n', ['whsec_1', 'whsec_2']],
    ],
    bad: ['"hunter2"', 'hunter2 key'],
  },
  {
    name: 'STRIPE_API_BASE_URL',
    read: (config) => config.stripe.baseUrl,
    fallback: undefined,
    good: [['http://127.0.0.1:1234', 'http://127.0.0.1:1234']],
    bad: ['hunter2', 'ftp://hunter2.example.com'],
  },
  {
    name: 'STRIPE_MANAGED_PAYMENTS',
    read: (config) => config.stripe.managedPayments,
    fallback: false,
    good: [
      ['true', true],
      ['0', false],
    ],
    bad: ['hunter2'],
  },
  {
    name: 'CREDIT_PACKS',
    read: (config) => config.creditPacks,
    fallback: [],
    good: [
      [
        'starter=price_1a:100, studio=price_2:500',
        [
          { id: 'starter', priceId: 'price_1a', credits: 100 },
          { id: 'studio', priceId: 'price_2', credits: 500 },
        ],
      ],
    ],
    bad: [
      'hunter2',
      'hunter2=price_1',
      'hunter2=prod_1:100',
      'hunter2=price_1:0',
      'hunter2=price_1:1.5',
      'hunter2=price_1:1000000000',
      'hunter2=price_1:1,hunter2=price_2:2',
      'hunter 2=price_1:1',
    ],
  },
  {
    name: 'PUBLIC_URL',
    read: (config) => config.publicUrl,
    fallback: 'http://localhost:8080',
    good: [['https://studio.example.com/', 'https://studio.example.com']],
    bad: ['hunter2', 'hunter2.example.com'],
  },
];
