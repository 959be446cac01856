/** The real local run for browser tests, with fakes of Gemini and Cloudinary that the test can script. */
import { type FakeCloudinary, startFakeCloudinary } from '../../../local/fakes/cloudinary.ts';
import { type FakeGemini, startFakeGemini } from '../../../local/fakes/gemini.ts';
import { findFreePort } from '../../../local/ports.ts';
import { createLocalRuns, waitUntilUp } from '../../local/support.ts';
import { type Accounts, createAccounts } from './accounts.ts';
import { createPauses, type Pauses } from './pauses.ts';

export type Studio = Accounts &
  Pick<Pauses, 'pauseNextImage' | 'pauseNextImprovement'> & {
    /** The origin: `http://127.0.0.1:…`. */
    url: string;
    gemini: FakeGemini;
    cloudinary: FakeCloudinary;
    /** Hosts that the page may contact. */
    hosts: readonly string[];
    /** Ends every process. */
    end: () => Promise<void>;
  };

const projectId = 'demo-browser-test';
/** High enough that no test has to wait because of another one. */
const raisedLimits = { MAX_PER_MINUTE_PER_USER: '1000' };

/** Starts the same program as `npm start`, on a free port. @param env additional environment variables */
export async function startStudio(env: Record<string, string> = {}): Promise<Studio> {
  const pauses = createPauses();
  const geminiKey = 'browser-test';
  const gemini = await startFakeGemini({ apiKey: geminiKey, onRequest: pauses.onRequest });
  const account = { cloudName: 'demo', apiKey: 'browser-test', apiSecret: 'browser-test-secret' };
  const cloudinary = await startFakeCloudinary(account);
  const port = await findFreePort();
  const runs = createLocalRuns();
  const run = runs.start({
    ...raisedLimits,
    PORT: String(port),
    PUBLIC_URL: `http://127.0.0.1:${port}`,
    GOOGLE_CLOUD_PROJECT: projectId,
    GEMINI_API_KEY: geminiKey,
    GOOGLE_GEMINI_BASE_URL: gemini.url,
    CLOUDINARY_URL: cloudinary.cloudinaryUrl,
    ...env,
  });

  async function end(): Promise<void> {
    pauses.releaseAll();
    await runs.end();
    await Promise.all([gemini.close(), cloudinary.close()]);
  }

  try {
    await waitUntilUp(run, port);
    const url = `http://127.0.0.1:${port}`;
    const { auth, firestore } = await getEmulators(url);
    return {
      ...createAccounts({ url, projectId, authHost: auth, firestoreHost: firestore }),
      pauseNextImage: pauses.pauseNextImage,
      pauseNextImprovement: pauses.pauseNextImprovement,
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

async function getEmulators(url: string): Promise<{ auth: string; firestore: string }> {
  const answer = await fetch(`${url}/__/firebase/init.json`);
  const { emulators } = (await answer.json()) as { emulators: Record<'auth' | 'firestore', Emulator> };
  const name = ({ host, port }: Emulator) => `${host}:${port}`;
  return { auth: name(emulators.auth), firestore: name(emulators.firestore) };
}
