/** What a person is told: what runs where, what is not the real thing, and whom to sign in as. */
import { demoLines } from './demo.ts';
import type { GeminiChoice, Places, Settings } from './environment.ts';

/** The summary of a run that has started. */
export function banner(settings: Settings, places: Places): string {
  const { port, firestoreHost, authHost, gemini, cloudinary } = places;
  const emulator = (named: string | undefined) =>
    named ? 'as the environment names it' : 'the real emulator';
  const [user, admin] = demoLines();
  return `
Nano Banana Studio runs on this machine, as project ${settings.projectId}.

  Studio      http://127.0.0.1:${port}/studio
  Reference   http://127.0.0.1:${port}/reference
  Functions   http://127.0.0.1:${port}/health and the others by their names
  Firestore   ${firestoreHost}, ${emulator(settings.firestoreHost)}
  Auth        ${authHost}, ${emulator(settings.authHost)}
  Gemini      ${gemini ? `${gemini.url}, a STAND-IN: its pictures are drawn here and cost nothing` : geminiText[settings.gemini]}
  Cloudinary  ${cloudinary ? `${cloudinary.url}, a STAND-IN` : 'the account that CLOUDINARY_URL names'}
  Data        ${settings.dataDir ? `kept in ${settings.dataDir}` : 'gone at the end; LOCAL_DATA_DIR=folder keeps it'}

  Sign in as  ${user}
         or   ${admin}

Ctrl-C ends everything.
`;
}

const geminiText: Record<GeminiChoice, string> = {
  'stand-in': '',
  'own server': 'the server that GOOGLE_GEMINI_BASE_URL names',
  Google: 'the REAL one, with GEMINI_API_KEY: pictures cost money',
  'Vertex AI': 'the REAL one, on Vertex AI: pictures cost money',
};
