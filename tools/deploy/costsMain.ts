/** `npm run costs`: prints the estimated bill for a month, with the source of each price. */
import { parseArgs } from 'node:util';
import { isKnownModel } from '../../shared/imagegen/models.ts';
import { createBill, type Usage } from './costs.ts';

const helpText = `npm run costs -- --images N
  --model ID       gemini-2.5-flash-image
  --seconds S      seconds from request to answer, 20
  --megabytes M    size of an image, 1.5
  --views V        views of each image in full size, 3
  --months M       months to keep images, 12
  --enhance SHARE  share of enhanced prompts, 0.3
  --accounts N     accounts, one for every 20 images
  --visits N       visits of the page, one for every 4 images`;

function parseUsage(args: string[]): Usage {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({
    args,
    options: {
      images: text,
      model: text,
      seconds: text,
      megabytes: text,
      views: text,
      months: text,
      enhance: text,
      accounts: text,
      visits: text,
    },
  });
  const number = (name: keyof typeof values, fallback?: number): number => {
    const value = values[name] === undefined ? fallback : Number(values[name]);
    if (value === undefined || !Number.isFinite(value) || value < 0)
      throw new Error(`--${name} must be a number`);
    return value;
  };
  const images = number('images');
  const modelId = values.model ?? 'gemini-2.5-flash-image';
  if (!isKnownModel(modelId)) throw new Error('--model must be a model in our catalogue');
  return {
    images,
    modelId,
    secondsPerImage: number('seconds', 20),
    bytesPerImage: number('megabytes', 1.5) * 1_000_000,
    viewsPerImage: number('views', 3),
    monthsKept: number('months', 12),
    enhanceShare: number('enhance', 0.3),
    accounts: number('accounts', Math.ceil(images / 20)),
    visits: number('visits', Math.ceil(images / 4)),
  };
}

const dollars = (usd: number) =>
  usd.toLocaleString('en', { style: 'currency', currency: 'USD' }).padStart(15);
const amount = (value: number) => value.toLocaleString('en', { maximumFractionDigits: value < 100 ? 2 : 0 });

try {
  const usage = parseUsage(process.argv.slice(2));
  const lines = createBill(usage);
  const total = lines.reduce((sum, { usd }) => sum + usd, 0);
  const rows = lines.map(
    ({ what, amount: of, unit, usd, price }) =>
      `${dollars(usd)}  ${what} (${amount(of)} × ${unit})\n${' '.repeat(17)}${price.source}${price.verified ? '' : ', NOT VERIFIED'}`,
  );
  const each = usage.images > 0 ? `, ${(total / usage.images).toFixed(4)} dollars an image` : '';
  process.stdout.write(`${rows.join('\n')}\n${dollars(total)}  a month${each}\n`);
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n\n${helpText}\n`);
  process.exitCode = 1;
}
