/** Estimates a month's bill from the usage, the manifest's sizes, the catalogue's models and public prices. */
import type { Resolution } from '../../shared/contract.ts';
import { getImageCost, imageModel } from '../../shared/imagegen/models.ts';
import { manifest } from './manifest.ts';
import { cloudinaryPlans, type Price, prices } from './prices.ts';

export type Usage = {
  /** Images generated in the month. */
  images: number;
  modelId: string;
  resolution: Resolution;
  /** From a request of `generate` to its answer. */
  secondsPerImage: number;
  bytesPerImage: number;
  /** How often an image is viewed in full size. Thumbnails are added. */
  viewsPerImage: number;
  /** How long images are kept, months: the storage holds the images of that many months. */
  monthsKept: number;
  /** The share of images with an enhanced prompt, from 0 to 1. */
  enhanceShare: number;
  accounts: number;
  /** How often users open the page, in the month. */
  visits: number;
};

export type Line = {
  what: string;
  amount: number;
  unit: string;
  usd: number;
  price: Pick<Price, 'source' | 'verified'>;
};

const monthSeconds = 30 * 86_400;
const minutesPerMonth = 30 * 24 * 60;
const gib = 2 ** 30;
const gb = 10 ** 9;

/** Documents of one image, without the count of an improved prompt, which is two reads and one write. It reads two of its own and the models' states; it writes three to hold and one to settle. */
export const perImage = { reads: 2, stateReads: 4, writes: 4 };
/** The minimum time between two reads of the models' states by one instance, seconds. */
const stateSeconds = 5;
/** Documents that a visit reads: the account, a page of the gallery and one more. Each write of the account adds one. */
const readsPerVisit = 27;
/** Bytes of a generation and its ledger entry, and of an account, with their index entries: 20 for the words of a prompt. */
const [storedPerImage, storedPerAccount] = [9_000, 2_000];
/** A thumbnail has about 40 KB. Each image is one upload and one thumbnail: two transformations. */
const thumbnail = { bytes: 40_000, shownPerImage: 10 };
const transformationsPerImage = 2;
/** The price of an enhanced prompt: about 250 input tokens and 150 output tokens. */
const enhanceUsd = (250 * 0.3 + 150 * 2.5) / 1_000_000;
/** How long Cloud Run keeps an idle instance, seconds; and its load before Cloud Run starts another instance. */
const idleSeconds = 900;
const fullShare = 0.6;
/** How long a function other than `generate` takes, seconds. */
const shortSeconds = 0.2;
const logBytesPerImage = 4_000;

/** The lines of the bill. */
export function createBill(usage: Usage): Line[] {
  const instanceSeconds = estimateInstances(usage) * monthSeconds;
  const generate = manifest.generate;
  if (!generate) throw new Error('The manifest has no generate');
  const short = estimateShortRequests(usage);
  const storedGib =
    (usage.images * usage.monthsKept * storedPerImage + usage.accounts * storedPerAccount) / gib;
  const gemini = { source: 'shared/imagegen/modelFacts.ts', verified: false };
  const imageUsd = getImageCost(imageModel(usage.modelId), usage.resolution) / 1_000_000;
  return [
    {
      what: `Gemini, ${usage.modelId}`,
      amount: usage.images,
      unit: 'image',
      usd: usage.images * imageUsd,
      price: gemini,
    },
    {
      what: 'Gemini, enhanced prompts',
      amount: usage.images * usage.enhanceShare,
      unit: 'prompt',
      usd: usage.images * usage.enhanceShare * enhanceUsd,
      price: gemini,
    },
    createCloudinaryLine(usage),
    createLine('Cloud Run, generate: CPU', instanceSeconds * generate.cpu, prices.instanceCpu),
    createLine(
      'Cloud Run, generate: memory',
      (instanceSeconds * generate.memoryMiB) / 1024,
      prices.instanceMemory,
    ),
    createLine('Cloud Run, all others: CPU', short.seconds, prices.requestCpu),
    createLine('Cloud Run, all others: memory', short.seconds / 2, prices.requestMemory),
    createLine('Cloud Run, all others: requests', short.requests, prices.requests),
    createLine(
      'Images on their way to Cloudinary',
      (usage.images * usage.bytesPerImage) / gib,
      prices.egress,
    ),
    createLine('Firestore: reads', estimateFirestoreReads(usage), prices.reads),
    createLine('Firestore: writes', usage.images * (perImage.writes + usage.enhanceShare), prices.writes),
    createLine('Firestore: storage', storedGib, prices.storage),
    createLine(
      'Firestore: point-in-time recovery',
      ((usage.images / 30) * 7 * storedPerImage) / gib,
      prices.pitr,
    ),
    // Seven daily and fourteen weekly backups.
    createLine('Firestore: backups', storedGib * 21, prices.backups),
    createLine(
      'Cloud Scheduler',
      Object.values(manifest).filter(({ trigger }) => trigger.kind === 'schedule').length,
      prices.schedules,
    ),
    createLine('Secret Manager', 5, prices.secrets),
    createLine('Cloud Logging', (usage.images * logBytesPerImage + short.requests * 500) / gib, prices.logs),
  ];
}

function createLine(what: string, amount: number, price: Price): Line {
  const billedAmount = Math.max(0, amount - (price.free ?? 0));
  return { what, amount, unit: price.unit, usd: billedAmount * price.usd, price };
}

/** The average number of instances of `generate`: enough for the work, or those that Cloud Run still keeps alive. */
export function estimateInstances({ images, secondsPerImage }: Usage): number {
  const perSecond = images / monthSeconds;
  const concurrency = manifest.generate?.concurrency ?? 1;
  const busy = (perSecond * secondsPerImage) / (concurrency * fullShare);
  const isAlive = 1 - Math.exp(-perSecond * (secondsPerImage + idleSeconds));
  return Math.max(busy, isAlive);
}

/** Requests for each visit's account and gallery, for each write of an account, and for each call of a job. */
function estimateShortRequests({ images, visits }: Usage): { requests: number; seconds: number } {
  const jobs = minutesPerMonth + minutesPerMonth / 15 + 30 * 24 + 30;
  const requests = 3 * visits + images + jobs;
  return { requests, seconds: (3 * visits + images) * shortSeconds + jobs };
}

function estimateFirestoreReads(usage: Usage): number {
  const stateReads =
    Math.min(usage.images, (estimateInstances(usage) * monthSeconds) / stateSeconds) * perImage.stateReads;
  const sweeps = minutesPerMonth * 4;
  // Each account every hour for its allowance; and every day with six sums over its documents.
  const jobs = usage.accounts * (24 * 30 + 30 * 8);
  const listenerReads = usage.images;
  return (
    usage.images * (perImage.reads + 2 * usage.enhanceShare) +
    stateReads +
    usage.visits * readsPerVisit +
    listenerReads +
    sweeps +
    jobs
  );
}

/** The required Cloudinary credits, and the smallest plan that includes them. */
function createCloudinaryLine({ images, bytesPerImage, monthsKept, viewsPerImage }: Usage): Line {
  const storedGb = (images * monthsKept * (bytesPerImage + thumbnail.bytes)) / gb;
  const deliveredGb =
    (images * (viewsPerImage * bytesPerImage + thumbnail.shownPerImage * thumbnail.bytes)) / gb;
  const credits = (images * transformationsPerImage) / 1_000 + storedGb + deliveredGb;
  const plan = cloudinaryPlans.find((one) => one.credits >= credits);
  const largest = cloudinaryPlans[2];
  const usd = plan?.usd ?? (credits * largest.usd) / largest.credits;
  const what = plan
    ? `Cloudinary, ${plan.name}`
    : "Cloudinary, by contract (estimated from Advanced's price for a credit)";
  return {
    what,
    amount: credits,
    unit: 'credit',
    usd,
    price: { source: largest.source, verified: plan?.verified ?? false },
  };
}
