/**
 * The contract: the requests and answers of the functions as zod schemas, and their types. The API reference is made
 * from the descriptions here; `npm run api` writes it again after a change. Imports nothing of the project, so that
 * the page and other clients can use its types.
 */
import * as z from 'zod';

/**
 * Describes a schema for the API reference. `limits` are JSON Schema's words for what a refinement checks. Each schema
 * object has one description; a field that needs another one gets its own schema.
 *
 * zod's own `.describe` copies the schema. For the whole file that costs about 1 ms at a cold start. The cost of this
 * function is too small to measure.
 */
function describe<S extends z.ZodType>(
  description: string,
  schema: S,
  limits: { minLength?: number; maxLength?: number } = {},
): S {
  if (z.globalRegistry.has(schema)) throw new Error(`A schema is described twice: ${description}`);
  z.globalRegistry.add(schema, { description, ...limits });
  return schema;
}

/** A whole number as a message shows it: 1,000,000. Not toLocaleString, whose formatter takes a tenth of a cold start. */
export const groupDigits = (value: number) => String(value).replace(/\B(?=(\d{3})+$)/g, ',');

/** A count as a message shows it: "1 credit", "2 credits". */
export const countOf = (count: number, noun: string) =>
  `${groupDigits(count)} ${noun}${Math.abs(count) === 1 ? '' : 's'}`;

/** What is wrong with a value that is not a whole number of this range. */
export const wholeNumberText = (min: number, max: number) =>
  `must be a whole number from ${groupDigits(min)} to ${groupDigits(max)}`;

/** The longest prompt, in Unicode code points. */
export const promptCharactersMax = 4000;
/** The longest `Idempotency-Key`, in printable ASCII characters. */
export const idempotencyKeyCharactersMax = 255;
export const pageSizeDefault = 20;
export const pageSizeMax = 100;

/** The aspect ratio of each tier, by orientation. Its price is in the configuration: TIER_CREDITS. */
export const tiers = {
  standard: { aspectRatio: { landscape: '1:1', portrait: '1:1' } },
  premium2: { aspectRatio: { landscape: '3:2', portrait: '2:3' } },
  premium4: { aspectRatio: { landscape: '16:9', portrait: '9:16' } },
} as const;

export const tierSchema = describe(
  'The size and price of an image. `account` lists what each tier costs.',
  z.enum(['standard', 'premium2', 'premium4'], { error: 'must be one of standard, premium2, premium4' }),
);
export type Tier = z.infer<typeof tierSchema>;

export const orientationSchema = describe(
  'Wider than high, or higher than wide. A standard image is square in both.',
  z.enum(['landscape', 'portrait'], { error: 'must be landscape or portrait' }),
);
export type Orientation = z.infer<typeof orientationSchema>;

/**
 * The longest prompt as sent, in UTF-8 bytes. It allows for the decomposed Unicode that macOS sends, in which an accent
 * is a separate character.
 */
export const promptBytesMax = 48_000;

// Line breaks of word processors: vertical tab, form feed, next line, line separator and paragraph separator.
const otherLineBreaks = /[\v\f\u0085\u2028\u2029]/gu;
// Control characters except tab, line feed and carriage return: no prompt needs them, and they spoil logs.
const controlCharacters = /[^\P{Cc}\t\n\r]/u;
// Unicode limits stacked marks to 30 in its Stream-Safe Text Format. Normalising thousands takes quadratic time.
const stackedMarks = /\p{M}{31}/u;

/** Text that a person writes, with every line break as `\n` or `\r\n`. @param bytesMax of its UTF-8, checked first. */
const textSchema = (bytesMax: number) =>
  z
    .string({ error: 'must be text' })
    .refine((text) => text.length <= bytesMax && new TextEncoder().encode(text).length <= bytesMax, {
      error: `must have at most ${countOf(bytesMax, 'byte')}`,
      abort: true,
    })
    .overwrite((text) => text.replace(otherLineBreaks, '\n'))
    .refine((text) => text.isWellFormed(), 'must be well-formed Unicode')
    .refine((text) => !controlCharacters.test(text), 'must not contain control characters')
    .refine((text) => !stackedMarks.test(text), 'must not stack more than 30 marks on a letter')
    .refine((text) => text.trim() !== '', 'must not be empty');

export const promptSchema = describe(
  'The prompt. No control characters except tab and line breaks. Line breaks of word processors, such as U+2028, become line feeds.',
  textSchema(promptBytesMax)
    .transform((prompt) => prompt.normalize('NFC'))
    .refine(
      (prompt) => [...prompt].length <= promptCharactersMax,
      `must have at most ${countOf(promptCharactersMax, 'character')}`,
    ),
  { minLength: 1, maxLength: promptCharactersMax },
);

export const idempotencyKeySchema = describe(
  'Identifies the request, so that it is carried out once however often it is sent. Printable ASCII; a random UUID is a good key.',
  z
    .string({ error: 'is required' })
    .min(1, { error: 'must not be empty', abort: true })
    .max(
      idempotencyKeyCharactersMax,
      `must have at most ${countOf(idempotencyKeyCharactersMax, 'character')}`,
    )
    .regex(/^[\x20-\x7e]+$/, 'must be printable ASCII'),
);

/** 128 bits of a hash of user and key, in hexadecimal. */
export const generationIdSchema = describe(
  "The generation's id: a hash of user and Idempotency-Key.",
  z
    .string({ error: 'must be the id of a generation' })
    .regex(/^[0-9a-f]{32}$/, 'is not the id of a generation'),
);

/** The most bytes of all reference images of one request together. In base64 they stay below Gemini's 20 MB. */
export const referenceBytesMax = 14_000_000;
/** The most reference images that any model accepts. */
const referencesMax = 14;

/** Letters that are checked at a time; a multiple of four. */
const sliceLetters = 1_000_000;
const lastFourLetters = /^[A-Za-z0-9+/]{2}(?:[A-Za-z0-9+/]{2}|[A-Za-z0-9+/]=|==)$/;

/** True for base64 with padding. Megabytes are decoded and encoded far faster than a regular expression reads them. */
function isBase64(text: string): boolean {
  const end = text.length - 4;
  if (text.length % 4 !== 0 || !lastFourLetters.test(text.slice(end))) return false;
  for (let from = 0; from < end; from += sliceLetters) {
    const slice = text.slice(from, Math.min(from + sliceLetters, end));
    if (Buffer.from(slice, 'base64').toString('base64') !== slice) return false;
  }
  return true;
}

/** Formats of phones and browsers that no model is sent. HEIC stands for HEIF too. */
export type OtherFormat = 'HEIC' | 'AVIF';

/** What is wrong with a reference in another format, and what to do. */
export const describeOtherFormat = (format: OtherFormat) =>
  `is ${format === 'AVIF' ? 'an' : 'a'} ${format} image. ${format} images are not supported: export it as JPEG`;

/** The format that the reference is declared to have, if no model is sent it. */
function getDeclaredFormat(reference: unknown): OtherFormat | undefined {
  const mimeType = String((reference as { mimeType?: unknown } | null)?.mimeType);
  if (/^image\/hei[cf]\b/i.test(mimeType)) return 'HEIC';
  return /^image\/avif\b/i.test(mimeType) ? 'AVIF' : undefined;
}

export const referenceSchema = describe(
  'A reference image: a finished generation of the caller, or an image in the request itself.',
  z.union(
    [
      z.strictObject({
        generationId: generationIdSchema,
      }),
      z.strictObject({
        mimeType: describe('The format of `data`.', z.enum(['image/png', 'image/jpeg', 'image/webp'])),
        data: describe(
          `The image in base64. Before base64, all images of a request together have at most ${referenceBytesMax / 1e6} MB.`,
          z
            .string()
            .max(Math.ceil(referenceBytesMax / 3) * 4, 'is too large')
            .refine(isBase64, 'must be base64'),
        ),
      }),
    ],
    {
      error({ input }) {
        const format = getDeclaredFormat(input);
        return format
          ? describeOtherFormat(format)
          : 'must be {"generationId"} or {"mimeType", "data"} with a PNG, JPEG or WebP in base64';
      },
    },
  ),
);

export const generateRequestSchema = describe(
  'The image to generate.',
  z.strictObject({
    prompt: promptSchema,
    tier: tierSchema,
    orientation: describe('Wider than high, or higher than wide.', orientationSchema.default('landscape')),
    enhance: describe(
      'True if a text model improves the prompt first.',
      z.boolean({ error: 'must be true or false' }).default(false),
    ),
    fresh: describe(
      'True to generate a new image even if the cache has one for the same request.',
      z.boolean({ error: 'must be true or false' }).default(false),
    ),
    references: describe(
      'Reference images for the model. The `limits` of `account` say how many it accepts.',
      z
        .array(referenceSchema, { error: 'must be a list' })
        .max(referencesMax, `must have at most ${countOf(referencesMax, 'image')}`)
        .default([]),
    ),
  }),
);
export type GenerateRequest = z.infer<typeof generateRequestSchema>;
/** The same as a client sends it: fields with a default may be left out. */
export type GenerateInput = z.input<typeof generateRequestSchema>;

export const enhanceRequestSchema = describe(
  'The prompt to improve.',
  z.strictObject({ prompt: promptSchema }),
);

const pageSizeText = wholeNumberText(1, pageSizeMax);

export const pageQuerySchema = z.strictObject({
  pageSize: describe(
    'The most items on the page.',
    z.coerce
      .number({ error: pageSizeText })
      .int({ error: pageSizeText, abort: true })
      .min(1, pageSizeText)
      .max(pageSizeMax, pageSizeText)
      .default(pageSizeDefault),
  ),
  pageToken: describe(
    'The `nextPageToken` of the previous page. Leave it out for the first page.',
    z
      .string()
      .min(1, { error: 'must not be empty', abort: true })
      .max(1024, { error: 'is not a page token', abort: true })
      .regex(/^[\w-]+$/, 'is not a page token')
      .optional(),
  ),
});
export type PageQuery = z.infer<typeof pageQuerySchema>;

/** The query of `generation`: exactly one of the two. */
export const generationQuerySchema = z
  .strictObject({
    id: describe("The generation's id.", generationIdSchema.optional()),
    key: describe('The `Idempotency-Key` of the request.', idempotencyKeySchema.optional()),
  })
  .refine(({ id, key }) => (id === undefined) !== (key === undefined), {
    path: ['id'],
    message: 'or key is required, but not both',
  });

export const deleteGenerationRequestSchema = describe(
  'The generation to delete.',
  z.strictObject({ id: generationIdSchema }),
);

export const shareRequestSchema = describe(
  'The image, and whether it is public.',
  z.strictObject({
    id: generationIdSchema,
    shared: describe(
      'True to make the image public, false to make it private again.',
      z.boolean({ error: 'must be true or false' }),
    ),
  }),
);

/** 128 random bits in base64url. */
export const shareTokenSchema = describe(
  'The last part of the address of a shared image.',
  z
    .string({ error: 'must be the token of a shared image' })
    .regex(/^[\w-]{22}$/, 'is not the token of a shared image'),
);

/** The query of `sharedImage`, as the server makes it of the path. Any token but a shared image's gets the same page. */
export const sharedImageQuerySchema = z.object({
  token: describe('The last part of the address.', z.string().optional()),
});

export const reportReasonSchema = describe(
  'What is wrong with the image.',
  z.enum(['illegal', 'sexual', 'violence', 'personal', 'copyright', 'other'], {
    error: 'must be one of illegal, sexual, violence, personal, copyright, other',
  }),
);
export type ReportReason = z.infer<typeof reportReasonSchema>;

/** The longest `details` of a report, characters. */
export const reportDetailsCharactersMax = 2_000;

export const reportRequestSchema = describe(
  'The shared image and what is wrong with it.',
  z.strictObject({
    token: shareTokenSchema,
    reason: reportReasonSchema,
    details: describe(
      'In words. Not empty.',
      textSchema(8_000)
        .refine(
          (details) => details.length <= reportDetailsCharactersMax,
          `must have at most ${reportDetailsCharactersMax} characters`,
        )
        .optional(),
      { minLength: 1, maxLength: reportDetailsCharactersMax },
    ),
  }),
);
export type ReportRequest = z.infer<typeof reportRequestSchema>;

export const acceptTermsRequestSchema = describe(
  'The terms that the user accepts. The user is 18 or older.',
  z.strictObject({
    version: describe(
      'The version to accept: the one in the `terms` of `account`.',
      z.string({ error: 'must be text' }).max(64, 'must have at most 64 characters'),
    ),
  }),
);

export const closeAccountRequestSchema = describe(
  'The confirmation.',
  z.strictObject({
    confirm: describe('The word `CLOSE`.', z.literal('CLOSE', { error: 'must be CLOSE' })),
  }),
);

/** A user's id as Firebase Authentication makes it, and as Firestore accepts it for a document's id. */
export const uidSchema = describe(
  "The user's id.",
  z
    .string({ error: 'must be a uid' })
    .min(1, { error: 'must not be empty', abort: true })
    .max(128, 'must have at most 128 characters')
    .regex(/^(?!\.{1,2}$)(?!__.*__$)[^/\p{Cc}\p{Cs}]+$/u, 'is not a uid'),
);

/** Why an admin does something, in words. */
const reasonSchema = (description: string) =>
  describe(
    description,
    textSchema(2_000).refine((reason) => reason.length <= 500, 'must have at most 500 characters'),
    { minLength: 1 },
  );

/** The most credits that one grant adds or takes. */
export const grantCreditsMax = 1_000_000_000;

const grantAmountText = `${wholeNumberText(-grantCreditsMax, grantCreditsMax)}, but not 0`;

export const grantRequestSchema = describe(
  'The account, the amount and the reason.',
  z.strictObject({
    uid: uidSchema,
    amount: describe(
      'Credits to add, or to take if negative. Not 0.',
      z
        .int({ error: grantAmountText, abort: true })
        .min(-grantCreditsMax, grantAmountText)
        .max(grantCreditsMax, grantAmountText)
        .refine((amount) => amount !== 0, grantAmountText),
    ),
    reason: reasonSchema('Why, for the ledger entry. Not empty.'),
  }),
);
export type GrantRequest = z.infer<typeof grantRequestSchema>;

export const suspendRequestSchema = describe(
  'The account, and whether its person is suspended.',
  z.strictObject({
    uid: uidSchema,
    suspended: describe('True to suspend, false to restore.', z.boolean({ error: 'must be true or false' })),
    reason: reasonSchema('Why, for the record of what admins did. Not empty.'),
  }),
);
export type SuspendRequest = z.infer<typeof suspendRequestSchema>;

export const takedownRequestSchema = describe(
  'The image to remove, and why.',
  z.strictObject({
    uid: uidSchema,
    generationId: generationIdSchema,
    reason: reasonSchema('Why, for the user and for the record of what admins did. Not empty.'),
  }),
);
export type TakedownRequest = z.infer<typeof takedownRequestSchema>;

const reportIdSchema = describe(
  "The report's id.",
  z.string({ error: 'must be the id of a report' }).regex(/^[0-9a-f]{32}$/, 'is not the id of a report'),
);

export const resolveReportRequestSchema = describe(
  'The report and how it ends.',
  z.strictObject({
    id: reportIdSchema,
    resolution: describe(
      '`takenDown` removes the image everywhere.',
      z.enum(['dismissed', 'takenDown'], { error: 'must be dismissed or takenDown' }),
    ),
  }),
);
export type ResolveReportRequest = z.infer<typeof resolveReportRequestSchema>;

export const packIdSchema = describe(
  'The id of a credit pack.',
  z.string({ error: 'must be the id of a pack' }).regex(/^[\w-]{1,64}$/, 'is not the id of a pack'),
);

export const checkoutRequestSchema = describe('The pack to buy.', z.strictObject({ pack: packIdSchema }));

const sessionIdSchema = describe(
  'The id of a Checkout session at Stripe.',
  z
    .string({ error: 'must be the id of a Checkout session' })
    .regex(/^cs_\w{1,250}$/, 'is not the id of a Checkout session'),
);

export const confirmCheckoutRequestSchema = describe(
  'The session that the return page names.',
  z.strictObject({ sessionId: sessionIdSchema }),
);

export const billingPortalRequestSchema = describe('Nothing: an empty object.', z.strictObject({}));

export const auditQuerySchema = pageQuerySchema.extend({
  uid: describe(
    'The account to check. Leave it out to check all accounts page by page.',
    uidSchema.optional(),
  ),
});

/** An instant in RFC 3339, UTC. */
const time = (description: string) => describe(description, z.iso.datetime());

export const imageSchema = describe(
  'A finished image.',
  z.strictObject({
    url: describe('The address of the image.', z.url()),
    thumbnailUrl: describe('The address of a small version.', z.url()),
    mimeType: describe('The format of the image.', z.enum(['image/png', 'image/jpeg', 'image/webp'])),
    width: describe('In pixels.', z.int().positive()),
    height: describe('In pixels.', z.int().positive()),
    bytes: describe('The size of the file in bytes.', z.int().positive()),
    contentCredentials: describe(
      'Whether the file has C2PA content credentials. Absent if that is not known.',
      z.enum(['present', 'absent']).optional(),
    ),
  }),
);
export type Image = z.infer<typeof imageSchema>;

export const statusSchema = describe(
  'The state of a generation. `pending` ends in `succeeded` or `refunded`. `succeeded` becomes `deleted` when the user deletes the image.',
  z.enum(['pending', 'succeeded', 'refunded', 'deleted']),
);
export type Status = z.infer<typeof statusSchema>;

export const generationSchema = describe(
  'One request for an image and its result. It looks the same in every answer.',
  z.strictObject({
    id: generationIdSchema,
    status: statusSchema,
    tier: tierSchema,
    orientation: orientationSchema,
    prompt: describe('The prompt of the request. Null after the user deleted it.', z.string().nullable()),
    enhancedPrompt: describe(
      'The improved prompt that the model got. Null if the model got `prompt`.',
      z.string().nullable(),
    ),
    model: describe('The model that made the image. Null if there is none.', z.string().nullable()),
    cached: describe('True if the image came from the cache. It then cost nothing.', z.boolean()),
    createdAt: time('When the generation was requested.'),
    image: describe('Null unless `status` is `succeeded`.', imageSchema.nullable()),
    failure: describe(
      'Why the generation failed. Present only if `status` is `refunded`.',
      z
        .strictObject({
          reason: describe('One of the reasons of an error.', z.string()),
          message: describe('The explanation for a person.', z.string()),
        })
        .optional(),
    ),
    shareUrl: describe(
      'The address under which anyone can see the image. Absent if it is private.',
      z.url().optional(),
    ),
    removedBy: describe(
      'Present if the studio removed the image, not the user. `status` is then `deleted`.',
      z.literal('studio').optional(),
    ),
    removedReason: describe('Why the studio removed the image.', z.string().optional()),
  }),
);
export type Generation = z.infer<typeof generationSchema>;

export const receiptSchema = describe(
  'The cost of a generation, and the account after its last ledger commit.',
  z.strictObject({
    charged: describe('Credits charged.', z.int().min(0)),
    refunded: describe('Credits refunded.', z.int().min(0)),
    balance: describe('Credits in the account after that commit.', z.int()),
    sequence: describe(
      "The number of the account's last entry then. The receipt with the highest number is the newest.",
      z.int().min(0),
    ),
  }),
);
export type Receipt = z.infer<typeof receiptSchema>;

export const entryTypeSchema = describe(
  'Why credits moved. An `adjustment` is an edit in the Firestore console. A `clawback` takes credits of a payment that was refunded or disputed, or pays off what an earlier one could not take; a `reinstatement` returns them.',
  z.enum(['grant', 'debit', 'refund', 'adjustment', 'allowance', 'purchase', 'clawback', 'reinstatement']),
);
export type EntryType = z.infer<typeof entryTypeSchema>;

const entryFields = {
  id: describe('Unique in the account.', z.string()),
  sequence: describe('The number of the entry in the account: from 1, without a gap.', z.int().positive()),
  type: entryTypeSchema,
  amount: describe('Credits added, or taken if negative.', z.int()),
  balance: describe('Credits in the account after the entry.', z.int()),
  generationId: describe('The generation that the entry belongs to, if any.', z.string().optional()),
  createdAt: time('When the entry was written.'),
};

export const entrySchema = describe(
  'One movement of credits, as its user sees it.',
  z.strictObject({
    ...entryFields,
    reason: describe(
      'The reason of the error that was refunded, the note of an adjustment, or `signup`. The reason of a grant is for admins.',
      z.string().optional(),
    ),
  }),
);
export type Entry = z.infer<typeof entrySchema>;

export const adminEntrySchema = describe(
  'One movement of credits, as admins see it.',
  z.strictObject({
    ...entryFields,
    reason: describe(
      "The admin's reason, the reason of the error that was refunded, or `signup`.",
      z.string().optional(),
    ),
    actor: describe(
      'Who moved the credits, if it is known and not the user. For an admin: the uid, then the verified e-mail address in brackets.',
      z.string().optional(),
    ),
  }),
);
export type AdminEntry = z.infer<typeof adminEntrySchema>;

export const accountSchema = describe(
  "A user's account.",
  z.strictObject({
    uid: describe("The user's id.", z.string()),
    balance: describe('Credits in the account.', z.int().min(0)),
    sequence: describe('The number of the last entry. 0 if there is none.', z.int().min(0)),
    suspended: describe('True if the account may not generate images.', z.boolean()),
    email: describe('The e-mail address in the token. Null if it has none.', z.string().nullable()),
    createdAt: time('When the account was created.'),
    closedAt: describe(
      'When the user closed the account. Absent unless it is closed or closing.',
      z.iso.datetime().optional(),
    ),
    terms: describe(
      'The terms that the user accepted last, if any.',
      z
        .strictObject({
          version: describe('Their version.', z.string()),
          acceptedAt: time('When.'),
        })
        .optional(),
    ),
    allowance: describe(
      'The free allowance, if the account has one.',
      z
        .strictObject({
          credits: describe('The balance that the account is topped up to.', z.int().min(0)),
          period: describe('How often.', z.enum(['day', 'week', 'month'])),
          nextAt: time('When the next top-up is due. Not in the future if it is due now.'),
        })
        .optional(),
    ),
  }),
);
export type AccountView = z.infer<typeof accountSchema>;

export const auditSchema = describe(
  "Whether one account's ledger adds up.",
  z.strictObject({
    uid: describe('The account.', z.string()),
    balance: describe(
      'The value in the Firestore console: a whole number of 0 or more, unless the account is broken.',
      z.unknown(),
    ),
    settled: describe('The balance that the ledger last wrote.', z.number()),
    sum: describe('The sum of the entries. Equals `settled` in a correct ledger.', z.number()),
    ok: describe('True if the ledger adds up.', z.boolean()),
    differences: describe('What does not add up, in words.', z.array(z.string())),
    providerCostMicros: describe(
      "What the account's generations, and the prompts improved in the last 400 days, cost at the provider, in millionths of a US dollar.",
      z.int(),
    ),
  }),
);
export type Audit = z.infer<typeof auditSchema>;

/**
 * What an error tells a client to do: send the request again with the same key, try again with a new key, or not try
 * again.
 */
export type Retry = 'same_key' | 'new_key' | 'no';

/** The body of an error, in Google's API error model. */
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

// The answers of the functions.

const nextPageTokenSchema = describe(
  'The `pageToken` of the next page. Absent on the last page.',
  z.string().optional(),
);
const modelIdSchema = describe('The name of the model.', z.string());
const modelReasonSchema = describe('Why the model is not ready.', z.string().optional());
const modelRetryAtSchema = describe('When `exhausted` ends.', z.iso.datetime().optional());

export const healthAnswerSchema = describe(
  'The state of this instance.',
  z.strictObject({
    status: describe('Always `ok`.', z.literal('ok')),
    version: describe('The deployed revision.', z.string()),
    models: describe(
      'The image models in the order in which they are tried.',
      z.array(
        z.strictObject({
          id: modelIdSchema,
          state: describe(
            'The state that this instance last saw. `unknown` before it used the model.',
            z.enum(['ready', 'exhausted', 'off', 'unknown']),
          ),
          reason: modelReasonSchema,
          retryAt: modelRetryAtSchema,
        }),
      ),
    ),
    warnings: describe(
      'In words: models that are retired or soon will be, and fakes or emulators that replace a service.',
      z.array(z.string()),
    ),
  }),
);

export const tierOfferSchema = describe(
  'A tier with its price and size.',
  z.strictObject({
    id: tierSchema,
    credits: describe('The price in credits.', z.int().positive()),
    aspectRatio: describe('In landscape.', z.string()),
    width: describe('In landscape, in pixels.', z.int().positive()),
    height: describe('In landscape, in pixels.', z.int().positive()),
  }),
);
export type TierOffer = z.infer<typeof tierOfferSchema>;

export const limitsSchema = describe(
  'The limits of one user.',
  z.strictObject({
    maxInFlightPerUser: describe('Generations that may run at the same time.', z.int().positive()),
    maxPerMinutePerUser: describe('Generations that may start within 60 seconds.', z.int().positive()),
    maxReferences: describe(
      'Reference images in one request: as many as the configured model accepts.',
      z.int().min(0),
    ),
    maxReferenceBytes: describe(
      'Bytes of all reference images of one request together, before base64.',
      z.int().positive(),
    ),
  }),
);
export type Limits = z.infer<typeof limitsSchema>;

export const termsSchema = describe(
  'The terms of the studio, and whether the user has to accept them.',
  z.strictObject({
    version: describe('The current version. Absent if nobody has to accept terms.', z.string().optional()),
    accepted: describe(
      'False if the user has to accept the version with `acceptTerms` before `generate` and `enhance`.',
      z.boolean(),
    ),
    acceptedAt: describe('When the user accepted this version.', z.iso.datetime().optional()),
    termsUrl: describe('The page with the terms.', z.url().optional()),
    privacyUrl: describe('The page with the privacy policy.', z.url().optional()),
  }),
);
export type Terms = z.infer<typeof termsSchema>;

export const accountAnswerSchema = describe(
  'The account, the tiers and the limits.',
  z.strictObject({
    account: accountSchema,
    tiers: describe('The tiers on offer.', z.array(tierOfferSchema)),
    limits: limitsSchema,
    terms: describe('The terms of the studio, if it has any.', termsSchema.optional()),
    supportEmail: describe('The e-mail address of support, if there is one.', z.email().optional()),
  }),
);
export type AccountAnswer = z.infer<typeof accountAnswerSchema>;

export const acceptTermsAnswerSchema = describe(
  'The account, with the terms that were accepted.',
  z.strictObject({ account: accountSchema }),
);
export type AcceptTermsAnswer = z.infer<typeof acceptTermsAnswerSchema>;

export const closeAccountAnswerSchema = describe(
  'How far the closing is.',
  z.strictObject({
    status: describe(
      '`closing` until everything about the person is erased, which needs no further call.',
      z.enum(['closing', 'closed']),
    ),
  }),
);
export type CloseAccountAnswer = z.infer<typeof closeAccountAnswerSchema>;

const exportedGenerationSchema = describe(
  'A generation as in every answer, and what else is kept of it.',
  generationSchema.extend({
    modelVersion: describe('The model that answered, if it is another one.', z.string().optional()),
    receipt: receiptSchema,
    enhance: describe('True if the request asked for a better prompt.', z.boolean()),
    fresh: describe('True if the request did not want an image from the cache.', z.boolean()),
    references: describe(
      'The reference images: `generation:` and an id, or a hash of an image in the request.',
      z.array(z.string()),
    ),
    finishedAt: describe('When it succeeded or was refunded.', z.iso.datetime().nullable()),
  }),
);

const exportedEnhancementsSchema = describe(
  'The improved prompts of one day (UTC). The prompts themselves are not kept.',
  z.strictObject({
    date: describe('The day.', z.iso.date()),
    count: describe('Calls of the text model.', z.int().min(0)),
    createdAt: time('When the first of them was made.'),
    expiresAt: time('When this record is deleted.'),
  }),
);

const exportedShareSchema = describe(
  'A shared image.',
  z.strictObject({
    generationId: generationIdSchema,
    shareUrl: describe('The address of its page.', z.url()),
    image: describe('The copy that the page shows. Null until it is stored.', imageSchema.nullable()),
    createdAt: time('When it was shared.'),
  }),
);

export const exportAnswerSchema = describe(
  'Everything that is kept about the caller. The lists are in the order of their ids.',
  z.strictObject({
    format: describe('Always `nano-banana-studio/export`.', z.literal('nano-banana-studio/export')),
    version: describe('Rises if a field changes its meaning. New fields do not change it.', z.literal(1)),
    exportedAt: time('When the export began. What happened since may be missing.'),
    account: describe(
      "Every field of the account's document in Firestore. Null if there is no account.",
      z.record(z.string(), z.unknown()).nullable(),
    ),
    entries: describe('The ledger entries. `sequence` is their order.', z.array(entrySchema)),
    generations: describe('In every state.', z.array(exportedGenerationSchema)),
    enhancements: describe('By day.', z.array(exportedEnhancementsSchema)),
    shares: describe('The images that are public now.', z.array(exportedShareSchema)),
    unreadable: describe(
      'Documents that are left out because they cannot be read: the list and the id. Support can correct them.',
      z.array(z.string()),
    ),
  }),
);
export type AccountExport = z.infer<typeof exportAnswerSchema>;

export const ledgerAnswerSchema = describe(
  'A page of entries.',
  z.strictObject({
    entries: describe('Newest first.', z.array(entrySchema)),
    nextPageToken: nextPageTokenSchema,
  }),
);
export type LedgerAnswer = z.infer<typeof ledgerAnswerSchema>;

export const enhanceAnswerSchema = describe(
  'The prompt to use.',
  z.strictObject({
    prompt: describe('The improved prompt, or the same one.', z.string()),
    enhanced: describe('True if the prompt was improved.', z.boolean()),
  }),
);
export type EnhanceAnswer = z.infer<typeof enhanceAnswerSchema>;

export const generateAnswerSchema = describe(
  'The finished generation and its cost.',
  z.strictObject({
    generation: generationSchema,
    receipt: receiptSchema,
  }),
);
export type GenerateAnswer = z.infer<typeof generateAnswerSchema>;

export const generationAnswerSchema = describe(
  'One generation.',
  z.strictObject({ generation: generationSchema }),
);
export type GenerationAnswer = z.infer<typeof generationAnswerSchema>;

export const sharedImagePageSchema = describe('The page, as HTML.', z.string());

export const reportAnswerSchema = describe(
  'The same whether the image exists or not.',
  z.strictObject({ received: describe('Always true.', z.literal(true)) }),
);

export const reportSchema = describe(
  'A report of a shared image.',
  z.strictObject({
    id: reportIdSchema,
    createdAt: time('When the report came.'),
    token: shareTokenSchema,
    uid: describe('The user who shared the image.', z.string()),
    generationId: generationIdSchema,
    reason: reportReasonSchema,
    details: describe('What the reporter wrote, if anything.', z.string().optional()),
    status: describe('`open` until an admin closes the report.', z.enum(['open', 'dismissed', 'takenDown'])),
    image: describe('The image. Null if it is gone.', imageSchema.nullable()),
  }),
);
export type Report = z.infer<typeof reportSchema>;

export const reportsAnswerSchema = describe(
  'A page of open reports.',
  z.strictObject({
    reports: describe('Newest first.', z.array(reportSchema)),
    nextPageToken: nextPageTokenSchema,
  }),
);

export const resolveReportAnswerSchema = describe(
  'The closed report.',
  z.strictObject({ report: reportSchema }),
);

export const galleryAnswerSchema = describe(
  'A page of generations.',
  z.strictObject({
    generations: describe('Newest first.', z.array(generationSchema)),
    nextPageToken: nextPageTokenSchema,
  }),
);
export type GalleryAnswer = z.infer<typeof galleryAnswerSchema>;

export const grantAnswerSchema = describe(
  'The entry, and the account after it.',
  z.strictObject({
    account: describe(
      'The account.',
      z.strictObject({
        uid: describe("The user's id.", z.string()),
        balance: describe('Credits in the account after the grant.', z.int()),
        sequence: describe("The number of the grant's entry.", z.int()),
      }),
    ),
    entry: adminEntrySchema,
  }),
);
export type GrantAnswer = z.infer<typeof grantAnswerSchema>;

export const suspendAnswerSchema = describe(
  'The account after it.',
  z.strictObject({
    account: describe(
      'The account.',
      z.strictObject({
        uid: describe("The user's id.", z.string()),
        balance: describe(
          'Credits in the account. Null if the console holds no valid number.',
          z.int().nullable(),
        ),
        sequence: describe('The number of the newest entry.', z.int()),
        suspended: describe('True if the account may not generate images.', z.boolean()),
      }),
    ),
  }),
);

export const auditAnswerSchema = describe(
  'One account, or a page of accounts.',
  z.strictObject({
    accounts: describe('In the order of their uids.', z.array(auditSchema)),
    nextPageToken: nextPageTokenSchema,
  }),
);

export const quotaAnswerSchema = describe(
  'The state of every model.',
  z.strictObject({
    models: describe(
      'The configured models.',
      z.array(
        z.strictObject({
          id: modelIdSchema,
          state: describe(
            'Only an operator switches a model to `off` and back.',
            z.enum(['ready', 'exhausted', 'off']),
          ),
          reason: modelReasonSchema,
          retryAt: modelRetryAtSchema,
        }),
      ),
    ),
    warnings: describe('In words: models that are retired or soon will be.', z.array(z.string())),
  }),
);

export const refillAnswerSchema = describe(
  'What the call did.',
  z.strictObject({
    checked: describe('Accounts checked.', z.int()),
    refilled: describe('Accounts topped up.', z.int()),
  }),
);

export const sweepAnswerSchema = describe(
  'What the call did.',
  z.strictObject({
    refunded: describe('Generations refunded.', z.int()),
    deletedAssets: describe('Images deleted.', z.int()),
  }),
);

export const reconcileAnswerSchema = describe(
  'What the call did and found.',
  z.strictObject({
    checked: describe('Accounts checked.', z.int()),
    adjusted: describe('Console edits recorded.', z.int()),
    broken: describe('Accounts that do not add up, or have no user.', z.array(auditSchema)),
  }),
);

export const packSchema = describe(
  'A credit pack on sale.',
  z.strictObject({
    id: packIdSchema,
    credits: describe('Credits in the pack.', z.int().positive()),
    amount: describe(
      "The price before tax, in the currency's smallest unit: cents of a dollar, yen.",
      z.int().positive(),
    ),
    currency: describe('The ISO 4217 code of the currency, in lower case.', z.string()),
  }),
);
export type Pack = z.infer<typeof packSchema>;

export const packsAnswerSchema = describe(
  'The packs on sale.',
  z.strictObject({
    packs: describe('In the order of the configuration. Empty where nothing is sold.', z.array(packSchema)),
  }),
);
export type PacksAnswer = z.infer<typeof packsAnswerSchema>;

export const checkoutAnswerSchema = describe(
  'Where the user pays.',
  z.strictObject({
    url: describe("The address of Stripe's page. Send the user there.", z.url()),
    sessionId: sessionIdSchema,
  }),
);
export type CheckoutAnswer = z.infer<typeof checkoutAnswerSchema>;

export const confirmCheckoutAnswerSchema = describe(
  'What became of the checkout.',
  z.strictObject({
    status: describe(
      '`unpaid` may become `paid`: the user has not paid yet, or the money takes days to arrive. `expired` never will: the checkout was not finished in time, or the bank refused the payment.',
      z.enum(['paid', 'unpaid', 'expired']),
    ),
    account: describe(
      'The account after it.',
      z.strictObject({
        uid: describe("The user's id.", z.string()),
        balance: describe('Credits in the account.', z.int().min(0)),
        sequence: describe('The number of the last entry.', z.int().min(0)),
      }),
    ),
    entry: describe(
      'The entry of the purchase. Absent unless the credits are in the ledger.',
      entrySchema.optional(),
    ),
  }),
);
export type ConfirmCheckoutAnswer = z.infer<typeof confirmCheckoutAnswerSchema>;

export const billingPortalAnswerSchema = describe(
  "Where the user's receipts and invoices are.",
  z.strictObject({
    url: describe("The address of Stripe's customer portal. It is valid for a short time.", z.url()),
  }),
);
export type BillingPortalAnswer = z.infer<typeof billingPortalAnswerSchema>;

export const webhookAnswerSchema = describe(
  'The event is handled, or needs nothing.',
  z.strictObject({ received: describe('Always true.', z.literal(true)) }),
);

export const reconcilePaymentsAnswerSchema = describe(
  'What the call did and found.',
  z.strictObject({
    checked: describe('Sessions, refunds, disputes, events and purchases checked.', z.int()),
    healed: describe('Those that had no entry, and have one now.', z.int()),
    broken: describe(
      'What only a person can decide. It is reported, never changed.',
      z.array(
        z.strictObject({
          object: describe("Stripe's id of what does not fit.", z.string()),
          uid: describe('The account, if it is known.', z.string().nullable()),
          problem: describe('What does not fit, in words.', z.string()),
        }),
      ),
    ),
  }),
);
