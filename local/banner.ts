/** What a person is told: what runs where, what is not the real thing, and whom to sign in as. */
import { formatDemoUsers } from './demo.ts';
import type { Endpoints, GeminiSource, LocalConfig } from './environment.ts';

/** The summary of a run that has started. */
export function formatBanner(config: LocalConfig, endpoints: Endpoints): string {
  const { port, firestoreHost, authHost, gemini, cloudinary } = endpoints;
  const emulator = (named: string | undefined) =>
    named ? 'as the environment names it' : 'the real emulator';
  const [user, admin] = formatDemoUsers();
  return `
Nano Banana Studio runs on this machine, as project ${config.projectId}.

  Studio      http://127.0.0.1:${port}/studio
  Reference   http://127.0.0.1:${port}/reference
  Functions   http://127.0.0.1:${port}/health and the others by their names
  Firestore   ${firestoreHost}, ${emulator(config.firestoreHost)}
  Auth        ${authHost}, ${emulator(config.authHost)}
  Gemini      ${gemini ? `${gemini.url}, a STAND-IN: its pictures are drawn here and cost nothing` : geminiDescriptions[config.gemini]}
  Cloudinary  ${cloudinary ? `${cloudinary.url}, a STAND-IN` : 'the account that CLOUDINARY_URL names'}
  Data        ${config.dataDir ? `kept in ${config.dataDir}` : 'gone at the end; LOCAL_DATA_DIR=folder keeps it'}

  Sign in as  ${user}
         or   ${admin}

Ctrl-C ends everything.
`;
}

const geminiDescriptions: Record<GeminiSource, string> = {
  'stand-in': '',
  'own server': 'the server that GOOGLE_GEMINI_BASE_URL names',
  Google: 'the REAL one, with GEMINI_API_KEY: pictures cost money',
  'Vertex AI': 'the REAL one, on Vertex AI: pictures cost money',
};
