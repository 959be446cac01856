/**
 * The deployed functions: each is a Cloud Run service, and all run the same image. This is the only source of the
 * deploy's commands, the routes of Firebase Hosting and the bill.
 */
import { jobTimeoutMs } from '../../shared/database/jobs.ts';

/** The project's own role: it deletes users, and can neither read nor change them. */
export const userDeleterRole = 'studioUserDeleter';

/** The roles of a service account in the project. `secrets` lists the secrets that it may read. */
export type Role =
  | 'roles/datastore.user'
  | 'roles/datastore.viewer'
  | 'roles/firebaseauth.viewer'
  | typeof userDeleterRole;
export type Secret =
  | 'GEMINI_API_KEY'
  | 'CLOUDINARY_URL'
  | 'IDENTITY_HASH_KEY'
  | 'STRIPE_SECRET_KEY'
  | 'STRIPE_WEBHOOK_SECRET';

export type Trigger =
  /** Called by users, through Hosting or at the service's own address. `path` is Hosting's, if not the function's name. */
  | { kind: 'http'; path?: string }
  /** Called by Cloud Scheduler. The cron expression is in UTC. */
  | { kind: 'schedule'; cron: string }
  /** Called by Eventarc, for each write of a document that matches the pattern. */
  | { kind: 'document'; pattern: string };

export type FunctionSpec = {
  trigger: Trigger;
  memoryMiB: number;
  cpu: number;
  /** The number of simultaneous requests in one instance. */
  concurrency: number;
  timeoutSeconds: number;
  minInstances: number;
  maxInstances: number;
  /** The instance also has its CPU, and is billed, between requests. */
  cpuAlways?: true;
  roles: readonly Role[];
  /** Besides those that every function reads. */
  secrets: readonly Secret[];
  /** It adds to the erasure log. */
  logsErasures?: true;
};

const http = { kind: 'http' } as const satisfies Trigger;
const schedule = (cron: string): Trigger => ({ kind: 'schedule', cron });

const small = {
  memoryMiB: 512,
  cpu: 1,
  concurrency: 80,
  timeoutSeconds: 60,
  minInstances: 0,
  maxInstances: 20,
  secrets: [],
} as const;

// Two runs may overlap without harm. More have no use.
const job = { ...small, concurrency: 1, timeoutSeconds: jobTimeoutMs / 1000, maxInstances: 2 } as const;

const readWriteRoles = ['roles/datastore.user'] as const;
/** For functions that never commit. A test checks this. */
const readRoles = ['roles/datastore.viewer'] as const;

const admin = { ...small, trigger: http, maxInstances: 5 } as const;
const adminRoles = [...readWriteRoles, 'roles/firebaseauth.viewer'] as const;

export const manifest: Record<string, FunctionSpec> = {
  health: { ...small, trigger: http, maxInstances: 5, roles: [] },
  account: { ...small, trigger: http, roles: readWriteRoles },
  ledger: { ...small, trigger: http, roles: readRoles },
  gallery: { ...small, trigger: http, roles: readRoles },
  generation: { ...small, trigger: http, roles: readWriteRoles },
  enhance: { ...small, trigger: http, roles: readWriteRoles, secrets: ['GEMINI_API_KEY'] },
  generate: {
    ...small,
    trigger: http,
    // 140 MB, and 100 MB for each request with the largest references. A request without references takes its image: 5 MB
    // at 1K, at most 25 MB more at 4K.
    memoryMiB: 2048,
    concurrency: 16,
    // Longer than GENERATE_TIMEOUT_MS, so that the function itself answers. Shorter than the hold's deadline, so that
    // no worker is still running when the sweep may refund. See `checkTimeouts`.
    timeoutSeconds: 150,
    maxInstances: 125,
    // The work must go on if the client disconnects, or if Hosting stops waiting after a minute.
    cpuAlways: true,
    roles: readWriteRoles,
    secrets: ['GEMINI_API_KEY', 'CLOUDINARY_URL'],
  },
  deleteGeneration: { ...small, trigger: http, roles: readWriteRoles, secrets: ['CLOUDINARY_URL'] },
  favourite: { ...small, trigger: http, roles: readWriteRoles },
  // Each share holds its image in memory, at most 32 MB, and again while it is sent.
  share: { ...small, trigger: http, concurrency: 4, roles: readWriteRoles, secrets: ['CLOUDINARY_URL'] },
  sharedImage: { ...small, trigger: { ...http, path: '/i/**' }, roles: readRoles },
  // Few instances, because each counts the calls for itself.
  report: { ...small, trigger: http, maxInstances: 2, roles: readWriteRoles },
  takedown: { ...admin, roles: adminRoles, secrets: ['CLOUDINARY_URL'] },
  reports: { ...admin, roles: [...readRoles, 'roles/firebaseauth.viewer'] },
  resolveReport: { ...admin, roles: adminRoles, secrets: ['CLOUDINARY_URL'] },
  acceptTerms: { ...small, trigger: http, roles: readWriteRoles },
  closeAccount: {
    ...small,
    trigger: http,
    roles: [...readWriteRoles, userDeleterRole],
    secrets: ['STRIPE_SECRET_KEY'],
  },
  // A large account takes a while on a slow connection.
  exportAccount: { ...small, trigger: http, timeoutSeconds: 300, roles: readRoles },
  suspend: {
    ...small,
    trigger: http,
    maxInstances: 5,
    roles: [...readWriteRoles, 'roles/firebaseauth.viewer'],
  },
  // A studio without payments has these too: the page asks for packs, and gets none.
  packs: { ...small, trigger: http, maxInstances: 5, roles: [], secrets: ['STRIPE_SECRET_KEY'] },
  checkout: { ...small, trigger: http, roles: readWriteRoles, secrets: ['STRIPE_SECRET_KEY'] },
  confirmCheckout: { ...small, trigger: http, roles: readWriteRoles, secrets: ['STRIPE_SECRET_KEY'] },
  billingPortal: { ...small, trigger: http, roles: readRoles, secrets: ['STRIPE_SECRET_KEY'] },
  stripeWebhook: {
    ...small,
    trigger: http,
    roles: readWriteRoles,
    secrets: ['STRIPE_SECRET_KEY', 'STRIPE_WEBHOOK_SECRET'],
  },
  adminOverview: { ...admin, roles: [...readRoles, 'roles/firebaseauth.viewer'] },
  adminAccounts: {
    ...admin,
    roles: [...readRoles, 'roles/firebaseauth.viewer'],
    secrets: ['STRIPE_SECRET_KEY'],
  },
  adminAccount: { ...admin, roles: [...readRoles, 'roles/firebaseauth.viewer'] },
  grant: {
    ...small,
    trigger: http,
    maxInstances: 5,
    roles: [...readWriteRoles, 'roles/firebaseauth.viewer'],
  },
  audit: { ...small, trigger: http, maxInstances: 5, roles: [...readRoles, 'roles/firebaseauth.viewer'] },
  checkQuota: { ...job, trigger: schedule('*/15 * * * *'), roles: readWriteRoles },
  refillAllowances: { ...job, trigger: schedule('7 * * * *'), roles: readWriteRoles },
  sweepHolds: {
    ...job,
    trigger: schedule('* * * * *'),
    roles: [...readWriteRoles, userDeleterRole],
    secrets: ['CLOUDINARY_URL', 'STRIPE_SECRET_KEY'],
    logsErasures: true,
  },
  reconcile: {
    ...job,
    trigger: schedule('23 3 * * *'),
    roles: [...readWriteRoles, 'roles/firebaseauth.viewer'],
  },
  reconcilePayments: {
    ...job,
    trigger: schedule('43 * * * *'),
    roles: readWriteRoles,
    secrets: ['STRIPE_SECRET_KEY'],
  },
  accountWritten: {
    ...small,
    trigger: { kind: 'document', pattern: 'accounts/{uid}' },
    roles: [...readWriteRoles, 'roles/firebaseauth.viewer'],
  },
};

/** The job of a studio that sells nothing would have nothing to do. */
export const paymentJob = 'reconcilePayments';
/** The bucket of the erasure log. */
export const toErasureBucket = (project: string) => `${project}-studio-erasures`;

/** The name of a function's Cloud Run service, which must not contain capitals. */
export const toServiceName = (target: string) =>
  target.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

/** The service account of a function: the part before the `@`. */
export const toAccountName = (target: string) => `studio-${toServiceName(target)}`;

/** @throws {Error} if Cloud Run's timeout for `generate` is not between the function's own timeout and its hold's deadline. */
export function checkTimeouts({
  generateTimeoutMs,
  holdGraceMs,
}: Record<'generateTimeoutMs' | 'holdGraceMs', number>): void {
  const timeoutMs = (manifest.generate?.timeoutSeconds ?? 0) * 1000;
  if (generateTimeoutMs < timeoutMs && timeoutMs < generateTimeoutMs + holdGraceMs) return;
  throw new Error(
    `Cloud Run's timeout for generate is ${timeoutMs} ms. It must be more than GENERATE_TIMEOUT_MS (${generateTimeoutMs}) and less than GENERATE_TIMEOUT_MS + HOLD_GRACE_MS (${generateTimeoutMs + holdGraceMs}).`,
  );
}
