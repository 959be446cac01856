/** Starts the real emulators: Google's Firestore emulator in Java, and the Auth emulator of the Firebase CLI. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { say } from '../tools/say.ts';
import { describeOldJava, type FirestoreProgram, parseRequiredJava } from './java.ts';
import { loopback } from './ports.ts';
import { type Child, readLog, readLogTail, spawnInOwnGroup, waitUntil } from './processes.ts';
import { StartRefused } from './refusal.ts';

const authEmulator = join(import.meta.dirname, 'authEmulator.ts');

/** How long an emulator may take until it answers, milliseconds. On a slow machine the Auth emulator takes 20 s. */
const startMsMax = 90_000;
/** The same for an emulator that the environment names and another process starts, milliseconds. */
const externalMsMax = 10_000;

/** Starts the Firestore emulator. It posts document events to the functions' port. */
export function startFirestore(options: {
  program: FirestoreProgram;
  port: number;
  functionsPort: number;
  rules: string;
  /** The metadata file of an export to load. */
  seed: string | undefined;
  runDir: string;
}): Child {
  const { program, port, functionsPort, rules, seed, runDir } = options;
  return spawnInOwnGroup(
    'the Firestore emulator',
    program.java,
    [
      '-Duser.language=en',
      // Small and quick to start. By default Java takes a quarter of the machine's memory.
      '-Xmx256m',
      '-XX:+UseSerialGC',
      '-XX:TieredStopAtLevel=1',
      '-cp',
      program.jar,
      'com.google.cloud.datastore.emulator.firestore.CloudFirestore',
      `--host=${loopback}`,
      `--port=${port}`,
      `--rules=${rules}`,
      `--functions_emulator=${loopback}:${functionsPort}`,
      ...(seed ? [`--seed_from_export=${seed}`] : []),
    ],
    { cwd: runDir, env: process.env, logFile: join(runDir, 'firestore.log'), marker: 'CloudFirestore' },
  );
}

/**
 * Starts the Auth emulator. The CLI gets its own folder, temporary folder and configuration: it writes logs to its
 * working directory, and a file about its hub to the temporary folder, which a second run would overwrite.
 */
export function startAuth(options: {
  port: number;
  hubPort: number;
  loggingPort: number;
  projectId: string;
  runDir: string;
}): Child {
  const { port, hubPort, loggingPort, projectId, runDir } = options;
  const emulators = {
    auth: { host: loopback, port },
    hub: { host: loopback, port: hubPort },
    // The CLI starts this with the hub. Without a port here, every run would use the same one.
    logging: { host: loopback, port: loggingPort },
    ui: { enabled: false },
    singleProjectMode: false,
  };
  writeFileSync(join(runDir, 'firebase.json'), JSON.stringify({ emulators }));
  return spawnInOwnGroup('the Auth emulator', process.execPath, [authEmulator, projectId], {
    cwd: runDir,
    env: createCliEnvironment(runDir),
    logFile: join(runDir, 'auth.log'),
    marker: 'authEmulator.ts',
    onMessage: (link) => say(String(link)),
  });
}

/** The CLI's environment: no message of the day, no search for updates or credentials, no files in the home folder. */
function createCliEnvironment(runDir: string): NodeJS.ProcessEnv {
  const { NODE_ENV, ...env } = process.env;
  const quiet = { CI: 'true', NO_UPDATE_NOTIFIER: '1', METADATA_SERVER_DETECTION: 'none' };
  return { ...env, ...quiet, TMPDIR: runDir, XDG_CONFIG_HOME: runDir };
}

/**
 * Waits until an emulator that this process started answers.
 * @throws {StartRefused} with the end of its log, if it ends first or takes too long.
 */
export async function waitForEmulator(
  child: Child,
  hostAndPort: string,
  program?: FirestoreProgram,
): Promise<void> {
  const deadline = performance.now() + startMsMax;
  while (!(await isAnswering(hostAndPort))) {
    const late = performance.now() > deadline;
    if (late || child.isEnded()) throw new StartRefused(describeFailure(child, late, program));
    await sleep(50);
  }
}

/**
 * Waits until an emulator that the environment names answers. Another run may be starting it at the moment.
 * @throws {StartRefused} naming the variable, if the emulator does not answer.
 */
export async function waitForExternalEmulator(variable: string, hostAndPort: string): Promise<void> {
  if (await waitUntil(() => isAnswering(hostAndPort), externalMsMax)) return;
  throw new StartRefused(
    `${variable} names an emulator that does not answer. Start it, or unset ${variable}: npm start then starts its own.`,
  );
}

async function isAnswering(hostAndPort: string): Promise<boolean> {
  try {
    return (await fetch(`http://${hostAndPort}/`, { signal: AbortSignal.timeout(5_000) })).ok;
  } catch {
    return false;
  }
}

function describeFailure(child: Child, late: boolean, program: FirestoreProgram | undefined): string {
  const javaMin = parseRequiredJava(readLog(child));
  if (program && javaMin !== undefined) return describeOldJava(program, javaMin);
  const what = late ? `did not answer within ${startMsMax / 1000} s` : 'did not start';
  return `${child.name} ${what}. The end of its log:\n${readLogTail(child)}`;
}
