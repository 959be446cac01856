/** The folder in which the Firebase CLI keeps what it downloads: Google's Firestore emulator, and the emulators' console. */
import { createRequire } from 'node:module';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { downloadFile, makeComplete, type Terminal } from './download.ts';

export const getEmulatorsDir = (env: NodeJS.ProcessEnv) =>
  env.FIREBASE_EMULATORS_PATH || join(env.HOME || homedir(), '.cache/firebase/emulators');

const jarSchema = z
  .object({
    firestore: z.object({
      remoteUrl: z.url(),
      expectedSize: z.int().positive(),
      expectedChecksumSHA256: z.string().regex(/^[0-9a-f]{64}$/),
      downloadPathRelativeToCacheDir: z.string(),
    }),
  })
  .transform(({ firestore }) => firestore);

/** What the CLI states about the emulator of its version. */
const readJarInfo = () =>
  createRequire(import.meta.url)('firebase-tools/lib/emulator/downloadableEmulatorInfo.json') as unknown;

/**
 * Downloads the emulator that the installed Firebase CLI would download, to the place where the CLI looks for it.
 * @returns the path of the jar
 * @throws {Error} with a message for the user; then nothing of it is left
 */
export async function downloadJar(
  env: NodeJS.ProcessEnv,
  terminal: Terminal,
  info = readJarInfo(),
): Promise<string> {
  const { remoteUrl, expectedSize, expectedChecksumSHA256, downloadPathRelativeToCacheDir } =
    jarSchema.parse(info);
  const jar = join(getEmulatorsDir(env), downloadPathRelativeToCacheDir);
  const download = {
    name: 'Firestore emulator',
    url: remoteUrl,
    size: expectedSize,
    sha256: expectedChecksumSHA256,
  };
  await makeComplete(jar, (partial) => downloadFile(download, partial, terminal));
  return jar;
}
