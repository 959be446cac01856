/** `npm start`: runs the whole studio on this machine, without any key or account. */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { ConfigError } from '../shared/config/config.ts';
import { say } from '../tools/say.ts';
import { formatBanner } from './banner.ts';
import { consoleMissing, findConsole, startConsole } from './console.ts';
import {
  findFirestoreExport,
  getImagesDir,
  getPurchasesDir,
  prepareDataDir,
  restoreUsers,
  type SaveOptions,
} from './data.ts';
import { createDemoAccounts, createDemoUsers } from './demo.ts';
import { watchSources } from './dev.ts';
import { startDevProxy } from './devProxy.ts';
import { startAuth, startFirestore, waitForEmulator, waitForExternalEmulator } from './emulators.ts';
import {
  createFunctionsEnvironment,
  type Endpoints,
  getBrowserUrl,
  type LocalConfig,
  parseLocalConfig,
} from './environment.ts';
import { startFakeCloudinary } from './fakes/cloudinary.ts';
import { startFakeGemini } from './fakes/gemini.ts';
import { loadSettings, parseFlags, usage } from './flags.ts';
import { type Functions, startFunctions } from './functionsProcess.ts';
import { findFirestoreProgram } from './java.ts';
import { findFreePort, findPortHolder, isPortFree, loopback, portDefault } from './ports.ts';
import { endPreviousRun, refuseSharedDataDir } from './previousRun.ts';
import { StartRefused } from './refusal.ts';
import { createRun, type Run } from './run.ts';
import { startLocalStripe } from './stripe.ts';
import { registerTriggers } from './triggers.ts';

const root = join(import.meta.dirname, '..');

/** The default ports. With another PORT, the emulators get free ports too. */
const defaultPorts = { firestore: 8085, auth: 9099, console: 4000 };
/** How long the fake Gemini takes, so that a person sees the page waiting for an image; milliseconds. */
const imageLatencyMs = 600;

async function main(run: Run, args: string[]): Promise<void> {
  const flags = parseFlags(args);
  if (flags.help) {
    say(usage);
    run.end(0);
    return;
  }
  const unknownNames = loadSettings(flags.settings);
  if (unknownNames.length > 0)
    say(
      `Nothing reads ${unknownNames.join(', ')} of ${flags.settings}. docs/setup/environment.md lists all variables.`,
    );
  const config = parseLocalConfig(process.env);
  const port = config.port || (await findFreePort());
  const previousRunMessage = await endPreviousRun(port);
  if (previousRunMessage) say(previousRunMessage);
  await refuseOccupiedPort(port);
  if (config.dataDir) {
    refuseSharedDataDir(config.dataDir);
    prepareDataDir(config.dataDir);
  }
  run.record(port, config.dataDir);
  say('Starting. The emulators take a few seconds …');

  const endpoints = await createEndpoints(config, port);
  if (endpoints.stripe) run.recordStripe(endpoints.stripe.url);
  const functionsPort = flags.dev ? await findFreePort() : port;
  const functions = loadFunctions(run, functionsPort, config, endpoints, flags.dev);
  await Promise.all([prepareAuth(run, config, endpoints), prepareFirestore(run, config, endpoints)]);
  if (config.dataDir) run.enableSaving(toSaveOptions(config, endpoints));
  await functions.open();
  if (run.isEnding()) return;
  if (flags.dev) await startDevProxy(port, functionsPort, functions.whenOpen);
  const banner = {
    url: getBrowserUrl(process.env, port),
    console: flags.console ? await openConsole(port, config, endpoints) : undefined,
    isColoured: Boolean(process.stdout.isTTY) && !process.env.NO_COLOR,
  };
  say(formatBanner(config, endpoints, banner));
}

/** @returns the address of the emulators' console, or how to get it. */
async function openConsole(port: number, { projectId }: LocalConfig, hosts: Endpoints): Promise<string> {
  const folder = findConsole(process.env);
  if (!folder) return consoleMissing;
  const consolePort = await pickPort(port, defaultPorts.console);
  await startConsole(consolePort, folder, { projectId, ...hosts });
  return getBrowserUrl(process.env, consolePort);
}

/** The preferred port for a run on the default port, if it is free. */
const pickPort = async (port: number, preferred: number) =>
  port === portDefault && (await isPortFree(preferred)) ? preferred : findFreePort();

/** @throws {StartRefused} naming the process that listens on the port. */
async function refuseOccupiedPort(port: number): Promise<void> {
  if (await isPortFree(port)) return;
  const listener = await findPortHolder(port);
  const who = listener ? `pid ${listener.pid}: ${listener.command.slice(0, 120)}` : "another user's process";
  throw new StartRefused(
    `Port ${port} is in use by another program (${who}), which keeps running.\nChoose another port: PORT=${port + 1} npm start`,
  );
}

/** Chooses all addresses, and starts the fakes in this process. */
async function createEndpoints(config: LocalConfig, port: number): Promise<Endpoints> {
  const { dataDir } = config;
  const pickAddress = async (preferred: number) => `${loopback}:${await pickPort(port, preferred)}`;
  const endpoints: Endpoints = {
    port,
    firestoreHost: config.firestoreHost ?? (await pickAddress(defaultPorts.firestore)),
    authHost: config.authHost ?? (await pickAddress(defaultPorts.auth)),
    gemini: undefined,
    cloudinary: undefined,
    stripe: undefined,
  };
  // The fakes remember only the latest requests, for debugging: a run may last for days.
  const requestsMax = 100;
  if (config.gemini === 'fake') {
    const apiKey = 'fake';
    const { url } = await startFakeGemini({
      apiKey,
      latencyMs: imageLatencyMs,
      requestsMax,
      drawsScenes: true,
    });
    endpoints.gemini = { url, apiKey };
  }
  if (config.cloudinary === 'fake') {
    endpoints.cloudinary = await startFakeCloudinary({
      cloudName: 'demo',
      apiKey: 'fake',
      apiSecret: randomBytes(16).toString('hex'),
      requestsMax,
      ...(dataDir && { dataDir: getImagesDir(dataDir) }),
    });
  }
  if (config.stripe === 'fake') {
    const { packs, webhookSecret } = config;
    const purchasesDir = dataDir && getPurchasesDir(dataDir);
    endpoints.stripe = await startLocalStripe({
      port,
      packs,
      webhookSecret,
      dataDir: purchasesDir,
      requestsMax,
    });
  }
  return endpoints;
}

/** Starts the functions' process. With `--dev` it restarts at each change, and a crash does not end the run. */
function loadFunctions(
  run: Run,
  port: number,
  config: LocalConfig,
  endpoints: Endpoints,
  dev: boolean,
): Functions {
  const env = createFunctionsEnvironment(process.env, endpoints, config.dataDir ?? run.runDir);
  const functions = run.startFunctions((onStart) =>
    startFunctions({
      env: { ...env, PORT: String(port) },
      onStart,
      onDeath(child, how) {
        if (dev) say(`The functions stopped (${how}). They start again at the next change.`);
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
    restarting = restarting.then(async () => {
      const before = performance.now();
      if (await functions.restart())
        say(`Restarted in ${((performance.now() - before) / 1000).toFixed(1)} s.`);
    });
  });
}

/** Starts the Firestore emulator unless the environment names one; creates the demo accounts and the triggers. */
async function prepareFirestore(run: Run, config: LocalConfig, endpoints: Endpoints): Promise<void> {
  const emulators = { ...config, ...endpoints };
  if (config.firestoreHost) {
    await waitForExternalEmulator('FIRESTORE_EMULATOR_HOST', config.firestoreHost);
  } else {
    const program = await findFirestoreProgram(process.env);
    const emulator = run.start(() =>
      startFirestore({
        program,
        port: parsePort(endpoints.firestoreHost),
        functionsPort: endpoints.port,
        rules: join(root, 'firestore.rules'),
        seed: config.dataDir && findFirestoreExport(config.dataDir),
        runDir: run.runDir,
      }),
    );
    await waitForEmulator(emulator, endpoints.firestoreHost, program);
    run.guard(emulator);
  }
  await createDemoAccounts(emulators);
  // An emulator of another run posts its events to that run's functions.
  if (!config.firestoreHost) await registerTriggers(emulators);
}

/** Starts the Auth emulator unless the environment names one; creates the demo users. */
async function prepareAuth(run: Run, config: LocalConfig, endpoints: Endpoints): Promise<void> {
  if (config.authHost) {
    await waitForExternalEmulator('FIREBASE_AUTH_EMULATOR_HOST', config.authHost);
  } else {
    const { projectId } = config;
    const port = parsePort(endpoints.authHost);
    const [hubPort, loggingPort] = [await findFreePort(), await findFreePort()];
    const emulator = run.start(() =>
      startAuth({ port, hubPort, loggingPort, projectId, runDir: run.runDir }),
    );
    await waitForEmulator(emulator, endpoints.authHost);
    run.guard(emulator);
    if (config.dataDir) await restoreUsers(toSaveOptions(config, endpoints));
  }
  await createDemoUsers({ ...config, ...endpoints });
}

const parsePort = (hostAndPort: string) => Number(hostAndPort.slice(hostAndPort.lastIndexOf(':') + 1));

/** Saves only the data of emulators that this run started. */
function toSaveOptions({ dataDir = '', ...config }: LocalConfig, endpoints: Endpoints): SaveOptions {
  return {
    dataDir,
    projectId: config.projectId,
    databaseId: config.databaseId,
    firestoreHost: config.firestoreHost ? undefined : endpoints.firestoreHost,
    authHost: config.authHost ? undefined : endpoints.authHost,
  };
}

const run = createRun();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, run.onSignal);
// If the terminal closes, writing fails. The run must still end the emulators.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
main(run, process.argv.slice(2)).catch((error: unknown) => {
  if (run.isEnding()) return;
  const isExpected = error instanceof StartRefused || error instanceof ConfigError;
  process.stderr.write(`${isExpected ? error.message : error instanceof Error ? error.stack : error}\n`);
  run.end(1);
});
