/**
 * Prices in US dollars unless they name a currency, for the cheapest regions (such as us-central1), from public pages. `verified` is false if
 * nobody has seen the price on the seller's own page.
 */

export type Price = {
  usd: number;
  unit: string;
  free?: number;
  source: string;
  asOf: string;
  verified: boolean;
};

const cloudRun = 'https://cloud.google.com/run/pricing';
const firestore = 'https://cloud.google.com/firestore/pricing';
const cloudinary = 'https://cloudinary.com/pricing';
const asOf = '2026-11';

/** `free` is the free amount in a month, in the price's unit. */
export const prices = {
  requestCpu: { usd: 0.000024, unit: 'vCPU-second', free: 180_000, source: cloudRun, asOf, verified: true },
  requestMemory: {
    usd: 0.0000025,
    unit: 'GiB-second',
    free: 360_000,
    source: cloudRun,
    asOf,
    verified: true,
  },
  requests: { usd: 0.0000004, unit: 'request', free: 2_000_000, source: cloudRun, asOf, verified: true },
  instanceCpu: { usd: 0.000018, unit: 'vCPU-second', free: 240_000, source: cloudRun, asOf, verified: true },
  instanceMemory: {
    usd: 0.000002,
    unit: 'GiB-second',
    free: 450_000,
    source: cloudRun,
    asOf,
    verified: true,
  },
  egress: { usd: 0.12, unit: 'GiB', free: 1, source: cloudRun, asOf, verified: false },
  reads: { usd: 0.0000003, unit: 'document read', free: 1_500_000, source: firestore, asOf, verified: false },
  writes: { usd: 0.0000009, unit: 'document write', free: 600_000, source: firestore, asOf, verified: false },
  storage: { usd: 0.15, unit: 'GiB-month', free: 1, source: firestore, asOf, verified: false },
  pitr: { usd: 0.15, unit: 'GiB-month', source: firestore, asOf, verified: false },
  backups: { usd: 0.03, unit: 'GiB-month', source: firestore, asOf, verified: false },
  schedules: {
    usd: 0.1,
    unit: 'job',
    free: 3,
    source: 'https://cloud.google.com/scheduler/pricing',
    asOf,
    verified: true,
  },
  secrets: {
    usd: 0.06,
    unit: 'active version',
    free: 6,
    source: 'https://cloud.google.com/secret-manager/pricing',
    asOf,
    verified: true,
  },
  logs: {
    usd: 0.5,
    unit: 'GiB',
    free: 50,
    source: 'https://cloud.google.com/stackdriver/pricing',
    asOf,
    verified: false,
  },
} satisfies Record<string, Price>;

/**
 * Stripe's standard fee of a payment with a card of the region: percent, and a fixed amount in its currency. Cards from
 * elsewhere, currency conversion and Managed Payments cost more. The figures are from price lists of third parties.
 */
export const stripeFees = {
  us: {
    currency: 'USD',
    percent: 2.9,
    fixed: 0.3,
    source: 'https://stripe.com/pricing',
    asOf,
    verified: false,
  },
  eea: {
    currency: 'EUR',
    percent: 1.5,
    fixed: 0.25,
    source: 'https://stripe.com/ie/pricing',
    asOf,
    verified: false,
  },
  uk: {
    currency: 'GBP',
    percent: 1.5,
    fixed: 0.2,
    source: 'https://stripe.com/gb/pricing',
    asOf,
    verified: false,
  },
} as const;

/** Cloudinary's plans. A credit is 1,000 transformations, 1 GB stored for a month or 1 GB delivered. Larger plans need a contract. */
export const cloudinaryPlans = [
  { name: 'Free', usd: 0, credits: 25, source: cloudinary, asOf, verified: true },
  { name: 'Plus', usd: 99, credits: 225, source: cloudinary, asOf, verified: false },
  { name: 'Advanced', usd: 249, credits: 600, source: cloudinary, asOf, verified: false },
] as const;
