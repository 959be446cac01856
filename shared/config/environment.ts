/** The variables of the environment: what each must look like, and what the documents say of it. */
import * as z from 'zod';
import { fallbackModelIdsDefault, imagenSuccessor, modelIdDefault } from '../imagegen/models.ts';

/** A variable set to nothing is one that is not set. */
const unset = (value: unknown) => (value === '' ? undefined : value);

/** The default as the documents tell it. */
const told = (fallback: string) => ({ default: fallback });
const code = (fallback: string) => told(`\`${fallback}\``);
// Not toLocaleString: making its formatter would take a tenth of a cold start.
const grouped = (value: number) => String(value).replace(/\B(?=(\d{3})+$)/g, ',');
const digits = (value: number) => (value < 10_000 ? String(value) : grouped(value));

const text = z.preprocess(unset, z.string().optional()).meta(told('unset'));
const textOr = (fallback: string) => z.preprocess(unset, z.string().default(fallback)).meta(code(fallback));
const wholeNumber = (fallback: number, min: number, max: number) =>
  z
    .preprocess(
      unset,
      z
        .string()
        .regex(/^\d{1,15}$/, 'must be a whole number')
        .transform(Number)
        .refine((value) => value >= min && value <= max, `must be from ${min} to ${max}`)
        .default(fallback),
    )
    .meta(told(`${digits(fallback)} (${fallback === min ? '' : `${digits(min)} `}to ${grouped(max)})`));
const url = z
  .preprocess(unset, z.url({ protocol: /^https?$/, error: 'must be a URL' }).optional())
  .meta(told('unset'));
const hostAndPort = z
  .preprocess(
    unset,
    z
      .string()
      .regex(/^(\[[0-9a-fA-F:]+\]|[^:/\s]+):\d{1,5}$/, 'must be host:port')
      .optional(),
  )
  .meta(told('unset'));
const flag = z
  .preprocess(
    unset,
    z
      .string()
      .regex(/^(true|false|1|0)$/i, 'must be true or false')
      .transform((value) => value === '1' || value.toLowerCase() === 'true')
      .default(false),
  )
  .meta(code('false'));
const list = z.string().transform((value) =>
  value
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== ''),
);

/** Dollars as micro-dollars. */
const dollars = z
  .string()
  .regex(/^\d{1,9}(\.\d{1,6})?$/, 'must be an amount of dollars')
  .transform((value) => Math.round(Number(value) * 1_000_000));

const modelId = z.preprocess(
  unset,
  z
    .string()
    .refine(
      (id) => !id.startsWith('imagen-'),
      `names an Imagen model, which are retired; use ${imagenSuccessor}`,
    )
    .refine((id) => /^[\w.-]{1,100}$/.test(id), 'is not the id of a model')
    .optional(),
);

/** `model=dollars` pairs: what one image costs of models that we do not know. */
const modelCosts = list
  .refine(
    (pairs) => pairs.every((pair) => /^[\w.-]{1,100}=\d{1,6}(\.\d{1,6})?$/.test(pair)),
    'must be model=dollars pairs',
  )
  .transform((pairs) => {
    const entries = pairs.map((pair) => pair.split('=') as [string, string]);
    return Object.fromEntries(entries.map(([id, cost]) => [id, Math.round(Number(cost) * 1_000_000)]));
  });

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

const dayMs = 86_400_000;

/** Every variable, by the headings under which docs/setup/environment.md tells of them; its tables are made of this. */
export const environment = {
  'Google Cloud': {
    GOOGLE_CLOUD_PROJECT: z
      .preprocess(unset, z.string({ error: 'is required' }))
      .meta(told('required'))
      .describe('the project of Firestore, Authentication and Vertex AI'),
    FIRESTORE_DATABASE_ID: textOr('(default)').describe('the Firestore database'),
    FIRESTORE_EMULATOR_HOST: hostAndPort.describe('`host:port` of the Firestore emulator'),
    FIREBASE_AUTH_EMULATOR_HOST: hostAndPort.describe(
      '`host:port` of the Auth emulator, whose tokens are then accepted',
    ),
    PORT: wholeNumber(8080, 0, 65_535).describe('where functions are served; 0 for a free port'),
    K_SERVICE: text.meta(told('set by Cloud Run')).describe('deployed: no `*_EMULATOR_HOST` may be set'),
    K_REVISION: text.meta(told('set by Cloud Run, else `local`')).describe('the version that `health` tells'),
    FUNCTION_TARGET: text.meta(told('unset: all')).describe('the one function that this process serves'),
  },
  Callers: {
    ALLOWED_ORIGINS: list
      .refine((origins) => origins.every(isOrigin), 'must be origins such as https://example.com')
      .prefault('')
      .meta(told('none'))
      .describe('origins, separated by commas, whose pages may call (CORS)'),
    SCHEDULER_AUDIENCE: text.describe(
      "the audience of the scheduler's tokens; without it and the next one the scheduler is refused",
    ),
    SCHEDULER_SERVICE_ACCOUNT: text.describe('the e-mail of the service account that the scheduler calls as'),
  },
  Models: {
    GEMINI_API_KEY: text.describe('the key of the Gemini API'),
    GOOGLE_GEMINI_BASE_URL: url.meta(told("Google's")).describe('another endpoint of the Gemini API'),
    GOOGLE_GENAI_USE_VERTEXAI: flag.describe("Vertex AI with the project's own credentials, and no key"),
    GOOGLE_CLOUD_LOCATION: text.meta(code('global')).describe('the location of Vertex AI'),
    IMAGEGEN_PROVIDER: z
      .preprocess(
        unset,
        z
          .enum(['gemini', 'imagen', 'gemini_imagen', 'nano_banana', 'gemini_nano_banana'], {
            error: 'must be one of gemini, imagen, gemini_imagen, nano_banana, gemini_nano_banana',
          })
          .default('gemini_nano_banana'),
      )
      .meta(code('gemini_nano_banana'))
      .describe('also `gemini`, `imagen`, `gemini_imagen`, `nano_banana`: all of them name the same adapter'),
    IMAGEGEN_MODEL_ID: modelId
      .meta(code(modelIdDefault))
      .describe('the model that is asked first; `imagen-*` is refused'),
    IMAGEGEN_GEMINI_MODEL_ID: modelId
      .meta(told('unset'))
      .describe('older spelling of the one above, which goes over it'),
    IMAGEGEN_FALLBACK_MODEL_IDS: list
      .refine(
        (ids) => !ids.some((id) => id.startsWith('imagen-')),
        `names an Imagen model, which are retired; use ${imagenSuccessor}`,
      )
      .refine((ids) => ids.every((id) => /^[\w.-]{1,100}$/.test(id)), 'must be ids of models')
      .optional()
      .meta(code(fallbackModelIdsDefault.join(',')))
      .describe('the models that are asked next, in order; empty for none'),
    IMAGEGEN_MODEL_COSTS_USD: modelCosts
      .prefault('')
      .meta(told('none'))
      .describe(
        '`model=dollars` pairs, separated by commas: what an image costs of a model that we do not know. Such a model is refused without',
      ),
    PROMPT_MODEL_ID: textOr('gemini-3.5-flash-lite').describe('the text model that improves prompts'),
    PROMPT_TIMEOUT_MS: wholeNumber(4_000, 1, 60_000).describe('how long it may take, milliseconds'),
    RETRY_ATTEMPTS: wholeNumber(3, 1, 10).describe('calls per model in all'),
    RETRY_BASE_DELAY_MS: wholeNumber(500, 0, 60_000).describe(
      'longest wait before the second call, milliseconds; twice as long before each further one',
    ),
  },
  Images: {
    CLOUDINARY_URL: z
      .preprocess(
        unset,
        z.string().refine(isCloudinaryUrl, 'must be cloudinary://key:secret@cloud').optional(),
      )
      .meta(told('unset'))
      .describe(
        '`cloudinary://key:secret@cloud`, where images are kept; with `?upload_prefix=` another endpoint',
      ),
  },
  Generations: {
    GENERATE_TIMEOUT_MS: wholeNumber(120_000, 100, 3_500_000).describe(
      'everything from the hold to the answer, milliseconds',
    ),
    HOLD_GRACE_MS: wholeNumber(60_000, 0, dayMs).describe(
      'milliseconds after that until anybody may refund the hold',
    ),
    CACHE_TTL_SECONDS: wholeNumber(0, 0, 365 * 86_400).describe(
      'how long the same request is answered from the cache, seconds; 0 switches it off',
    ),
    MAX_IN_FLIGHT_PER_USER: wholeNumber(4, 1, 1_000).describe('images of one user that are painted at once'),
    MAX_PER_MINUTE_PER_USER: wholeNumber(20, 1, 10_000).describe('holds of one user in any 60 s'),
    MAX_SPEND_PER_DAY_USD: z
      .preprocess(unset, dollars.optional())
      .meta(told('unset: none'))
      .describe(
        'what all images of a day (UTC) may cost at the provider, dollars with up to 6 decimals; 0 stops painting',
      ),
  },
  Credits: {
    SIGNUP_CREDITS: wholeNumber(10, 0, 1_000_000).describe(
      "the first grant of an account, at the first call with a verified e-mail or a provider's sign-in",
    ),
    ALLOWANCE_CREDITS: wholeNumber(0, 0, 1_000_000).describe(
      'what accounts are topped up to in each period; 0 switches it off',
    ),
    ALLOWANCE_PERIOD: z
      .preprocess(
        unset,
        z.enum(['day', 'week', 'month'], { error: 'must be one of day, week, month' }).default('month'),
      )
      .meta(code('month'))
      .describe('also `day`, `week`; by UTC'),
  },
};

export const environmentSchema = z.object({
  ...environment['Google Cloud'],
  ...environment.Callers,
  ...environment.Models,
  ...environment.Images,
  ...environment.Generations,
  ...environment.Credits,
});
