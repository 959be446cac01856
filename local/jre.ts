/** A Java runtime for the Firestore emulator: Eclipse Temurin, downloaded once into the user's cache. */
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, statfsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import { downloadFile, fetchJson, makeComplete, type Terminal } from './download.ts';
import { getOutput } from './processes.ts';

/** The version that is downloaded: the oldest that runs every Firestore emulator. */
export const temurinVersion = 21;

/** The names that Adoptium uses for the systems on which the local run works. */
const systems: Partial<Record<NodeJS.Platform, string>> = { linux: 'linux', darwin: 'mac' };
const architectures: Partial<Record<NodeJS.Architecture, string>> = { x64: 'x64', arm64: 'aarch64' };

/** Space for the archive and its content together, per byte of the archive: an estimate, for a compression to a third. */
const diskFactor = 4;

/** https://api.adoptium.net/q/swagger-ui/#/Assets/getLatestAssets */
const assetsSchema = z
  .array(
    z.object({
      binary: z.object({
        package: z.object({
          link: z.url({ protocol: /^https?$/ }),
          size: z.int().positive(),
          checksum: z.string().regex(/^[0-9a-f]{64}$/),
        }),
      }),
    }),
  )
  .min(1);

/** The version of Java that the program prints; undefined if it prints none, such as the stub of macOS. */
export async function getJavaVersion(path: string): Promise<number | undefined> {
  const [, first, second] = /version "(\d+)(?:\.(\d+))?/.exec(await getOutput(path, ['-version'])) ?? [];
  // Java 8 and older print "1.8".
  return first === undefined ? undefined : Number(first === '1' ? second : first);
}

/** The folder of this project in the user's cache. */
export function getCacheDir(env: NodeJS.ProcessEnv, platform = process.platform): string {
  const home = env.HOME || homedir();
  const caches = platform === 'darwin' ? join(home, 'Library/Caches') : join(home, '.cache');
  return join(env.XDG_CACHE_HOME || caches, 'nano-banana-studio');
}

const getFolder = (env: NodeJS.ProcessEnv) =>
  join(getCacheDir(env), `temurin-${temurinVersion}-${process.platform}-${process.arch}`);
const getProgram = (folder: string) =>
  join(folder, process.platform === 'darwin' ? 'Contents/Home/bin/java' : 'bin/java');

/** Where the `java` of an earlier download is, if there was one. */
export const getDownloadedJava = (env: NodeJS.ProcessEnv) => getProgram(getFolder(env));

/** True if Temurin is published for this system and the local run works there. */
export const canDownloadJava = () =>
  systems[process.platform] !== undefined && architectures[process.arch] !== undefined;

/**
 * Downloads Temurin, verifies it, unpacks it and starts it once.
 * @returns the path of its `java`
 * @throws {Error} with a message for the user, if any of these fails; then nothing of it is left
 */
export async function downloadJava(env: NodeJS.ProcessEnv, terminal: Terminal): Promise<string> {
  const folder = getFolder(env);
  const { link, size, checksum } = await findArchive(env);
  // An earlier download that runs stays, for example one that another run has just finished.
  if (existsSync(folder) && (await getJavaVersion(getProgram(folder))) === undefined)
    rmSync(folder, { recursive: true, force: true });
  await makeComplete(folder, async (partial) => {
    mkdirSync(partial);
    refuseFullDisk(partial, size * diskFactor);
    const archive = join(partial, 'archive.tar.gz');
    const download = { name: `Java ${temurinVersion}`, url: link, size, sha256: checksum };
    await downloadFile(download, archive, terminal);
    await unpack(archive, partial);
    rmSync(archive);
    if ((await getJavaVersion(getProgram(partial))) === undefined)
      throw new Error('it does not run on this machine');
  });
  return getProgram(folder);
}

async function findArchive(env: NodeJS.ProcessEnv) {
  const query = new URLSearchParams({
    os: systems[process.platform] ?? '',
    architecture: architectures[process.arch] ?? '',
    image_type: 'jre',
    vendor: 'eclipse',
  });
  const base = env.ADOPTIUM_API_URL || 'https://api.adoptium.net';
  const url = `${base}/v3/assets/latest/${temurinVersion}/hotspot?${query}`;
  const assets = assetsSchema.safeParse(await fetchJson(url));
  if (!assets.success) throw new Error(`${new URL(url).host} did not say where it is`);
  // biome-ignore lint/style/noNonNullAssertion: the schema allows no empty list.
  return assets.data[0]!.binary.package;
}

function refuseFullDisk(folder: string, bytes: number): void {
  const { bavail, bsize } = statfsSync(folder);
  if (bavail * bsize < bytes)
    throw new Error(`the disk is full: ${Math.ceil(bytes / 1e6)} MB are needed in ${folder}`);
}

/** The archive has one folder, named after the release, with everything in it. */
async function unpack(archive: string, folder: string): Promise<void> {
  await promisify(execFile)('tar', ['-xzf', archive, '-C', folder, '--strip-components=1']).catch(
    (error: NodeJS.ErrnoException & { stderr?: string }) => {
      if (error.code === 'ENOENT') throw new Error('the command tar is missing');
      throw new Error(`tar cannot unpack it (${(error.stderr ?? '').trim().split('\n')[0]})`);
    },
  );
}
