/**
 * The process that serves all functions and the page on one port. The parent process tells it when to open the port.
 * It ends on a signal, or when the parent is gone.
 */
import { join } from 'node:path';
import { functions } from '../functions/index.ts';
import { parseConfig } from '../shared/config/config.ts';
import { createFunctionsServer } from '../shared/http/server.ts';
import { modelWarnings } from '../shared/imagegen/models.ts';
import { portOpenMessage } from './functionsProcess.ts';
import { callJob, isIdleJob, startJobs } from './jobs.ts';
import { loopback } from './ports.ts';
import { createSite } from './site.ts';
import { logWriter } from './terminalLog.ts';
import { toFunctionPath } from './triggers.ts';

let ending = false;
let drain = async () => {};
let stopJobs = () => {};

/** Runs once: a signal to the process group arrives here directly, and again from the parent. */
function end() {
  if (ending) return;
  ending = true;
  stopJobs();
  void drain().finally(() => process.exit(0));
}
process.on('SIGTERM', end);
process.on('SIGINT', end);
process.on('SIGHUP', end);
process.on('disconnect', end);
// The parent sends a single message: open the port.
const openRequest = new Promise((resolve) => process.once('message', resolve));

async function main(): Promise<void> {
  const config = parseConfig(process.env);
  const { projectId, authEmulatorHost, firestoreEmulatorHost, modelIds, prompt, port } = config;
  const site = await createSite({
    webDir: join(import.meta.dirname, '../web'),
    projectId,
    authHost: authEmulatorHost ?? '',
    firestoreHost: firestoreEmulatorHost ?? '',
    functionPaths: [...Object.keys(functions), 'i'],
    env: process.env,
  });
  const warnings = modelWarnings(modelIds, prompt.modelId, new Date());
  let isOpen = false;
  const { server, shutdown, log } = createFunctionsServer({
    functions,
    env: process.env,
    // `checkQuota` repeats the warnings of the start.
    writeLog: logWriter(
      process.stdout,
      process.env,
      (line) => isIdleJob(line) || (isOpen && warnings.includes(String(line.message))),
    ),
    site(request, response) {
      request.url = toFunctionPath(request.url ?? '/');
      return site(request, response);
    },
  });
  await openRequest;
  if (ending) return;
  drain = shutdown;
  process.on('unhandledRejection', (error) => log.error('A promise rejection was not handled', { error }));
  server.once('error', fail);
  for (const warning of warnings) log.warning(warning);
  server.listen(port, loopback, () => {
    isOpen = true;
    // Other projects do not accept the emulators' superuser.
    if (projectId.startsWith('demo-'))
      stopJobs = startJobs((name) => callJob(`http://${loopback}:${port}`, name));
    process.send?.(portOpenMessage);
  });
}

function fail(error: unknown): void {
  process.stderr.write(`The functions cannot start: ${error instanceof Error ? error.stack : error}\n`);
  process.exit(1);
}

if (process.connected) main().catch(fail);
else process.exit(0);
