/** Finds a Java and a Firestore emulator (Google's jar) that go together, or says how to get them. */
import { existsSync, readdirSync, realpathSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { getOutput } from './processes.ts';
import { StartRefused } from './refusal.ts';

export type FirestoreProgram = { java: string; jar: string };

type Jar = { path: string; javaMin: number };
type Java = { path: string; version: number };

// The Google Cloud SDK's jar is compiled for Java 11. The Firebase CLI supports its own from 21 on.
const sdkJavaMin = 11;
const firebaseJavaMin = 21;

/**
 * The emulator and the Java to run it with, from the Google Cloud SDK or the Firebase CLI's cache;
 * `fetchJar` is asked to fill that cache where neither has it.
 * @throws {StartRefused} with the commands that bring what is missing.
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

/** JAVA_HOME's, else the first on PATH that says which version it is (macOS has a `java` that is none). */
async function findJava(env: NodeJS.ProcessEnv): Promise<Java | undefined> {
  const homes = env.JAVA_HOME ? [join(env.JAVA_HOME, 'bin')] : [];
  for (const path of findPrograms('java', [...homes, ...getPathFolders(env)])) {
    const versionText = await getOutput(path, ['-version']);
    const [, first, second] = /version "(\d+)(?:\.(\d+))?/.exec(versionText) ?? [];
    // Up to Java 8 the version was "1.8".
    if (first) return { path, version: Number(first === '1' ? second : first) };
  }
  return undefined;
}

async function findJars(env: NodeJS.ProcessEnv): Promise<Jar[]> {
  return [...(await findSdkJars(env)), ...findCachedJars(env)];
}

/** The jar of the Google Cloud SDK that `gcloud` on PATH belongs to. */
async function findSdkJars(env: NodeJS.ProcessEnv): Promise<Jar[]> {
  const [gcloud] = findPrograms('gcloud', getPathFolders(env));
  if (!gcloud) return [];
  const inRoot = (root: string) =>
    join(root, 'platform/cloud-firestore-emulator/cloud-firestore-emulator.jar');
  const beside = inRoot(dirname(dirname(realpathSync(gcloud))));
  if (existsSync(beside)) return [{ path: beside, javaMin: sdkJavaMin }];
  // Some packages put a wrapper on PATH: then only gcloud itself knows, and takes a second to say so.
  const sdkRootJar = inRoot(
    (await getOutput(gcloud, ['info', '--format=value(installation.sdk_root)'])).trim(),
  );
  return existsSync(sdkRootJar) ? [{ path: sdkRootJar, javaMin: sdkJavaMin }] : [];
}

/** What the Firebase CLI keeps, newest first. */
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

const noJava = 'The Firestore emulator needs Java, and there is none on PATH or in JAVA_HOME.';

function describeUnsuitableJava(java: Java, javaMin: number, jar: Jar | undefined): string {
  const what = jar ? `the Firestore emulator at hand (${jar.path})` : "the Firebase CLI's Firestore emulator";
  return `Java ${java.version} (${java.path}) is too old for ${what}: it needs Java ${javaMin}.
${getJavaCommands(javaMin)}`;
}

function getJavaCommands(javaMin: number): string {
  if (process.platform === 'darwin') return '  brew install --cask temurin@21\nThen start again.';
  if (javaMin <= sdkJavaMin)
    return '  sudo apt-get update && sudo apt-get install -y default-jre-headless\nThen start again.';
  return `  sudo apt-get update && sudo apt-get install -y openjdk-21-jre-headless
Where there is no such package (Debian 12), the Google Cloud SDK's emulator does with Java 17:
  sudo apt-get update && sudo apt-get install -y default-jre-headless
  ${sdkCommands}
Then start again.`;
}

const sdkCommands = `gcloud components install cloud-firestore-emulator
or, where gcloud itself came with apt:
  sudo apt-get install -y google-cloud-cli-firestore-emulator`;

const noJar = `The Firestore emulator is not on this machine, and the Firebase CLI could not fetch it. With a network:
  npx firebase setup:emulators:firestore
or, with the Google Cloud SDK:
  ${sdkCommands}
Then start again.`;

/** Whether an emulator ended because its Java is too old after all: the version it needs. */
export function parseRequiredJava(log: string): number | undefined {
  // A class file's version is the Java version plus 44.
  const version = /UnsupportedClassVersionError.*class file version (\d+)/s.exec(log)?.[1];
  return version === undefined ? undefined : Number(version) - 44;
}

/** What to say then. */
export function describeOldJava({ java, jar }: FirestoreProgram, javaMin: number): string {
  return `${java} is too old for the Firestore emulator at hand (${jar}): it needs Java ${javaMin}.
${getJavaCommands(javaMin)}`;
}
