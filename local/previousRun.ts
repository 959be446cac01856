/**
 * Ends the previous run on the same port. Each run records itself and every process it starts in a file named after
 * its port, so that the next run can clean up even after a SIGKILL.
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
  /** The run's folder for logs and other temporary files, removed with the run. */
  runDir: z.string(),
  dataDir: z.string().optional(),
  /** The address of the fake Stripe, if the run has one. */
  stripe: z.string().optional(),
  /** How to save the run's data; set once the data is loaded. */
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

/** How long a run may take to end: the functions drain for 8 s, then the run saves its data; milliseconds. */
const endMsMax = 25_000;
const killAfterMs = 3_000;

/** The parts of the command lines that identify a run and its functions' process. */
const runMarker = 'start.ts';
export const functionsMarker = 'functions.ts';

// A folder for each user: a run must not touch another user's processes.
const recordsDir = join(tmpdir(), `nano-banana-studio-${userInfo().uid}`);
const getRecordFile = (port: number) => join(recordsDir, `${port}.json`);

/** Records a run and the processes that it starts, for the next run on the port. */
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
    setStripe(url: string) {
      record.stripe = url;
      write();
    },
    enableSaving(saveOptions: SaveOptions) {
      record.saveOptions = saveOptions;
      write();
    },
    /** Removes the record, after everything has ended. */
    remove: () => rmSync(getRecordFile(port), { force: true }),
  };
}

export type RunRecorder = ReturnType<typeof createRunRecorder>;

/**
 * Ends the run on this port, or what a killed run left behind.
 * @returns a message for the terminal, or undefined if no process was left.
 */
export async function endPreviousRun(port: number): Promise<string | undefined> {
  const record = readRecord(port);
  if (!record) return undefined;
  const { run, children, saveOptions } = record;
  const alive = () => [run, ...children].filter(isAlive);
  const leftovers = alive();

  // A live run ends its children in the right order. After a SIGKILL of the run, its functions notice and end, but
  // its emulators still hold data that nobody has saved.
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
 * Refuses a folder that another run uses, because each run would overwrite the other's data.
 * @throws {StartRefused} if another live run keeps its data in this folder.
 */
export function refuseSharedDataDir(dataDir: string): void {
  for (const port of listRecordedPorts()) {
    const record = readRecord(port);
    if (record?.dataDir === dataDir && record.run.pid !== process.pid && isAlive(record.run)) {
      throw new StartRefused(
        `LOCAL_DATA_DIR is in use by the run on port ${port}. Stop that run, or choose another folder.`,
      );
    }
  }
}

/** The live run on the port: the address of its fake Stripe, undefined if it has none. */
export function findRun(port: number): { stripe: string | undefined } | undefined {
  const record = readRecord(port);
  return record && isAlive(record.run) ? { stripe: record.stripe } : undefined;
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
    return undefined; // There was no run, or its record is lost: then we cannot tell which processes are ours.
  }
}
