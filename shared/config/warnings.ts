import { modelWarnings } from '../imagegen/models.ts';
import type { Config } from './config.ts';

/** Warnings for an operator: models that are retired or soon will be, and services that are emulators or fakes. */
export function getWarnings(config: Config, now: Date): string[] {
  const { gemini, cloudinaryUrl, stripe, firestoreEmulatorHost, authEmulatorHost } = config;
  const uploadPrefix = cloudinaryUrl && new URL(cloudinaryUrl).searchParams.get('upload_prefix');
  const fakes: [boolean, string][] = [
    [isLoopback(gemini.baseUrl), 'Gemini is a fake: GOOGLE_GEMINI_BASE_URL is on this machine'],
    [isLoopback(uploadPrefix), 'Cloudinary is a fake: upload_prefix in CLOUDINARY_URL is on this machine'],
    [isLoopback(stripe.baseUrl), 'Stripe is a fake: STRIPE_API_BASE_URL is on this machine'],
    [firestoreEmulatorHost !== undefined, 'Firestore is an emulator: FIRESTORE_EMULATOR_HOST is set'],
    [authEmulatorHost !== undefined, 'Tokens need no signature: FIREBASE_AUTH_EMULATOR_HOST is set'],
  ];
  const { version, termsUrl } = config.terms;
  return [
    ...modelWarnings(config.modelIds, config.prompt.modelId, now),
    ...(config.deployed && !config.erasureLog
      ? ['Erasures are not logged: ERASURE_LOG_BUCKET is not set']
      : []),
    ...(version && !termsUrl ? ['Users must accept terms that they cannot read: TERMS_URL is not set'] : []),
    ...fakes.filter(([isSo]) => isSo).map(([, warning]) => warning),
  ];
}

function isLoopback(address: string | null | undefined): boolean {
  if (!address || !URL.canParse(address)) return false;
  return /^(localhost|127(\.\d+){3}|\[::1\])$/.test(new URL(address).hostname);
}
