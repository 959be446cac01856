/**
 * `npm run costs`: prints the estimated bill for a month, with the source of each price; with `--packs` also what is left
 * of each image.
 */
import { parseArgs } from 'node:util';
import { parseConfig } from '../../shared/config/config.ts';
import { resolutionSchema } from '../../shared/contract.ts';
import { hasResolution, imageModel, imageModels, isKnownModel } from '../../shared/imagegen/models.ts';
import { createBill, type Line, type Usage } from './costs.ts';
import { computeMargins, formatMargins, type SoldPack } from './margins.ts';
import { stripeFees } from './prices.ts';

const helpText = `npm run costs -- --images N
  --model ID       gemini-2.5-flash-image
  --resolution R   1K, 2K or 4K; 1K
  --seconds S      seconds from request to answer, 20
  --megabytes M    size of an image, 1.5
  --views V        views of each image in full size, 3
  --months M       months to keep images, 12
  --enhance SHARE  share of enhanced prompts, 0.3
  --accounts N     accounts, one for every 20 images
  --visits N       visits of the page, one for every 4 images
  --packs LIST     credit packs as price:credits, such as 5:100,20:500: prints what is left of each image
  --region R       whose fee Stripe takes: ${Object.keys(stripeFees).join(', ')}; us
  --fee-percent P  in place of the region's; Managed Payments and foreign cards cost more
  --fee-fixed F    in place of the region's
  --rate D         dollars for one unit of the packs' currency, 1
  --tiers LIST     credits of each tier, as TIER_CREDITS`;

const text = { type: 'string' } as const;

function parseCommandLine(args: string[]) {
  const { values } = parseArgs({
    args,
    options: {
      packs: text,
      region: text,
      'fee-percent': text,
      'fee-fixed': text,
      rate: text,
      tiers: text,
      images: text,
      model: text,
      resolution: text,
      seconds: text,
      megabytes: text,
      views: text,
      months: text,
      enhance: text,
      accounts: text,
      visits: text,
    },
  });
  return values;
}

type Values = ReturnType<typeof parseCommandLine>;

const createNumberParser =
  (values: Values) =>
  (name: keyof Values, fallback?: number): number => {
    const value = values[name] === undefined ? fallback : Number(values[name]);
    if (value === undefined || !Number.isFinite(value) || value < 0)
      throw new Error(`--${name} must be a number`);
    return value;
  };

function parseResolution({ resolution = '1K' }: Values) {
  const { data } = resolutionSchema.safeParse(resolution);
  if (!data) throw new Error(`--resolution must be one of ${resolutionSchema.options.join(', ')}`);
  return data;
}

function parseUsage(values: Values): Usage {
  const number = createNumberParser(values);
  const images = number('images');
  const modelId = values.model ?? 'gemini-2.5-flash-image';
  if (!isKnownModel(modelId)) throw new Error('--model must be a model in our catalogue');
  const resolution = parseResolution(values);
  if (!hasResolution(imageModel(modelId), resolution))
    throw new Error('--resolution must be one that the model has');
  return {
    images,
    modelId,
    resolution,
    secondsPerImage: number('seconds', 20),
    bytesPerImage: number('megabytes', 1.5) * 1_000_000,
    viewsPerImage: number('views', 3),
    monthsKept: number('months', 12),
    enhanceShare: number('enhance', 0.3),
    accounts: number('accounts', Math.ceil(images / 20)),
    visits: number('visits', Math.ceil(images / 4)),
  };
}

/** The lines about packs; none without `--packs`. `bill` has the costs of an image besides its model. */
function describePacks(values: Values, bill: readonly Line[], images: number): string[] {
  if (values.packs === undefined) return [];
  const number = createNumberParser(values);
  const packs = values.packs.split(',').map((pack): SoldPack => {
    const [, price, credits] = /^(\d+(?:\.\d+)?):([1-9]\d*)$/.exec(pack) ?? [];
    if (!price || !credits) throw new Error('--packs must be price:credits pairs, such as 5:100,20:500');
    return { price: Number(price), credits: Number(credits) };
  });
  const { region = 'us' } = values;
  if (!Object.hasOwn(stripeFees, region))
    throw new Error(`--region must be one of ${Object.keys(stripeFees).join(', ')}`);
  const { currency, percent, fixed, source, asOf } = stripeFees[region as keyof typeof stripeFees];
  const others = bill.slice(1).reduce((sum, { usd }) => sum + usd, 0);
  const fee = { percent: number('fee-percent', percent), fixed: number('fee-fixed', fixed) };
  const margins = computeMargins(packs, {
    fee,
    usdRate: number('rate', 1),
    tierCredits: parseConfig({ GOOGLE_CLOUD_PROJECT: 'any', TIER_CREDITS: values.tiers }).tierCredits,
    modelIds: imageModels.filter(({ status }) => status !== 'retired').map(({ id }) => id),
    resolution: parseResolution(values),
    otherUsd: images > 0 ? others / images : 0,
  });
  return [
    '',
    `Stripe: ${fee.percent} % and ${fee.fixed} ${currency} for each payment, ${source}, ${asOf}, NOT VERIFIED`,
    ...formatMargins(margins, currency),
  ];
}

const dollars = (usd: number) =>
  usd.toLocaleString('en', { style: 'currency', currency: 'USD' }).padStart(15);
const amount = (value: number) => value.toLocaleString('en', { maximumFractionDigits: value < 100 ? 2 : 0 });

try {
  const values = parseCommandLine(process.argv.slice(2));
  const usage = parseUsage(values);
  const lines = createBill(usage);
  const total = lines.reduce((sum, { usd }) => sum + usd, 0);
  const rows = lines.map(
    ({ what, amount: of, unit, usd, price }) =>
      `${dollars(usd)}  ${what} (${amount(of)} × ${unit})\n${' '.repeat(17)}${price.source}${price.verified ? '' : ', NOT VERIFIED'}`,
  );
  const each = usage.images > 0 ? `, ${(total / usage.images).toFixed(4)} dollars an image` : '';
  const packs = describePacks(values, lines, usage.images);
  process.stdout.write(`${[...rows, `${dollars(total)}  a month${each}`, ...packs].join('\n')}\n`);
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n\n${helpText}\n`);
  process.exitCode = 1;
}
