/** npm start: the whole studio on this machine, with no key and no account anywhere. */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { ConfigError } from '../shared/config/config.ts';
import { say } from '../tools/say.ts';
import { banner } from './banner.ts';
import { imagesDir, type Keeping, restoreUsers, savedFirestore } from './data.ts';
import { createDemoAccounts, createDemoUsers } from './demo.ts';
import { watchSources } from './dev.ts';
import { fetchFirestore, startAuth, startFirestore, untilAnswering, untilNamedAnswers } from './emulators.ts';
import { functionsEnvironment, type Places, readSettings, type Settings } from './environment.ts';
import { startFakeCloudinary } from './fakes/cloudinary.ts';
import { startFakeGemini } from './fakes/gemini.ts';
import { type Functions, startFunctions } from './functionsProcess.ts';
import { findFirestoreJar } from './java.ts';
import { freePort, holderOf, isFree, loopback } from './ports.ts';
import { endPreviousRun, refuseSharedDataDir } from './previousRun.ts';
import { StartRefused } from './refusal.ts';
import { createRun, type Run } from './run.ts';
import { registerTriggers } from './triggers.ts';

const root = join(import.meta.dirname, '..');
const dev = process.argv.includes('--dev');

/** Where people expect things; another PORT than the usual one gets other ports for everything. */
const usual = { port: 8080, firestore: 8085, auth: 9099 };
/** Long enough for a person to see that a picture is being painted. */
const paintingMs = 600;

async function main(run: Run): Promise<void> {
  const settings = readSettings(process.env);
  const port = settings.port || (await freePort());
  const ended = await endPreviousRun(port);
  if (ended) say(ended);
  await refuseTakenPort(port);
  if (settings.dataDir) refuseSharedDataDir(settings.dataDir);
  run.record(port, settings.dataDir);
  say('Starting; the emulators take a few seconds …');

  const places = await choosePlaces(settings, port);
  const functions = loadFunctions(run, places);
  await Promise.all([prepareAuth(run, settings, places), prepareFirestore(run, settings, places)]);
  if (settings.dataDir) run.keep(keepingOf(settings, places));
  await functions.open();
  say(banner(settings, places));
}

/** @throws {StartRefused} naming who holds the port. */
async function refuseTakenPort(port: number): Promise<void> {
  if (await isFree(port)) return;
  const holder = await holderOf(port);
  const who = holder ? `pid ${holder.pid}: ${holder.command.slice(0, 120)}` : "another user's process";
  throw new StartRefused(
    `Port ${port} is taken by another program (${who}), which was left alone.\nChoose another port: PORT=${port + 1} npm start`,
  );
}

/** Decides where everything will be, and starts the stand-ins, which are part of this process. */
async function choosePlaces(settings: Settings, port: number): Promise<Places> {
  const { dataDir } = settings;
  const place = async (preferred: number) =>
    `${loopback}:${port === usual.port && (await isFree(preferred)) ? preferred : await freePort()}`;
  const places: Places = {
    port,
    firestoreHost: settings.firestoreHost ?? (await place(usual.firestore)),
    authHost: settings.authHost ?? (await place(usual.auth)),
    gemini: undefined,
    cloudinary: undefined,
  };
  // Of what they were asked, the stand-ins keep the last few for whoever debugs; a run may last for days.
  const requestsMax = 100;
  if (settings.gemini === 'stand-in') {
    const apiKey = 'stand-in';
    const { url } = await startFakeGemini({ apiKey, latencyMs: paintingMs, requestsMax });
    places.gemini = { url, apiKey };
  }
  if (settings.cloudinary === 'stand-in') {
    places.cloudinary = await startFakeCloudinary({
      cloudName: 'demo',
      apiKey: 'stand-in',
      apiSecret: randomBytes(16).toString('hex'),
      requestsMax,
      ...(dataDir && { dataDir: imagesDir(dataDir) }),
    });
  }
  return places;
}

/** Starts loading the functions; under `dev` they start anew with every change, and may fail until the next. */
function loadFunctions(run: Run, places: Places): Functions {
  const functions = run.startFunctions((onStart) =>
    startFunctions({
      env: functionsEnvironment(process.env, places),
      onStart,
      onDeath(child, how) {
        if (dev) say(`The functions ended (${how}); they start again at the next change.`);
        else run.reportDeath(child, how);
      },
    }),
  );
  if (dev) restartAtChanges(run, functions);
  return functions;
}

function restartAtChanges(run: Run, functions: Functions): void {
  let restarting = Promise.resolve();
  watchSources(root, (file) => {
    if (run.isEnding()) return;
    say(`${file} changed: restarting the functions.`);
    restarting = restarting.then(() => functions.restart());
  });
}

/** Firestore with the demo accounts, and triggers: an emulator of the run's own, or what the environment names. */
async function prepareFirestore(run: Run, settings: Settings, places: Places): Promise<void> {
  const backends = { ...settings, ...places };
  if (settings.firestoreHost) {
    await untilNamedAnswers('FIRESTORE_EMULATOR_HOST', settings.firestoreHost);
  } else {
    const found = await findFirestoreJar(process.env, () => fetchFirestore(run));
    const emulator = run.start(() =>
      startFirestore({
        found,
        port: portOf(places.firestoreHost),
        functionsPort: places.port,
        rules: join(root, 'firestore.rules'),
        seed: settings.dataDir && savedFirestore(settings.dataDir),
        runDir: run.runDir,
      }),
    );
    await untilAnswering(emulator, places.firestoreHost, found);
    run.guard(emulator);
  }
  await createDemoAccounts(backends);
  // One that somebody else has started calls somebody else's functions.
  if (!settings.firestoreHost) await registerTriggers(backends);
}

/** Firebase Auth with the demo users: an emulator of the run's own, or what the environment names. */
async function prepareAuth(run: Run, settings: Settings, places: Places): Promise<void> {
  if (settings.authHost) {
    await untilNamedAnswers('FIREBASE_AUTH_EMULATOR_HOST', settings.authHost);
  } else {
    const { projectId } = settings;
    const port = portOf(places.authHost);
    const [hubPort, loggingPort] = [await freePort(), await freePort()];
    const emulator = run.start(() =>
      startAuth({ port, hubPort, loggingPort, projectId, runDir: run.runDir }),
    );
    await untilAnswering(emulator, places.authHost);
    run.guard(emulator);
    if (settings.dataDir) await restoreUsers(keepingOf(settings, places));
  }
  await createDemoUsers({ ...settings, ...places });
}

const portOf = (hostAndPort: string) => Number(hostAndPort.slice(hostAndPort.lastIndexOf(':') + 1));

/** What is kept where: only what the run's own emulators hold. */
function keepingOf({ dataDir = '', ...settings }: Settings, places: Places): Keeping {
  return {
    dataDir,
    projectId: settings.projectId,
    databaseId: settings.databaseId,
    firestoreHost: settings.firestoreHost ? undefined : places.firestoreHost,
    authHost: settings.authHost ? undefined : places.authHost,
  };
}

const run = createRun();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, run.onSignal);
// A terminal that is gone is no reason to leave the emulators behind.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
main(run).catch((error: unknown) => {
  if (run.isEnding()) return;
  const expected = error instanceof StartRefused || error instanceof ConfigError;
  process.stderr.write(`${expected ? error.message : error instanceof Error ? error.stack : error}\n`);
  run.end(1);
});
