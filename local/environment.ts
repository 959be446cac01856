/** What the environment says about a local run, and what the functions are told in turn. */
import { resolve } from 'node:path';
import { ConfigError, parseConfig } from '../shared/config/config.ts';

/** The project where the environment names none: Firebase keeps `demo-` for projects that do not exist. */
const demoProject = 'demo-nano-banana-studio';

/** Where Gemini and its bill are. */
export type GeminiSource = 'stand-in' | 'own server' | 'Google' | 'Vertex AI';

export type LocalConfig = {
  /** 0: a free one. */
  port: number;
  projectId: string;
  databaseId: string;
  /** Absolute; undefined where nothing is kept. */
  dataDir: string | undefined;
  /** Emulators that run already: used, neither started nor ended. */
  firestoreHost: string | undefined;
  authHost: string | undefined;
  gemini: GeminiSource;
  cloudinary: 'stand-in' | 'Cloudinary';
};

/**
 * Reads the whole environment before anything is started.
 * @throws {ConfigError} naming each bad variable, never a value.
 */
export function parseLocalConfig(env: NodeJS.ProcessEnv): LocalConfig {
  const config = parseConfig(toLocalEnvironment(env));
  return {
    port: config.port,
    projectId: config.projectId,
    databaseId: config.databaseId,
    dataDir: env.LOCAL_DATA_DIR ? resolve(env.LOCAL_DATA_DIR) : undefined,
    firestoreHost: config.firestoreEmulatorHost,
    authHost: config.authEmulatorHost,
    gemini: getGeminiSource(config.gemini),
    cloudinary: config.cloudinaryUrl ? 'Cloudinary' : 'stand-in',
  };
}

function getGeminiSource(gemini: ReturnType<typeof parseConfig>['gemini']): GeminiSource {
  if (gemini.vertexAi) return 'Vertex AI';
  if (gemini.apiKey) return gemini.baseUrl ? 'own server' : 'Google';
  if (gemini.baseUrl)
    throw new ConfigError('Bad environment: GOOGLE_GEMINI_BASE_URL needs a GEMINI_API_KEY beside it.');
  return 'stand-in';
}

/** The environment as a run on this machine sees it: not on Cloud Run, and in some project. */
function toLocalEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const { K_SERVICE, K_REVISION, FUNCTION_TARGET, NODE_ENV, ...local } = env;
  return { ...local, GOOGLE_CLOUD_PROJECT: env.GOOGLE_CLOUD_PROJECT || demoProject };
}

/** The addresses of everything that a local run uses. */
export type Endpoints = {
  port: number;
  firestoreHost: string;
  authHost: string;
  /** Undefined where the environment's own is used. */
  gemini: { url: string; apiKey: string } | undefined;
  cloudinary: { url: string; cloudinaryUrl: string } | undefined;
};

/** The environment of the functions' process. */
export function createFunctionsEnvironment(env: NodeJS.ProcessEnv, endpoints: Endpoints): NodeJS.ProcessEnv {
  const { gemini, cloudinary } = endpoints;
  return {
    ...toLocalEnvironment(env),
    PORT: String(endpoints.port),
    FIRESTORE_EMULATOR_HOST: endpoints.firestoreHost,
    FIREBASE_AUTH_EMULATOR_HOST: endpoints.authHost,
    // Google's libraries would otherwise look for a metadata server, and wait for it.
    METADATA_SERVER_DETECTION: 'none',
    ...(gemini && { GEMINI_API_KEY: gemini.apiKey, GOOGLE_GEMINI_BASE_URL: gemini.url }),
    ...(cloudinary && { CLOUDINARY_URL: cloudinary.cloudinaryUrl }),
  };
}
