/** Finds a Firestore emulator (Google's jar) and a Java that can run it, or says how to install them. */
import { existsSync, readdirSync, realpathSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { getOutput } from './processes.ts';
import { StartRefused } from './refusal.ts';

export type FirestoreProgram = { java: string; jar: string };

type Jar = { path: string; javaMin: number };
type Java = { path: string; version: number };

// The Google Cloud SDK's jar is compiled for Java 11. The Firebase CLI supports its own jar from Java 21 on.
const sdkJavaMin = 11;
const firebaseJavaMin = 21;

/**
 * Looks in the Google Cloud SDK and in the Firebase CLI's cache. Calls `downloadJar`, which fills that cache, if
 * neither has a jar.
 * @throws {StartRefused} with the commands that install what is missing.
 */
export async function findFirestoreProgram(
  env: NodeJS.ProcessEnv,
  downloadJar: () => Promise<void>,
): Promise<FirestoreProgram> {
  const [java, jars] = await Promise.all([findJava(env), findJars(env)]);
  const javaMin = Math.min(...jars.map((jar) => jar.javaMin), firebaseJavaMin);
  if (!java) throw new StartRefused(`${noJava}\n${getJavaCommands(javaMin)}`);
  if (java.version < javaMin) throw new StartRefused(describeUnsuitableJava(java, javaMin, jars[0]));

  if (jars.length === 0) {
    await downloadJar();
    jars.push(...findCachedJars(env));
  }
  const jar = jars.find((each) => each.javaMin <= java.version);
  if (!jar) throw new StartRefused(noJar);
  return { java: java.path, jar: jar.path };
}

/** Java from JAVA_HOME, or else the first on PATH that prints a version: the `java` of macOS may be only a stub. */
async function findJava(env: NodeJS.ProcessEnv): Promise<Java | undefined> {
  const homes = env.JAVA_HOME ? [join(env.JAVA_HOME, 'bin')] : [];
  for (const path of findPrograms('java', [...homes, ...getPathFolders(env)])) {
    const versionText = await getOutput(path, ['-version']);
    const [, first, second] = /version "(\d+)(?:\.(\d+))?/.exec(versionText) ?? [];
    // Java 8 and older print "1.8".
    if (first) return { path, version: Number(first === '1' ? second : first) };
  }
  return undefined;
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
  const folder = env.FIREBASE_EMULATORS_PATH || join(env.HOME || homedir(), '.cache/firebase/emulators');
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => /^cloud-firestore-emulator-v.*\.jar$/.test(name))
    .sort((a, b) => b.localeCompare(a, 'en', { numeric: true }))
    .map((name) => ({ path: join(folder, name), javaMin: firebaseJavaMin }));
}

const getPathFolders = (env: NodeJS.ProcessEnv) => (env.PATH ?? '').split(delimiter).filter(Boolean);

const findPrograms = (name: string, folders: string[]) =>
  folders.map((folder) => join(folder, name)).filter((path) => existsSync(path));

const noJava = 'The Firestore emulator needs Java. There is no Java on PATH or in JAVA_HOME.';

function describeUnsuitableJava(java: Java, javaMin: number, jar: Jar | undefined): string {
  const what = jar ? `the Firestore emulator in ${jar.path}` : "the Firebase CLI's Firestore emulator";
  return `Java ${java.version} (${java.path}) is too old for ${what}: it needs Java ${javaMin}.
${getJavaCommands(javaMin)}`;
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

const noJar = `The Firestore emulator is not installed, and the Firebase CLI could not download it. With a network:
  npx firebase setup:emulators:firestore
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
