/** The real local run for browser tests, with fakes of Gemini and Cloudinary that the test can script. */
import { type FakeCloudinary, startFakeCloudinary } from '../../../local/fakes/cloudinary.ts';
import { type FakeGemini, type GeminiOptions, startFakeGemini } from '../../../local/fakes/gemini.ts';
import type { Control } from '../../../local/fakes/stripe/control.ts';
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
    stripe: {
      /** Empty if the run has no fake Stripe. */
      url: string;
      /** Does what happens at Stripe: see local/fakes/stripe/control.ts. */
      control: (action: keyof Control, args?: object) => Promise<unknown>;
      /** The newest sessions, the newest first. */
      listSessions: () => Promise<StripeSession[]>;
    };
    /** Runs `npm run purchases`. @returns its output */
    runPurchases: (...args: string[]) => Promise<string>;
    /** Hosts that the page may contact. */
    hosts: readonly string[];
    /** Ends every process. */
    end: () => Promise<void>;
  };

type StripeSession = { id: string; status: string; payment_status: string; metadata: Record<string, string> };

const projectId = 'demo-browser-test';
/** High enough that no test has to wait because of another one. */
const raisedLimits = { MAX_PER_MINUTE_PER_USER: '1000' };

/** Starts the same program as `npm start`, on a free port. @param env additional environment variables */
export async function startStudio(
  env: Record<string, string> = {},
  options: Pick<GeminiOptions, 'drawsScenes'> = {},
): Promise<Studio> {
  const pauses = createPauses();
  const geminiKey = 'browser-test';
  const gemini = await startFakeGemini({ ...options, apiKey: geminiKey, onRequest: pauses.onRequest });
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
    const stripeUrl = runs.record(port)?.stripe ?? '';
    const control = createControl(stripeUrl);
    return {
      ...createAccounts({ url, projectId, authHost: auth, firestoreHost: firestore }),
      pauseNextImage: pauses.pauseNextImage,
      pauseNextImprovement: pauses.pauseNextImprovement,
      url,
      gemini,
      cloudinary,
      stripe: {
        url: stripeUrl,
        control,
        listSessions: async () => ((await control('list')) as { sessions: StripeSession[] }).sessions,
      },
      async runPurchases(...args) {
        const { code, output } = await runs.purchases(port, ...args);
        if (code !== 0) throw new Error(output);
        return output;
      },
      hosts: [new URL(url).host, new URL(cloudinary.url).host, auth, firestore].concat(
        stripeUrl ? new URL(stripeUrl).host : [],
      ),
      end,
    };
  } catch (error) {
    await end();
    throw error;
  }
}

const createControl =
  (stripeUrl: string) =>
  async (action: string, args: object = {}) => {
    const response = await fetch(`${stripeUrl}/__control/${action}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(args),
    });
    const answer = await response.json();
    if (!response.ok) throw new Error(`${action}: ${JSON.stringify(answer)}`);
    return answer as unknown;
  };

type Emulator = { host: string; port: number };

async function getEmulators(url: string): Promise<{ auth: string; firestore: string }> {
  const answer = await fetch(`${url}/__/firebase/init.json`);
  const { emulators } = (await answer.json()) as { emulators: Record<'auth' | 'firestore', Emulator> };
  const name = ({ host, port }: Emulator) => `${host}:${port}`;
  return { auth: name(emulators.auth), firestore: name(emulators.firestore) };
}
