/** Parses the environment of a local run, and creates the environment of the functions' process. */
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ConfigError, parseConfig } from '../shared/config/config.ts';
import type { CreditPack } from '../shared/config/environment.ts';
import { imageModel } from '../shared/imagegen/models.ts';
import { loopback } from './ports.ts';
import { type LocalStripe, localPacks } from './stripe.ts';

/** The default project. Firebase reserves the prefix `demo-` for projects that do not exist. */
const demoProject = 'demo-nano-banana-studio';

/** The server that answers calls to Gemini. */
export type GeminiSource = 'fake' | 'own server' | 'Google' | 'Vertex AI';

export type LocalConfig = {
  /** 0 means any free port. */
  port: number;
  projectId: string;
  databaseId: string;
  /** An absolute path; undefined if the run keeps no data. */
  dataDir: string | undefined;
  /** Emulators that the environment names, `host:port`. The run uses them, and neither starts nor stops them. */
  firestoreHost: string | undefined;
  authHost: string | undefined;
  gemini: GeminiSource;
  /** The model that is called first, and what one of its images at 1K costs at Google, micro-dollars. */
  model: { id: string; costMicros: number };
  cloudinary: 'fake' | 'Cloudinary';
  stripe: 'fake' | 'own server' | 'Stripe';
  /** What the fake Stripe sells, and the secret with which it signs its events; undefined for a random one. */
  packs: readonly CreditPack[];
  webhookSecret: string | undefined;
};

/**
 * Parses the whole environment, before anything starts.
 * @throws {ConfigError} naming each bad variable, never its value.
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
    model: {
      id: config.modelId,
      costMicros: imageModel(config.modelId, config.modelCostMicros[config.modelId]).costMicros['1K'],
    },
    cloudinary: config.cloudinaryUrl ? 'Cloudinary' : 'fake',
    stripe: getStripeSource(config.stripe),
    packs: env.CREDIT_PACKS === undefined ? localPacks : config.creditPacks,
    webhookSecret: config.stripe.webhookSecrets[0],
  };
}

function getStripeSource({ secretKey, baseUrl }: ReturnType<typeof parseConfig>['stripe']) {
  if (secretKey) return baseUrl ? 'own server' : 'Stripe';
  if (baseUrl) throw new ConfigError('Bad environment: STRIPE_API_BASE_URL requires STRIPE_SECRET_KEY.');
  return 'fake';
}

function getGeminiSource(gemini: ReturnType<typeof parseConfig>['gemini']): GeminiSource {
  if (gemini.vertexAi) return 'Vertex AI';
  if (gemini.apiKey) return gemini.baseUrl ? 'own server' : 'Google';
  if (gemini.baseUrl)
    throw new ConfigError('Bad environment: GOOGLE_GEMINI_BASE_URL requires GEMINI_API_KEY.');
  return 'fake';
}

/** Removes the variables of Cloud Run, and adds a project if there is none. */
function toLocalEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const { K_SERVICE, K_REVISION, FUNCTION_TARGET, NODE_ENV, ...local } = env;
  return { ...local, GOOGLE_CLOUD_PROJECT: env.GOOGLE_CLOUD_PROJECT || demoProject };
}

/** The addresses of all servers of a local run. Hosts are `host:port`. */
export type Endpoints = {
  port: number;
  firestoreHost: string;
  authHost: string;
  /** The fake; undefined if the environment names a service. */
  gemini: { url: string; apiKey: string } | undefined;
  cloudinary: { url: string; cloudinaryUrl: string } | undefined;
  stripe: LocalStripe | undefined;
};

/**
 * The address of a port of this machine for a browser. GitHub gives each port of a codespace a host:
 * https://docs.github.com/codespaces/developing-in-a-codespace/forwarding-ports-in-your-codespace
 */
export function getBrowserUrl(env: NodeJS.ProcessEnv, port: number): string {
  const { CODESPACE_NAME: name, GITHUB_CODESPACES_PORT_FORWARDING_DOMAIN: domain } = env;
  return name && domain ? `https://${name}-${port}.${domain}` : `http://${loopback}:${port}`;
}

/** The environment of the functions' process. @param folder where the run keeps its data. */
export function createFunctionsEnvironment(
  env: NodeJS.ProcessEnv,
  endpoints: Endpoints,
  folder: string,
): NodeJS.ProcessEnv {
  const { gemini, cloudinary, stripe } = endpoints;
  return {
    ERASURE_LOG_BUCKET: pathToFileURL(join(folder, 'erasures')).href,
    ...toLocalEnvironment(env),
    PORT: String(endpoints.port),
    FIRESTORE_EMULATOR_HOST: endpoints.firestoreHost,
    FIREBASE_AUTH_EMULATOR_HOST: endpoints.authHost,
    // Without this, Google's libraries look for a metadata server and wait for it.
    METADATA_SERVER_DETECTION: 'none',
    ...(gemini && { GEMINI_API_KEY: gemini.apiKey, GOOGLE_GEMINI_BASE_URL: gemini.url }),
    ...(cloudinary && { CLOUDINARY_URL: cloudinary.cloudinaryUrl }),
    ...stripe?.variables,
    // The address that the banner prints: a browser keeps a sign-in for each host name.
    PUBLIC_URL: env.PUBLIC_URL || getBrowserUrl(env, endpoints.port),
  };
}
