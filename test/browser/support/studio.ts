/** The real local run for tests in a browser, with stand-ins that the test itself holds and can script. */

import { type FakeCloudinary, startFakeCloudinary } from '../../../local/fakes/cloudinary.ts';
import { type FakeGemini, startFakeGemini } from '../../../local/fakes/gemini.ts';
import { findFreePort } from '../../../local/ports.ts';
import { createLocalRuns, waitUntilUp } from '../../local/support.ts';
import { type Accounts, createAccounts } from './accounts.ts';
import { createHolds, type Holds } from './holds.ts';

export type Studio = Accounts &
  Pick<Holds, 'holdNextPaint' | 'holdNextImprovement'> & {
    /** Without a path: `http://127.0.0.1:…`. */
    url: string;
    gemini: FakeGemini;
    cloudinary: FakeCloudinary;
    /** Hosts that the page has a reason to talk to. */
    hosts: readonly string[];
    /** Ends every process, and leaves nothing behind. */
    end: () => Promise<void>;
  };

const projectId = 'demo-browser-test';
/** Nothing that counts up to a minute shall make one test wait for another. */
const roomyLimits = { MAX_PER_MINUTE_PER_USER: '1000' };

/** Starts `npm start`'s own program on a free port. @param env more of its environment. */
export async function startStudio(env: Record<string, string> = {}): Promise<Studio> {
  const holds = createHolds();
  const geminiKey = 'browser-test';
  const gemini = await startFakeGemini({ apiKey: geminiKey, onRequest: holds.onRequest });
  const account = { cloudName: 'demo', apiKey: 'browser-test', apiSecret: 'browser-test-secret' };
  const cloudinary = await startFakeCloudinary(account);
  const port = await findFreePort();
  const runs = createLocalRuns();
  const run = runs.start({
    ...roomyLimits,
    PORT: String(port),
    GOOGLE_CLOUD_PROJECT: projectId,
    GEMINI_API_KEY: geminiKey,
    GOOGLE_GEMINI_BASE_URL: gemini.url,
    CLOUDINARY_URL: cloudinary.cloudinaryUrl,
    ...env,
  });

  async function end(): Promise<void> {
    holds.letAllGo();
    await runs.end();
    await Promise.all([gemini.close(), cloudinary.close()]);
  }

  try {
    await waitUntilUp(run, port);
    const url = `http://127.0.0.1:${port}`;
    const { auth, firestore } = await emulatorsOf(url);
    return {
      ...createAccounts({ url, projectId, authHost: auth, firestoreHost: firestore }),
      holdNextPaint: holds.holdNextPaint,
      holdNextImprovement: holds.holdNextImprovement,
      url,
      gemini,
      cloudinary,
      hosts: [new URL(url).host, new URL(cloudinary.url).host, auth, firestore],
      end,
    };
  } catch (error) {
    await end();
    throw error;
  }
}

type Emulator = { host: string; port: number };

async function emulatorsOf(url: string): Promise<{ auth: string; firestore: string }> {
  const answer = await fetch(`${url}/__/firebase/init.json`);
  const { emulators } = (await answer.json()) as { emulators: Record<'auth' | 'firestore', Emulator> };
  const name = ({ host, port }: Emulator) => `${host}:${port}`;
  return { auth: name(emulators.auth), firestore: name(emulators.firestore) };
}
