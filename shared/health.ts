/** What an instance can tell of itself without asking anybody: how models stood when it last looked, what to warn of. */
import type { Config } from './config.ts';
import { modelWarnings } from './models.ts';
import { everyModel, type QuotaState } from './provider/quota.ts';

/** Models as this instance has last seen them; `unknown` where it has not looked. */
export function modelsAsSeen(ids: readonly string[], seen: ReadonlyMap<string, QuotaState>, now: Date) {
  const all = seen.get(everyModel);
  return ids.map((id) => {
    const own = seen.get(id);
    if (!own) return { id, state: 'unknown' as const };
    const closed = [all, own].find((one) => one !== undefined && isClosed(one, now));
    if (!closed) return { id, state: 'ready' as const };
    const { state, reason, retryAt } = closed;
    return { id, state, ...(reason && { reason }), ...(retryAt && { retryAt: retryAt.toISOString() }) };
  });
}

/** What is exhausted lapses by itself. */
const isClosed = ({ state, retryAt }: QuotaState, now: Date) =>
  state === 'off' || (state === 'exhausted' && (retryAt === undefined || retryAt > now));

/** What an operator should know: models that are gone or soon will be, and whatever is not the real thing. */
export function warningsOf(config: Config, now: Date): string[] {
  const { gemini, cloudinaryUrl, firestoreEmulatorHost, authEmulatorHost } = config;
  const uploadPrefix = cloudinaryUrl && new URL(cloudinaryUrl).searchParams.get('upload_prefix');
  const notReal: [boolean, string][] = [
    [isLoopback(gemini.baseUrl), 'Gemini is a stand-in: GOOGLE_GEMINI_BASE_URL is on this machine'],
    [
      isLoopback(uploadPrefix),
      'Cloudinary is a stand-in: upload_prefix in CLOUDINARY_URL is on this machine',
    ],
    [firestoreEmulatorHost !== undefined, 'Firestore is an emulator: FIRESTORE_EMULATOR_HOST is set'],
    [authEmulatorHost !== undefined, 'Tokens need no signature: FIREBASE_AUTH_EMULATOR_HOST is set'],
  ];
  return [
    ...modelWarnings(config.modelIds, now),
    ...notReal.filter(([isSo]) => isSo).map(([, warning]) => warning),
  ];
}

function isLoopback(address: string | null | undefined): boolean {
  if (!address || !URL.canParse(address)) return false;
  return /^(localhost|127(\.\d+){3}|\[::1\])$/.test(new URL(address).hostname);
}
