import { modelWarnings } from '../imagegen/models.ts';
import type { Config } from './config.ts';

/** What an operator should know: models that are gone or soon will be, and whatever is not the real thing. */
export function getWarnings(config: Config, now: Date): string[] {
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
