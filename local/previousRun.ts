/**
 * The run that was on this port before. Each run writes down, under its port, itself and every process it
 * started, so that the next one can end what a run left behind even when it was killed outright.
 */
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { type SaveOptions, save } from './data.ts';
import { getIdentity, type Identity, isAlive, signalProcess, waitUntil } from './processes.ts';
import { StartRefused } from './refusal.ts';

const identitySchema = z.object({ pid: z.int().positive(), started: z.string(), marker: z.string().min(1) });

const recordSchema = z.object({
  run: identitySchema,
  children: z.array(identitySchema),
  /** The run's folder for logs and the like, to be removed with it. */
  runDir: z.string(),
  dataDir: z.string().optional(),
  /** Once its data is loaded: how to save it. */
  saveOptions: z
    .object({
      dataDir: z.string(),
      projectId: z.string(),
      databaseId: z.string(),
      firestoreHost: z.string().optional(),
      authHost: z.string().optional(),
    })
    .optional(),
});

type RunRecord = z.infer<typeof recordSchema>;

/** How long a run may take to end by itself: the functions drain for 8 s, then its data is saved. */
const endMsMax = 25_000;
const killAfterMs = 3_000;

/** Parts of the command lines by which a run and its functions are known. */
const runMarker = 'start.ts';
export const functionsMarker = 'functions.ts';

// One folder a user: another user's notes would name processes that this one must not touch.
const recordsDir = join(tmpdir(), `nano-banana-studio-${userInfo().uid}`);
const getRecordFile = (port: number) => join(recordsDir, `${port}.json`);

/** Notes down a run, and what it starts, for the next one on the port. */
export function createRunRecorder(port: number, runDir: string, dataDir: string | undefined) {
  const record: RunRecord = { run: getIdentity(process.pid, runMarker), children: [], runDir, dataDir };
  const write = () => {
    mkdirSync(recordsDir, { recursive: true, mode: 0o700 });
    writeFileSync(`${getRecordFile(port)}.partial`, JSON.stringify(record), { mode: 0o600 });
    renameSync(`${getRecordFile(port)}.partial`, getRecordFile(port));
  };
  write();
  return {
    addChild(child: Identity) {
      record.children = [...record.children.filter(isAlive), child];
      write();
    },
    enableSaving(saveOptions: SaveOptions) {
      record.saveOptions = saveOptions;
      write();
    },
    /** The run is over, and nothing of it is left. */
    remove: () => rmSync(getRecordFile(port), { force: true }),
  };
}

export type RunRecorder = ReturnType<typeof createRunRecorder>;

/**
 * Ends the run that is, or was, on this port, with everything it left.
 * @returns what was done, for a person; undefined when there was nothing to do.
 */
export async function endPreviousRun(port: number): Promise<string | undefined> {
  const record = readRecord(port);
  if (!record) return undefined;
  const { run, children, saveOptions } = record;
  const alive = () => [run, ...children].filter(isAlive);
  const leftovers = alive();

  // A run that lives ends its children itself, in order; one that was killed outright left its functions
  // to notice, and its emulators with data that nobody has saved.
  if (isAlive(run)) signalProcess(run.pid, 'SIGTERM');
  const runAndFunctions = [run, ...children.filter(({ marker }) => marker === functionsMarker)];
  await waitUntil(() => !runAndFunctions.some(isAlive), endMsMax);
  if (saveOptions && !isAlive(run) && alive().length > 0) await save(saveOptions).catch(() => undefined);

  for (const { pid } of alive()) signalProcess(pid, 'SIGTERM');
  if (!(await waitUntil(() => alive().length === 0, killAfterMs))) {
    for (const { pid } of alive()) signalProcess(pid, 'SIGKILL');
    await waitUntil(() => alive().length === 0, killAfterMs);
  }
  rmSync(record.runDir, { recursive: true, force: true });
  rmSync(getRecordFile(port), { force: true });
  return leftovers.length === 0
    ? undefined
    : `Ended the run that was still on port ${port} (pid ${leftovers.map(({ pid }) => pid).join(', ')}).`;
}

/**
 * Two runs over the same data would each overwrite what the other saves.
 * @throws {StartRefused} when another run that is alive keeps its data there.
 */
export function refuseSharedDataDir(dataDir: string): void {
  for (const port of listRecordedPorts()) {
    const record = readRecord(port);
    if (record?.dataDir === dataDir && record.run.pid !== process.pid && isAlive(record.run)) {
      throw new StartRefused(
        `LOCAL_DATA_DIR is in use by the run on port ${port}. Stop that one, or give this one another folder.`,
      );
    }
  }
}

function listRecordedPorts(): number[] {
  try {
    return readdirSync(recordsDir).flatMap((name) => /^(\d+)\.json$/.exec(name)?.slice(1).map(Number) ?? []);
  } catch {
    return [];
  }
}

function readRecord(port: number): RunRecord | undefined {
  try {
    return recordSchema.parse(JSON.parse(readFileSync(getRecordFile(port), 'utf8')));
  } catch {
    return undefined; // No run, or its note was lost: then nothing is known to be ours.
  }
}
