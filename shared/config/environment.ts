/** The environment variables: the format, default and description of each. */
import * as z from 'zod';
import { groupDigits, wholeNumberText } from '../contract/describe.ts';
import { type Tier, tierSchema } from '../contract/tiers.ts';
import type { ImageCosts } from '../imagegen/modelFacts.ts';
import { fallbackModelIdsDefault, modelIdDefault } from '../imagegen/modelOrder.ts';
import { promptModelIdDefault, successorModelId } from '../imagegen/models.ts';
import { defaults } from './defaults.ts';
import { tierCreditsDefault } from './prices.ts';

/** An empty variable counts as not set. */
const emptyAsUnset = (value: unknown) => (value === '' ? undefined : value);

/** The default as docs/setup/environment.md shows it. */
const showDefault = (fallback: string) => ({ default: fallback });
const showCode = (fallback: string) => showDefault(`\`${fallback}\``);
const digits = (value: number) => (value < 10_000 ? String(value) : groupDigits(value));

const text = z.preprocess(emptyAsUnset, z.string().optional()).meta(showDefault('unset'));
/** Editors and `echo` end a file with a line break, which is not part of the key. */
const withoutLineBreak = (value: unknown) => emptyAsUnset(typeof value === 'string' ? value.trim() : value);
const apiKey = z
  .preprocess(
    withoutLineBreak,
    z
      .string()
      .regex(/^[^\s"']+$/, 'must be a key without spaces and quotes')
      .optional(),
  )
  .meta(showDefault('unset'));
const textOr = (fallback: string) =>
  z.preprocess(emptyAsUnset, z.string().default(fallback)).meta(showCode(fallback));
const wholeNumber = (fallback: number, min: number, max: number) =>
  z
    .preprocess(
      emptyAsUnset,
      z
        .string()
        .regex(/^\d{1,15}$/, wholeNumberText(min, max))
        .transform(Number)
        .refine((value) => value >= min && value <= max, wholeNumberText(min, max))
        .default(fallback),
    )
    .meta(
      showDefault(`${digits(fallback)} (${fallback === min ? '' : `${digits(min)} `}to ${groupDigits(max)})`),
    );
const url = z
  .preprocess(emptyAsUnset, z.url({ protocol: /^https?$/, error: 'must be a URL' }).optional())
  .meta(showDefault('unset'));
const hostAndPort = z
  .preprocess(
    emptyAsUnset,
    z
      .string()
      .regex(/^(\[[0-9a-fA-F:]+\]|[^:/\s]+):\d{1,5}$/, 'must be host:port')
      .optional(),
  )
  .meta(showDefault('unset'));
const flag = z
  .preprocess(
    emptyAsUnset,
    z
      .string()
      .regex(/^(true|false|1|0)$/i, 'must be true or false')
      .transform((value) => value === '1' || value.toLowerCase() === 'true')
      .default(false),
  )
  .meta(showCode('false'));
const list = z.string().transform((value) =>
  value
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== ''),
);

const secretKeys = z.preprocess(
  emptyAsUnset,
  list
    .refine((keys) => keys.every((key) => key.length >= 32), 'must be keys of at least 32 characters')
    .optional(),
);

/** Parses dollars into micro-dollars. */
const dollars = z
  .string()
  .regex(/^\d{1,9}(\.\d{1,6})?$/, 'must be dollars from 0 to 999,999,999.999999, with at most 6 decimals')
  .transform((value) => Math.round(Number(value) * 1_000_000));

/** The price of an image of each tier, in credits. */
const tierCredits = z.string().transform((value, context): Record<Tier, number> => {
  const pairs = value.split(',').map((pair) => /^(\w+)=([1-9]\d{0,5})$/.exec(pair.trim()));
  const prices = new Map(pairs.map((match) => [match?.[1], Number(match?.[2])]));
  const tiers = tierSchema.options.map((tier) => [tier, prices.get(tier)] as const);
  if (pairs.length !== tiers.length || tiers.some(([, price]) => price === undefined)) {
    context.addIssue(`must give each tier a price from 1 to 999,999, as ${tierCreditsDefault} does`);
    return z.NEVER;
  }
  return Object.fromEntries(tiers) as Record<Tier, number>;
});

const modelId = z.preprocess(
  emptyAsUnset,
  z
    .string()
    .refine(
      (id) => !id.startsWith('imagen-'),
      `names an Imagen model; Google retired them all, use ${successorModelId}`,
    )
    .refine((id) => /^[\w.-]{1,100}$/.test(id), 'must be a model id')
    .optional(),
);

const promptModelId = z
  .preprocess(
    emptyAsUnset,
    z
      .string()
      .regex(/^[\w.-]{1,100}$/, 'must be a model id')
      .default(promptModelIdDefault),
  )
  .meta(showCode(promptModelIdDefault));

/** `model=dollars` pairs: the cost of one image of each unknown model at 1K, and after slashes at 2K and 4K if it has them. */
const modelCosts = list
  .refine(
    (pairs) =>
      pairs.every((pair) => /^[\w.-]{1,100}=\d{1,6}(\.\d{1,6})?(\/\d{1,6}(\.\d{1,6})?){0,2}$/.test(pair)),
    'must be model=dollars pairs, with dollars from 0 to 999,999.999999 and at most 6 decimals',
  )
  .transform((pairs) => Object.fromEntries(pairs.map(parseModelCosts)));

function parseModelCosts(pair: string): [string, ImageCosts] {
  const [id = '', dollars = ''] = pair.split('=');
  const [at1K = 0, at2K, at4K] = dollars.split('/').map((cost) => Math.round(Number(cost) * 1_000_000));
  return [
    id,
    { '1K': at1K, ...(at2K !== undefined && { '2K': at2K }), ...(at4K !== undefined && { '4K': at4K }) },
  ];
}

function isCloudinaryUrl(value: string): boolean {
  if (!/^cloudinary:\/\/[^:@/]+:[^:@/]+@[^:@/?]+/.test(value)) return false;
  try {
    const { username, password } = new URL(value);
    return decodeURIComponent(username + password) !== '';
  } catch {
    return false;
  }
}

const isOrigin = (value: string) => URL.canParse(value) && new URL(value).origin === value;

/** Secrets that Stripe makes for a webhook endpoint. While one is replaced, two are valid. */
const secrets = list.refine(
  (values) => values.every((value) => /^[^\s"']+$/.test(value)),
  'must be secrets without spaces and quotes',
);

export type CreditPack = { id: string; priceId: string; credits: number };

/** `pack=price:credits`, in the order in which they are shown. */
const creditPacks = list.transform((items, context): CreditPack[] => {
  const matches = items.map((item) => /^([\w-]{1,64})=(price_\w{1,200}):([1-9]\d{0,8})$/.exec(item));
  const packs = matches.map((match) => ({
    id: match?.[1] ?? '',
    priceId: match?.[2] ?? '',
    credits: Number(match?.[3]),
  }));
  if (matches.includes(null) || new Set(packs.map(({ id }) => id)).size < packs.length) {
    context.addIssue('must be pack=price_…:credits pairs, each pack once, with 1 to 999,999,999 credits');
    return z.NEVER;
  }
  return packs;
});

const dayMs = 86_400_000;

/** Every variable, by section of docs/setup/environment.md. The tables there are generated from these descriptions. */
export const environment = {
  'Google Cloud': {
    GOOGLE_CLOUD_PROJECT: z
      .preprocess(emptyAsUnset, z.string({ error: 'is required' }))
      .meta(showDefault('required'))
      .describe('Google Cloud project of Firestore, Authentication and Vertex AI'),
    FIRESTORE_DATABASE_ID: textOr('(default)').describe('id of the Firestore database'),
    FIRESTORE_EMULATOR_HOST: hostAndPort.describe('`host:port` of the Firestore emulator'),
    FIREBASE_AUTH_EMULATOR_HOST: hostAndPort.describe(
      '`host:port` of the Auth emulator; if set, its unsigned tokens are accepted',
    ),
    PORT: wholeNumber(8080, 0, 65_535).describe('port of the server; 0 picks a free port'),
    K_SERVICE: text
      .meta(showDefault('set by Cloud Run'))
      .describe('if set, the process is deployed and refuses to start with any `*_EMULATOR_HOST`'),
    K_REVISION: text
      .meta(showDefault('set by Cloud Run, else `local`'))
      .describe('version shown by `health`'),
    FUNCTION_TARGET: text
      .meta(showDefault('unset: all functions'))
      .describe('the only function that this process serves'),
  },
  Callers: {
    ALLOWED_ORIGINS: list
      .refine((origins) => origins.every(isOrigin), 'must be origins such as https://example.com')
      .prefault('')
      .meta(showDefault('none'))
      .describe('comma-separated origins whose pages may call the functions (CORS)'),
    SCHEDULER_AUDIENCE: text.describe(
      "audience of the scheduler's tokens; the scheduler is refused unless this and the next variable are set",
    ),
    SCHEDULER_SERVICE_ACCOUNT: text.describe('e-mail address of the service account that the scheduler uses'),
  },
  People: {
    IDENTITY_HASH_KEY: secretKeys
      .meta(showDefault('required on Cloud Run'))
      .describe(
        'comma-separated keys of at least 32 characters, by which the identities of a person are hashed: the first one writes, the others are looked up while you replace one',
      ),
    ERASURE_LOG_BUCKET: z
      .preprocess(
        emptyAsUnset,
        z
          .string()
          .regex(/^(file:\/\/\/.+|[a-z0-9][\w.-]{1,220}[a-z0-9])$/, 'must be the name of a bucket')
          .optional(),
      )
      .meta(showDefault('unset: erasures are not logged'))
      .describe(
        'bucket of Cloud Storage in which closings of accounts, deletions of images and take-downs are logged, so that they can be repeated after a backup is restored; the deploy sets it, and `npm start` a `file:` address',
      ),
    TERMS_VERSION: z
      .preprocess(
        emptyAsUnset,
        z
          .string()
          .regex(/^[\w.-]{1,64}$/, 'must be 1 to 64 letters, digits, dots, dashes or underscores')
          .optional(),
      )
      .meta(showDefault('unset: nobody is asked'))
      .describe(
        'version of the terms that users must accept, such as their date; a new value asks everybody again',
      ),
    TERMS_URL: url.describe('page with the terms'),
    PRIVACY_URL: url.describe('page with the privacy policy'),
    SUPPORT_EMAIL: z
      .preprocess(emptyAsUnset, z.email({ error: 'must be an e-mail address' }).optional())
      .meta(showDefault('unset'))
      .describe('address that users are shown wherever they are asked to contact support'),
    DISPOSABLE_EMAIL_CREDITS: wholeNumber(defaults.DISPOSABLE_EMAIL_CREDITS, 0, 1_000_000).describe(
      'signup credits of a person with an address at a provider of throw-away addresses, if fewer than `SIGNUP_CREDITS`',
    ),
  },
  Models: {
    GEMINI_API_KEY: apiKey.describe('key of the Gemini API'),
    GOOGLE_GEMINI_BASE_URL: url.meta(showDefault("Google's")).describe('base URL of the Gemini API'),
    GOOGLE_GENAI_USE_VERTEXAI: flag.describe(
      "`true` uses Vertex AI with the project's own credentials in place of a key",
    ),
    GOOGLE_CLOUD_LOCATION: text.meta(showCode('global')).describe('location of Vertex AI'),
    IMAGEGEN_PROVIDER: z
      .preprocess(
        emptyAsUnset,
        z
          .enum(['gemini', 'imagen', 'gemini_imagen', 'nano_banana', 'gemini_nano_banana'], {
            error: 'must be one of gemini, imagen, gemini_imagen, nano_banana, gemini_nano_banana',
          })
          .default('gemini_nano_banana'),
      )
      .meta(showCode('gemini_nano_banana'))
      .describe(
        'also accepts `gemini`, `imagen`, `gemini_imagen` and `nano_banana`; all select the same adapter',
      ),
    IMAGEGEN_MODEL_ID: modelId
      .meta(showCode(modelIdDefault))
      .describe('model that is called first; `imagen-*` is refused'),
    IMAGEGEN_GEMINI_MODEL_ID: modelId
      .meta(showDefault('unset'))
      .describe('deprecated alias of `IMAGEGEN_MODEL_ID`, which wins if both are set'),
    IMAGEGEN_FALLBACK_MODEL_IDS: list
      .refine(
        (ids) => !ids.some((id) => id.startsWith('imagen-')),
        `names an Imagen model; Google retired them all, use ${successorModelId}`,
      )
      .refine((ids) => ids.every((id) => /^[\w.-]{1,100}$/.test(id)), 'must be model ids')
      .optional()
      .meta(showCode(fallbackModelIdsDefault.join(',')))
      .describe('comma-separated models to fall back to, in order; empty for none'),
    IMAGEGEN_MODEL_COSTS_USD: modelCosts
      .prefault('')
      .meta(showDefault('none'))
      .describe(
        'comma-separated `model=dollars` pairs: the cost of one image of a model that is not in the catalogue; required for such a model. `model=1/2/4` gives it at 1K, 2K and 4K; a model is asked only at the resolutions that have a cost',
      ),
    PROMPT_MODEL_ID: promptModelId.describe('text model that improves prompts'),
    PROMPT_TIMEOUT_MS: wholeNumber(defaults.PROMPT_TIMEOUT_MS, 1, 60_000).describe(
      'longest time for improving a prompt, milliseconds',
    ),
    RETRY_ATTEMPTS: wholeNumber(defaults.RETRY_ATTEMPTS, 1, 10).describe(
      'most calls per model, including the first',
    ),
    RETRY_BASE_DELAY_MS: wholeNumber(defaults.RETRY_BASE_DELAY_MS, 0, 60_000).describe(
      'longest pause before the second call to a model, milliseconds; doubles for each further call',
    ),
  },
  Payments: {
    STRIPE_SECRET_KEY: apiKey.describe('secret or restricted key of Stripe; if unset, nothing is sold'),
    STRIPE_WEBHOOK_SECRET: secrets
      .prefault('')
      .meta(showDefault('none'))
      .describe('comma-separated signing secrets of the webhook endpoint; two while one is replaced'),
    STRIPE_API_BASE_URL: url.meta(showDefault("Stripe's")).describe("base URL of Stripe's API"),
    CREDIT_PACKS: creditPacks
      .prefault('')
      .meta(showDefault('none'))
      .describe(
        'comma-separated credit packs as `pack=price:credits`, such as `starter=price_1abc:100`; the price is the id of a one-time price at Stripe',
      ),
    STRIPE_MANAGED_PAYMENTS: flag.describe(
      '`true` makes Stripe the merchant of record (Managed Payments): it handles taxes, disputes and support',
    ),
  },
  Images: {
    PUBLIC_URL: url
      .transform((value) => value?.replace(/\/+$/, ''))
      .meta(showDefault('`https://{project}.web.app`; locally `http://localhost:{PORT}`'))
      .describe(
        'address at which people reach the studio: Stripe leads back to it, and the addresses of shared images begin with it',
      ),
    SHARED_IMAGES_INDEXED: flag.describe(
      '`true` lets search engines list the pages of shared images; otherwise they are `noindex`',
    ),
    CLOUDINARY_URL: z
      .preprocess(
        emptyAsUnset,
        z.string().refine(isCloudinaryUrl, 'must be cloudinary://key:secret@cloud').optional(),
      )
      .meta(showDefault('unset'))
      .describe('image store: `cloudinary://key:secret@cloud`; `?upload_prefix=` selects another endpoint'),
  },
  Generations: {
    GENERATE_TIMEOUT_MS: wholeNumber(defaults.GENERATE_TIMEOUT_MS, 100, 3_500_000).describe(
      'longest time from the hold to the answer, milliseconds',
    ),
    HOLD_GRACE_MS: wholeNumber(defaults.HOLD_GRACE_MS, 0, dayMs).describe(
      'time after `GENERATE_TIMEOUT_MS` until the hold expires and any call may refund it, milliseconds',
    ),
    CACHE_TTL_SECONDS: wholeNumber(defaults.CACHE_TTL_SECONDS, 0, 365 * 86_400).describe(
      'how long the cache answers the same request, seconds; 0 disables the cache',
    ),
    MAX_IN_FLIGHT_PER_USER: wholeNumber(defaults.MAX_IN_FLIGHT_PER_USER, 1, 1_000).describe(
      'most images of one user in progress at once',
    ),
    MAX_PER_MINUTE_PER_USER: wholeNumber(defaults.MAX_PER_MINUTE_PER_USER, 1, 10_000).describe(
      'most images that one user may request in any 60 s',
    ),
    MAX_REFUNDS_PER_HOUR_PER_USER: wholeNumber(defaults.MAX_REFUNDS_PER_HOUR_PER_USER, 1, 1_000).describe(
      'most refunds of one user in any hour for images that the provider billed, or may have; then requests are refused',
    ),
    MAX_ENHANCE_PER_DAY_PER_USER: wholeNumber(defaults.MAX_ENHANCE_PER_DAY_PER_USER, 0, 100_000).describe(
      'most prompts of one user that the text model improves in a day (UTC); 0 stops that',
    ),
    MAX_SPEND_PER_DAY_USD: z
      .preprocess(emptyAsUnset, dollars.optional())
      .meta(showDefault('unset: no limit'))
      .describe(
        'most that the provider may bill for all images and improved prompts of a day (UTC), dollars with up to 6 decimals; 0 stops both',
      ),
  },
  Credits: {
    TIER_CREDITS: z
      .preprocess(emptyAsUnset, tierCredits.prefault(tierCreditsDefault))
      .meta(showCode(tierCreditsDefault))
      .describe('price of an image of each tier at 1K, credits; 2K costs twice as much, 4K four times'),
    SIGNUP_CREDITS: wholeNumber(defaults.SIGNUP_CREDITS, 0, 1_000_000).describe(
      "first grant of an account, at the first call with a verified e-mail address or a provider's sign-in",
    ),
    ALLOWANCE_CREDITS: wholeNumber(defaults.ALLOWANCE_CREDITS, 0, 1_000_000).describe(
      'balance that accounts are topped up to in each period; 0 disables allowances',
    ),
    ALLOWANCE_PERIOD: z
      .preprocess(
        emptyAsUnset,
        z.enum(['day', 'week', 'month'], { error: 'must be one of day, week, month' }).default('month'),
      )
      .meta(showCode('month'))
      .describe('also accepts `day` and `week`; periods are in UTC'),
  },
};

export const environmentSchema = z.object({
  ...environment['Google Cloud'],
  ...environment.Callers,
  ...environment.People,
  ...environment.Models,
  ...environment.Payments,
  ...environment.Images,
  ...environment.Generations,
  ...environment.Credits,
});
