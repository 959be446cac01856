/**
 * Every function as it is deployed: one Cloud Run service each, all from one image. The commands of the
 * deploy, the routes of Firebase Hosting and the bill are made of this and of nothing else.
 */
import { jobTimeoutMs } from '../../shared/database/jobs.ts';

/** What a service account may do in the project; what it may read of secrets is in `secrets`. */
export type Role = 'roles/datastore.user' | 'roles/datastore.viewer' | 'roles/firebaseauth.viewer';
export type Secret = 'GEMINI_API_KEY' | 'CLOUDINARY_URL';

export type Trigger =
  /** People, by way of Hosting or at the service's own address. */
  | { kind: 'http' }
  /** Cloud Scheduler, by a cron expression in UTC. */
  | { kind: 'schedule'; cron: string }
  /** Eventarc, for each write of a document of this pattern. */
  | { kind: 'document'; pattern: string };

export type FunctionSpec = {
  trigger: Trigger;
  memoryMiB: number;
  cpu: number;
  /** Requests that one instance works on at once. */
  concurrency: number;
  timeoutSeconds: number;
  minInstances: number;
  maxInstances: number;
  /** Whether the instance has its CPU, and is billed, between requests too. */
  cpuAlways?: true;
  roles: readonly Role[];
  secrets: readonly Secret[];
};

const http: Trigger = { kind: 'http' };
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

// Two at once overlap harmlessly, and more than that help nobody.
const job = { ...small, concurrency: 1, timeoutSeconds: jobTimeoutMs / 1000, maxInstances: 2 } as const;

const readWriteRoles = ['roles/datastore.user'] as const;
/** For functions that commit nothing; a test holds them to it. */
const readRoles = ['roles/datastore.viewer'] as const;

export const manifest: Record<string, FunctionSpec> = {
  health: { ...small, trigger: http, maxInstances: 5, roles: [] },
  account: { ...small, trigger: http, roles: readWriteRoles },
  ledger: { ...small, trigger: http, roles: readRoles },
  gallery: { ...small, trigger: http, roles: readRoles },
  generation: { ...small, trigger: http, roles: readWriteRoles },
  enhance: { ...small, trigger: http, roles: [], secrets: ['GEMINI_API_KEY'] },
  generate: {
    ...small,
    trigger: http,
    // 140 MB, and 100 MB for each that comes with the largest references; without any it is 5 MB with an image of 4.
    memoryMiB: 2048,
    concurrency: 16,
    // Longer than GENERATE_TIMEOUT_MS, so that it is we who answer; shorter than the hold's life, so that no
    // worker is still at it when anybody may refund. See `checkTimeouts`.
    timeoutSeconds: 150,
    maxInstances: 125,
    // A client that goes away, or Hosting that waits no longer than a minute, must not freeze the work.
    cpuAlways: true,
    roles: readWriteRoles,
    secrets: ['GEMINI_API_KEY', 'CLOUDINARY_URL'],
  },
  deleteGeneration: { ...small, trigger: http, roles: readWriteRoles, secrets: ['CLOUDINARY_URL'] },
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
    roles: readWriteRoles,
    secrets: ['CLOUDINARY_URL'],
  },
  reconcile: { ...job, trigger: schedule('23 3 * * *'), roles: readWriteRoles },
  accountWritten: {
    ...small,
    trigger: { kind: 'document', pattern: 'accounts/{uid}' },
    roles: readWriteRoles,
  },
};

/** The name of a function's Cloud Run service: those take no capitals. */
export const toServiceName = (target: string) =>
  target.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

/** The service account that a function runs as, before its `@`. */
export const toAccountName = (target: string) => `studio-${toServiceName(target)}`;

/** @throws {Error} where the time that Cloud Run gives `generate` does not lie between its own and its hold's. */
export function checkTimeouts({
  generateTimeoutMs,
  holdGraceMs,
}: Record<'generateTimeoutMs' | 'holdGraceMs', number>): void {
  const timeoutMs = (manifest.generate?.timeoutSeconds ?? 0) * 1000;
  if (generateTimeoutMs < timeoutMs && timeoutMs < generateTimeoutMs + holdGraceMs) return;
  throw new Error(
    `Cloud Run's timeout of generate is ${timeoutMs} ms. It must be more than GENERATE_TIMEOUT_MS (${generateTimeoutMs}) and less than that and HOLD_GRACE_MS (${generateTimeoutMs + holdGraceMs}).`,
  );
}
