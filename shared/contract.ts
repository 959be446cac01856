/**
 * The contract: what the functions take and answer, as zod schemas and the types they imply.
 * Imports nothing of the project, so that the studio page can share it.
 */
import * as z from 'zod';

/** Longest prompt, in Unicode code points. */
export const promptCharactersMax = 4000;
/** Longest `Idempotency-Key`, in printable ASCII characters. */
export const idempotencyKeyCharactersMax = 255;
export const pageSizeDefault = 20;
export const pageSizeMax = 100;

/** What a tier costs in credits and which aspect ratio it is painted in, by orientation. */
export const tiers = {
  standard: { credits: 1, aspectRatio: { landscape: '1:1', portrait: '1:1' } },
  premium2: { credits: 2, aspectRatio: { landscape: '3:2', portrait: '2:3' } },
  premium4: { credits: 4, aspectRatio: { landscape: '16:9', portrait: '9:16' } },
} as const;

export const tierSchema = z.enum(['standard', 'premium2', 'premium4'], {
  error: 'must be one of standard, premium2, premium4',
});
export type Tier = z.infer<typeof tierSchema>;

export const orientationSchema = z.enum(['landscape', 'portrait'], {
  error: 'must be landscape or portrait',
});
export type Orientation = z.infer<typeof orientationSchema>;

/**
 * Longest prompt as it is sent, UTF-8 bytes: what the longest can be in the form that macOS writes, where an
 * accent is a character of its own.
 */
export const promptBytesMax = 48_000;

// Controls but tab, line feed and carriage return: no prompt needs them, and they spoil logs.
const controlCharacters = /[^\P{Cc}\t\n\r]/u;
// Unicode's own bound for text that can be processed as a stream; sorting thousands takes quadratic time.
const stackedMarks = /\p{M}{31}/u;

/** Text as a person writes it. @param bytesMax of its UTF-8, before anything else looks at it. */
const textSchema = (bytesMax: number) =>
  z
    .string({ error: 'must be text' })
    .refine((text) => text.length <= bytesMax && new TextEncoder().encode(text).length <= bytesMax, {
      error: `must have at most ${bytesMax} bytes`,
      abort: true,
    })
    .refine((text) => text.isWellFormed(), 'must be well-formed Unicode')
    .refine((text) => !controlCharacters.test(text), 'must not contain control characters')
    .refine((text) => !stackedMarks.test(text), 'must not stack more than 30 marks on a letter')
    .refine((text) => text.trim() !== '', 'must not be empty');

const promptSchema = textSchema(promptBytesMax)
  .transform((prompt) => prompt.normalize('NFC'))
  .refine(
    (prompt) => [...prompt].length <= promptCharactersMax,
    `must have at most ${promptCharactersMax} characters`,
  );

export const idempotencyKeySchema = z
  .string({ error: 'is required' })
  .min(1, { error: 'must not be empty', abort: true })
  .max(idempotencyKeyCharactersMax, `must have at most ${idempotencyKeyCharactersMax} characters`)
  .regex(/^[\x20-\x7e]+$/, 'must be printable ASCII');

/** A generation's id: 128 bits of a hash of user and key, in hexadecimal. */
export const generationIdSchema = z
  .string({ error: 'must be the id of a generation' })
  .regex(/^[0-9a-f]{32}$/, 'is not the id of a generation');

/** Most bytes of all reference images of one request together; in base64 they must stay under Gemini's 20 MB. */
export const referenceBytesMax = 14_000_000;
/** Most reference images that any model takes. */
const referencesMax = 14;

/** A reference image: one of the own gallery, or one sent along. */
export const referenceSchema = z.union(
  [
    z.strictObject({ generationId: generationIdSchema }),
    z.strictObject({
      mimeType: z.enum(['image/png', 'image/jpeg', 'image/webp']),
      data: z
        .string()
        .max(Math.ceil(referenceBytesMax / 3) * 4, 'is too large')
        .refine((data) => data.length % 4 === 0 && /^[A-Za-z0-9+/]+={0,2}$/.test(data), 'must be base64'),
    }),
  ],
  { error: 'must be {"generationId"} or {"mimeType", "data"} with a PNG, JPEG or WebP in base64' },
);

/** The body of `generate`. */
export const generateRequestSchema = z.strictObject({
  prompt: promptSchema,
  tier: tierSchema,
  orientation: orientationSchema.default('landscape'),
  enhance: z.boolean({ error: 'must be true or false' }).default(false),
  fresh: z.boolean({ error: 'must be true or false' }).default(false),
  references: z
    .array(referenceSchema, { error: 'must be a list' })
    .max(referencesMax, `must have at most ${referencesMax} images`)
    .default([]),
});
export type GenerateRequest = z.infer<typeof generateRequestSchema>;
/** The same as a client sends it: what has a default may be left out. */
export type GenerateInput = z.input<typeof generateRequestSchema>;

/** The body of `enhance`. */
export const enhanceRequestSchema = z.strictObject({ prompt: promptSchema });

export const pageQuerySchema = z.strictObject({
  pageSize: z.coerce
    .number({ error: 'must be a whole number' })
    .int('must be a whole number')
    .min(1, 'must be at least 1')
    .max(pageSizeMax, `must be at most ${pageSizeMax}`)
    .default(pageSizeDefault),
  pageToken: z
    .string()
    .min(1, { error: 'must not be empty', abort: true })
    .max(1024, { error: 'is not a page token', abort: true })
    .regex(/^[\w-]+$/, 'is not a page token')
    .optional(),
});
export type PageQuery = z.infer<typeof pageQuerySchema>;

/** The query of `generation`: by its id, or by the key it was asked with. */
export const generationQuerySchema = z
  .strictObject({ id: generationIdSchema.optional(), key: idempotencyKeySchema.optional() })
  .refine(({ id, key }) => (id === undefined) !== (key === undefined), {
    path: ['id'],
    message: 'or key must be given, one of them',
  });

export const deleteGenerationRequestSchema = z.strictObject({ id: generationIdSchema });

/** A user's id as Firebase Authentication gives it, and Firestore takes it as the id of a document. */
export const uidSchema = z
  .string({ error: 'must be a uid' })
  .min(1, { error: 'must not be empty', abort: true })
  .max(128, 'must have at most 128 characters')
  .regex(/^(?!\.{1,2}$)(?!__.*__$)[^/\p{Cc}\p{Cs}]+$/u, 'is not a uid');

/** Most credits that one grant moves, either way. */
export const grantCreditsMax = 1_000_000_000;

/** The body of `grant`. */
export const grantRequestSchema = z.strictObject({
  uid: uidSchema,
  amount: z
    .int({ error: 'must be a whole number' })
    .min(-grantCreditsMax, `must be at least -${grantCreditsMax}`)
    .max(grantCreditsMax, `must be at most ${grantCreditsMax}`)
    .refine((amount) => amount !== 0, 'must not be 0'),
  reason: textSchema(2_000).refine((reason) => reason.length <= 500, 'must have at most 500 characters'),
});
export type GrantRequest = z.infer<typeof grantRequestSchema>;

/** The query of `audit`: one account, or all by page. */
export const auditQuerySchema = pageQuerySchema.extend({ uid: uidSchema.optional() });

const timeSchema = z.iso.datetime();

export const imageSchema = z.strictObject({
  url: z.url(),
  thumbnailUrl: z.url(),
  mimeType: z.enum(['image/png', 'image/jpeg', 'image/webp']),
  width: z.int().positive(),
  height: z.int().positive(),
  bytes: z.int().positive(),
});
export type Image = z.infer<typeof imageSchema>;

export const statusSchema = z.enum(['pending', 'succeeded', 'refunded', 'deleted']);
export type Status = z.infer<typeof statusSchema>;

/** A generation as every function shows it. `prompt` is null once its user has deleted it. */
export const generationSchema = z.strictObject({
  id: generationIdSchema,
  status: statusSchema,
  tier: tierSchema,
  orientation: orientationSchema,
  prompt: z.string().nullable(),
  enhancedPrompt: z.string().nullable(),
  model: z.string().nullable(),
  cached: z.boolean(),
  createdAt: timeSchema,
  image: imageSchema.nullable(),
  failure: z.strictObject({ reason: z.string(), message: z.string() }).optional(),
});
export type Generation = z.infer<typeof generationSchema>;

/** What was charged and given back, in credits, and the account after this generation's last commit. */
export const receiptSchema = z.strictObject({
  charged: z.int().min(0),
  refunded: z.int().min(0),
  balance: z.int(),
  sequence: z.int().min(0),
});
export type Receipt = z.infer<typeof receiptSchema>;

export const entryTypeSchema = z.enum(['grant', 'debit', 'refund', 'adjustment', 'allowance']);
export type EntryType = z.infer<typeof entryTypeSchema>;

/** One movement of credits; `balance` is the account's after it. */
export const entrySchema = z.strictObject({
  id: z.string(),
  sequence: z.int().positive(),
  type: entryTypeSchema,
  amount: z.int(),
  balance: z.int(),
  generationId: z.string().optional(),
  reason: z.string().optional(),
  actor: z.string().optional(),
  createdAt: timeSchema,
});
export type Entry = z.infer<typeof entrySchema>;

export const accountSchema = z.strictObject({
  uid: z.string(),
  balance: z.int().min(0),
  sequence: z.int().min(0),
  suspended: z.boolean(),
  email: z.string().nullable(),
  createdAt: timeSchema,
  /** What it is topped up to, and when next. */
  allowance: z
    .strictObject({ credits: z.int().min(0), period: z.enum(['day', 'week', 'month']), nextAt: timeSchema })
    .optional(),
});
export type AccountView = z.infer<typeof accountSchema>;

/** Whether one account's ledger adds up; `differences` says in words where it does not. */
export const auditSchema = z.strictObject({
  uid: z.string(),
  /** Whatever the console holds: a whole number ≥ 0, unless the account is broken. */
  balance: z.unknown(),
  settled: z.number(),
  sum: z.number(),
  ok: z.boolean(),
  differences: z.array(z.string()),
  providerCostMicros: z.int(),
});
export type Audit = z.infer<typeof auditSchema>;

/** What an error tells a client to do: ask again with the same key, with a new key, or not at all. */
export type Retry = 'same_key' | 'new_key' | 'no';

/** A receipt's part of an error, and the error itself: Google's API error model. */
export const errorAnswerSchema = z.strictObject({
  error: z.strictObject({
    code: z.int(),
    status: z.string(),
    message: z.string(),
    details: z.array(z.looseObject({ '@type': z.string() })),
  }),
  receipt: receiptSchema.optional(),
});
export type ErrorAnswer = z.infer<typeof errorAnswerSchema>;

// What each function answers.

export const healthAnswerSchema = z.strictObject({
  status: z.literal('ok'),
  version: z.string(),
  /** Each configured model as the instance that answers has last seen it. */
  models: z.array(
    z.strictObject({
      id: z.string(),
      state: z.enum(['ready', 'exhausted', 'off', 'unknown']),
      reason: z.string().optional(),
      retryAt: timeSchema.optional(),
    }),
  ),
  warnings: z.array(z.string()),
});

/** A tier as it is offered: its price in credits, its aspect ratio and pixels in landscape. */
export const tierOfferSchema = z.strictObject({
  id: tierSchema,
  credits: z.int().positive(),
  aspectRatio: z.string(),
  width: z.int().positive(),
  height: z.int().positive(),
});
export type TierOffer = z.infer<typeof tierOfferSchema>;

export const limitsSchema = z.strictObject({
  maxInFlightPerUser: z.int().positive(),
  maxPerMinutePerUser: z.int().positive(),
  /** Reference images of one request: how many the configured model takes, and their bytes together. */
  maxReferences: z.int().min(0),
  maxReferenceBytes: z.int().positive(),
});
export type Limits = z.infer<typeof limitsSchema>;

export const accountAnswerSchema = z.strictObject({
  account: accountSchema,
  tiers: z.array(tierOfferSchema),
  limits: limitsSchema,
});
export type AccountAnswer = z.infer<typeof accountAnswerSchema>;

export const ledgerAnswerSchema = z.strictObject({
  entries: z.array(entrySchema),
  nextPageToken: z.string().optional(),
});
export type LedgerAnswer = z.infer<typeof ledgerAnswerSchema>;

export const enhanceAnswerSchema = z.strictObject({ prompt: z.string(), enhanced: z.boolean() });
export type EnhanceAnswer = z.infer<typeof enhanceAnswerSchema>;

export const generateAnswerSchema = z.strictObject({ generation: generationSchema, receipt: receiptSchema });
export type GenerateAnswer = z.infer<typeof generateAnswerSchema>;

export const generationAnswerSchema = z.strictObject({ generation: generationSchema });
export type GenerationAnswer = z.infer<typeof generationAnswerSchema>;

export const galleryAnswerSchema = z.strictObject({
  generations: z.array(generationSchema),
  nextPageToken: z.string().optional(),
});
export type GalleryAnswer = z.infer<typeof galleryAnswerSchema>;

export const grantAnswerSchema = z.strictObject({
  account: z.strictObject({ uid: z.string(), balance: z.int(), sequence: z.int() }),
  entry: entrySchema,
});
export type GrantAnswer = z.infer<typeof grantAnswerSchema>;

export const auditAnswerSchema = z.strictObject({
  accounts: z.array(auditSchema),
  nextPageToken: z.string().optional(),
});

export const quotaAnswerSchema = z.strictObject({
  models: z.array(
    z.strictObject({
      id: z.string(),
      state: z.enum(['ready', 'exhausted', 'off']),
      reason: z.string().optional(),
      retryAt: timeSchema.optional(),
    }),
  ),
  warnings: z.array(z.string()),
});

export const refillAnswerSchema = z.strictObject({ checked: z.int(), refilled: z.int() });
export const sweepAnswerSchema = z.strictObject({ refunded: z.int(), deletedAssets: z.int() });
export const reconcileAnswerSchema = z.strictObject({
  checked: z.int(),
  adjusted: z.int(),
  broken: z.array(auditSchema),
});
