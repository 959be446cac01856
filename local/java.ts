/** Finds a Firestore emulator (Google's jar) and a Java that can run it, or says how to install them. */
import { existsSync, readdirSync, realpathSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { say } from '../tools/say.ts';
import { forbidsDownloads } from './download.ts';
import { downloadJar, getEmulatorsDir } from './firebaseCache.ts';
import {
  canDownloadJava,
  downloadJava,
  getCacheDir,
  getDownloadedJava,
  getJavaVersion,
  temurinVersion,
} from './jre.ts';
import { getOutput } from './processes.ts';
import { StartRefused } from './refusal.ts';

export type FirestoreProgram = { java: string; jar: string };

type Jar = { path: string; javaMin: number };
type Java = { path: string; version: number };

// The Google Cloud SDK's jar is compiled for Java 11. The Firebase CLI supports its own jar from Java 21 on.
const sdkJavaMin = 11;
const firebaseJavaMin = 21;

const tryAgain =
  'Start again to try again; behind a proxy, set NODE_USE_ENV_PROXY=1 and HTTPS_PROXY first. Or install it:';

/** What fills the caches if nothing on this machine fits. */
export type Downloads = {
  java: (env: NodeJS.ProcessEnv) => Promise<string>;
  jar: (env: NodeJS.ProcessEnv) => Promise<string>;
};

const realDownloads: Downloads = {
  java: (env) => downloadJava(env, process.stdout),
  jar: (env) => downloadJar(env, process.stdout),
};

/**
 * Looks for Java in JAVA_HOME, on PATH and in this project's cache, and for the emulator in the Google Cloud SDK and in
 * the Firebase CLI's cache. Downloads what is missing, unless NO_DOWNLOADS is set.
 * @throws {StartRefused} with the commands that install what is missing.
 */
export async function findFirestoreProgram(
  env: NodeJS.ProcessEnv,
  downloads: Downloads = realDownloads,
): Promise<FirestoreProgram> {
  const [javas, jars] = await Promise.all([findJavas(env), findJars(env)]);
  const javaMin = jars.length > 0 ? Math.min(...jars.map((jar) => jar.javaMin)) : firebaseJavaMin;
  const fitting = javas.find(({ version }) => version >= javaMin);
  const java =
    fitting ?? (await fetchJava(env, downloads, javaMin, describeJavaNeed(javas[0], javaMin, jars[0])));
  const jar = jars.find((each) => each.javaMin <= java.version)?.path ?? (await fetchJar(env, downloads));
  return { java: java.path, jar };
}

/** @param need says which Java is needed, and what is there. */
async function fetchJava(
  env: NodeJS.ProcessEnv,
  downloads: Downloads,
  javaMin: number,
  need: string,
): Promise<Java> {
  const commands = getJavaCommands(javaMin);
  if (process.platform === 'win32')
    throw new StartRefused(
      `${need}\nOn Windows, run this project in WSL (wsl --install), with Node for Linux.`,
    );
  if (forbidsDownloads(env))
    throw new StartRefused(`${need} NO_DOWNLOADS is set, so install it:\n${commands}`);
  if (!canDownloadJava()) throw new StartRefused(`${need}\n${commands}`);
  say(`${need}\nDownloading Eclipse Temurin ${temurinVersion} once, into ${getCacheDir(env)} …`);
  try {
    return { path: await downloads.java(env), version: temurinVersion };
  } catch (error) {
    throw new StartRefused(
      `Java could not be downloaded: ${(error as Error).message}.\n${tryAgain}\n${commands}`,
    );
  }
}

async function fetchJar(env: NodeJS.ProcessEnv, downloads: Downloads): Promise<string> {
  const missing = 'The Firestore emulator is not installed';
  if (forbidsDownloads(env))
    throw new StartRefused(`${missing}. NO_DOWNLOADS is set, so install it:\n${jarCommands}`);
  say(`${missing}. Downloading it once, into ${getEmulatorsDir(env)} …`);
  try {
    return await downloads.jar(env);
  } catch (error) {
    throw new StartRefused(
      `${missing}, and could not be downloaded: ${(error as Error).message}.\n${tryAgain}\n${jarCommands}`,
    );
  }
}

/** Java from JAVA_HOME, then from PATH, then an earlier download: those that print a version. */
async function findJavas(env: NodeJS.ProcessEnv): Promise<Java[]> {
  const homes = env.JAVA_HOME ? [join(env.JAVA_HOME, 'bin')] : [];
  const paths = [...findPrograms('java', [...homes, ...getPathFolders(env)]), getDownloadedJava(env)];
  const versions = await Promise.all(paths.map(getJavaVersion));
  return paths.flatMap((path, index) => {
    const version = versions[index];
    return version === undefined ? [] : [{ path, version }];
  });
}

async function findJars(env: NodeJS.ProcessEnv): Promise<Jar[]> {
  return [...(await findSdkJars(env)), ...findCachedJars(env)];
}

/** Finds the jar in the Google Cloud SDK of the `gcloud` on PATH. */
async function findSdkJars(env: NodeJS.ProcessEnv): Promise<Jar[]> {
  const [gcloud] = findPrograms('gcloud', getPathFolders(env));
  if (!gcloud) return [];
  const inRoot = (root: string) =>
    join(root, 'platform/cloud-firestore-emulator/cloud-firestore-emulator.jar');
  const beside = inRoot(dirname(dirname(realpathSync(gcloud))));
  if (existsSync(beside)) return [{ path: beside, javaMin: sdkJavaMin }];
  // Some packages put a wrapper script on PATH. Then only gcloud knows the root; asking it takes a second.
  const sdkRootJar = inRoot(
    (await getOutput(gcloud, ['info', '--format=value(installation.sdk_root)'])).trim(),
  );
  return existsSync(sdkRootJar) ? [{ path: sdkRootJar, javaMin: sdkJavaMin }] : [];
}

/** Finds the jars in the Firebase CLI's cache, newest first. */
function findCachedJars(env: NodeJS.ProcessEnv): Jar[] {
  const folder = getEmulatorsDir(env);
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => /^cloud-firestore-emulator-v.*\.jar$/.test(name))
    .sort((a, b) => b.localeCompare(a, 'en', { numeric: true }))
    .map((name) => ({ path: join(folder, name), javaMin: firebaseJavaMin }));
}

const getPathFolders = (env: NodeJS.ProcessEnv) => (env.PATH ?? '').split(delimiter).filter(Boolean);

const findPrograms = (name: string, folders: string[]) =>
  folders.map((folder) => join(folder, name)).filter((path) => existsSync(path));

function describeJavaNeed(java: Java | undefined, javaMin: number, jar: Jar | undefined): string {
  if (!java) return `The Firestore emulator needs Java ${javaMin}. There is no Java on PATH or in JAVA_HOME.`;
  const what = jar ? `the Firestore emulator in ${jar.path}` : "the Firebase CLI's Firestore emulator";
  return `Java ${java.version} (${java.path}) is too old for ${what}: it needs Java ${javaMin}.`;
}

function getJavaCommands(javaMin: number): string {
  if (process.platform === 'darwin') return '  brew install --cask temurin@21\nThen start again.';
  if (javaMin <= sdkJavaMin)
    return '  sudo apt-get update && sudo apt-get install -y default-jre-headless\nThen start again.';
  return `  sudo apt-get update && sudo apt-get install -y openjdk-21-jre-headless
If there is no such package (Debian 12), use the Google Cloud SDK's emulator, which runs on Java 17:
  sudo apt-get update && sudo apt-get install -y default-jre-headless
  ${sdkCommands}
Then start again.`;
}

const sdkCommands = `gcloud components install cloud-firestore-emulator
or, if gcloud was installed with apt:
  sudo apt-get install -y google-cloud-cli-firestore-emulator`;

const jarCommands = `  npx firebase setup:emulators:firestore
or, with the Google Cloud SDK:
  ${sdkCommands}
Then start again.`;

/** The Java version that the emulator needs, if its log says that its Java is too old. */
export function parseRequiredJava(log: string): number | undefined {
  // A class file's version is the Java version plus 44.
  const version = /UnsupportedClassVersionError.*class file version (\d+)/s.exec(log)?.[1];
  return version === undefined ? undefined : Number(version) - 44;
}

/** The message for a Java that turned out to be too old. */
export function describeOldJava({ java, jar }: FirestoreProgram, javaMin: number): string {
  return `${java} is too old for the Firestore emulator in ${jar}: it needs Java ${javaMin}.
${getJavaCommands(javaMin)}`;
}
