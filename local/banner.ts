/** The summary that `npm start` prints: the address of each part, which parts are fakes, and the demo users. */
import { formatDemoUsers } from './demo.ts';
import type { Endpoints, GeminiSource, LocalConfig } from './environment.ts';
import { portDefault } from './ports.ts';

export type BannerOptions = {
  /** The address of the studio and the functions for a browser. */
  url: string;
  /** The line of the emulators' console; undefined if it was not asked for. */
  console: string | undefined;
  isColoured: boolean;
};

/** @returns the summary, to print once the port is open. What costs money is red. */
export function formatBanner(
  config: LocalConfig,
  endpoints: Endpoints,
  { url, console, isColoured }: BannerOptions,
): string {
  const { port, firestoreHost, authHost, gemini, cloudinary, stripe } = endpoints;
  const emulator = (named: string | undefined) => (named ? 'from the environment' : 'the real emulator');
  const warn = (text: string) => (isColoured ? `\u001b[31m${text}\u001b[0m` : text);
  const [user, admin] = formatDemoUsers();
  return `
Nano Banana Studio is running on this machine, as project ${config.projectId}.

  Studio      ${url}/studio
  Reference   ${url}/reference
  Functions   ${url}/health, and each other function under its name
  Firestore   ${firestoreHost}, ${emulator(config.firestoreHost)}
  Auth        ${authHost}, ${emulator(config.authHost)}
${console ? `  Console     ${console}\n` : ''}\
  Gemini      ${gemini ? `${gemini.url}, a FAKE: it draws images on this machine, at no cost` : describeGemini(config, warn)}
  Cloudinary  ${cloudinary ? `${cloudinary.url}, a FAKE` : warn('the REAL account in CLOUDINARY_URL: it keeps the images')}
  Stripe      ${stripe ? `${stripe.url}, a FAKE: its checkout page asks how the payment ends` : stripeDescriptions[config.stripe]}
  Data        ${config.dataDir ? `kept in ${config.dataDir}` : 'deleted at the end; set LOCAL_DATA_DIR=folder to keep it'}

  Sign in as  ${user}
         or   ${admin}
${stripe ? formatPurchaseCommands(port) : ''}
Press Ctrl-C to stop everything.
`;
}

/** The commands for what a bank or an operator does to the newest purchase, or to the one whose session is named. */
function formatPurchaseCommands(port: number): string {
  const command = `${port === portDefault ? '' : `PORT=${port} `}npm run -s purchases --`;
  return `
  Purchases   ${command} refund [SESSION] [--amount CENTS]
              ${command} dispute [SESSION] [--inquiry | --won | --lost]
              ${command} help
`;
}

const stripeDescriptions: Record<LocalConfig['stripe'], string> = {
  fake: '',
  'own server': 'the server at STRIPE_API_BASE_URL',
  Stripe: 'the account of STRIPE_SECRET_KEY',
};

const geminiDescriptions: Record<GeminiSource, string> = {
  fake: '',
  'own server': 'the server at GOOGLE_GEMINI_BASE_URL',
  Google: 'the REAL service, with GEMINI_API_KEY',
  'Vertex AI': 'the REAL service, on Vertex AI',
};

function describeGemini({ gemini, model }: LocalConfig, warn: (text: string) => string): string {
  if (gemini === 'own server') return geminiDescriptions[gemini];
  return warn(
    `${geminiDescriptions[gemini]}: each image costs you money, about $${(model.costMicros / 1e6).toFixed(3)} at 1K with ${model.id}`,
  );
}
