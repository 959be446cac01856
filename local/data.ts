/** Saves a run's data to LOCAL_DATA_DIR and loads it again. The emulators themselves hold everything in memory. */
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { StartRefused } from './refusal.ts';

/** What to save, and where. A host is set only if the run started that emulator itself. */
export type SaveOptions = {
  dataDir: string;
  projectId: string;
  databaseId: string;
  firestoreHost?: string | undefined;
  authHost?: string | undefined;
};

// Every file is written under a temporary name first, so that an interrupted save never replaces a good one.
const partial = '.partial';
const exportName = 'export';

const ownerHeaders = { authorization: 'Bearer owner', 'content-type': 'application/json' };

/** Finds the newest Firestore export: the path of its metadata file, which the emulator takes at its start. */
export function findFirestoreExport(dataDir: string): string | undefined {
  const newest = listExportFolders(dataDir).at(-1);
  return newest && join(dataDir, newest, exportName, `${exportName}.overall_export_metadata`);
}

/** The folder in which the fake Cloudinary stores its images. */
export const getImagesDir = (dataDir: string) => join(dataDir, 'images');

/** The folder in which the fake Stripe stores its objects. */
export const getPurchasesDir = (dataDir: string) => join(dataDir, 'stripe');

/**
 * Creates the folder if it is missing.
 * @throws {StartRefused} if the run could not save its data in it.
 */
export function prepareDataDir(dataDir: string): void {
  try {
    mkdirSync(dataDir, { recursive: true });
    accessSync(dataDir, constants.W_OK);
  } catch (error) {
    throw new StartRefused(
      `LOCAL_DATA_DIR is not a folder in which this run can save its data (${(error as Error).message}).\nChoose another folder.`,
    );
  }
}

const savedUsersSchema = z.object({ users: z.array(z.unknown()).default([]) });

/**
 * Loads the users that an earlier run saved into a fresh Auth emulator.
 * @throws {StartRefused} naming the file, if it holds something else.
 */
export async function restoreUsers({ dataDir, projectId, authHost }: SaveOptions): Promise<void> {
  const file = join(dataDir, 'users.json');
  if (!authHost || !existsSync(file)) return;
  const users = parseSavedUsers(file);
  // The emulator refuses an empty batch.
  if (users.length > 0) await call(getUsersUrl(authHost, projectId, 'batchCreate'), { users });
}

function parseSavedUsers(file: string): unknown[] {
  try {
    return savedUsersSchema.parse(JSON.parse(readFileSync(file, 'utf8'))).users;
  } catch {
    throw new StartRefused(
      `${file} is broken: it does not hold the users that an earlier run saved.\nDelete it to start without them, and keep a copy if you need them.`,
    );
  }
}

/** Saves the data of the emulators that the run started. */
export async function save(saveOptions: SaveOptions): Promise<void> {
  mkdirSync(saveOptions.dataDir, { recursive: true });
  await Promise.all([saveFirestore(saveOptions), saveUsers(saveOptions)]);
}

async function saveFirestore({ dataDir, projectId, databaseId, firestoreHost }: SaveOptions): Promise<void> {
  if (!firestoreHost) return;
  const older = readdirSync(dataDir).filter((name) => name.startsWith('firestore-'));
  const name = `firestore-${Date.now()}`;
  const folder = join(dataDir, `${name}${partial}`);
  mkdirSync(folder);
  await call(`http://${firestoreHost}/emulator/v1/projects/${projectId}:export`, {
    database: `projects/${projectId}/databases/${databaseId}`,
    export_directory: folder,
    export_name: exportName,
  });
  renameSync(folder, join(dataDir, name));
  for (const each of older) rmSync(join(dataDir, each), { recursive: true, force: true });
}

async function saveUsers({ dataDir, projectId, authHost }: SaveOptions): Promise<void> {
  if (!authHost) return;
  // -1 means all users. The Firebase CLI exports the same way.
  const saved = await call(`${getUsersUrl(authHost, projectId, 'batchGet')}?maxResults=-1`);
  const file = join(dataDir, 'users.json');
  // Flushed: after a power cut, the new name must not lead to a file without its content.
  writeFileSync(file + partial, saved, { flush: true });
  renameSync(file + partial, file);
}

const listExportFolders = (dataDir: string) =>
  existsSync(dataDir)
    ? readdirSync(dataDir)
        .filter((name) => /^firestore-\d+$/.test(name))
        .sort()
    : [];

const getUsersUrl = (authHost: string, projectId: string, action: string) =>
  `http://${authHost}/identitytoolkit.googleapis.com/v1/projects/${projectId}/accounts:${action}`;

async function call(url: string, body?: unknown): Promise<string> {
  const response = await fetch(url, {
    method: body === undefined ? 'GET' : 'POST',
    headers: ownerHeaders,
    signal: AbortSignal.timeout(20_000),
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const answer = await response.text();
  if (!response.ok) throw new Error(`${new URL(url).pathname} answered ${response.status}: ${answer}`);
  return answer;
}
