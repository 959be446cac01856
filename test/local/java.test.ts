/** Finding the Firestore emulator and Java, and the messages if one is missing. */
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Downloads, findFirestoreProgram, parseRequiredJava } from '../../local/java.ts';
import { getDownloadedJava } from '../../local/jre.ts';
import { StartRefused } from '../../local/refusal.ts';

let machine: string;
beforeEach(() => {
  machine = mkdtempSync(join(tmpdir(), 'nano-banana-java-test-'));
});
afterEach(() => rmSync(machine, { recursive: true }));

function put(path: string, content: string): string {
  const file = join(machine, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, content);
  chmodSync(file, 0o755);
  return file;
}

const installJava = (version: string, path = 'bin/java') =>
  put(path, `#!/bin/sh\necho 'openjdk version "${version}" 2025-04-15' >&2\n`);
const sdkJar = 'sdk/platform/cloud-firestore-emulator/cloud-firestore-emulator.jar';
const cachedJar = (version: string) => `.cache/firebase/emulators/cloud-firestore-emulator-v${version}.jar`;

function installGcloud(): void {
  const gcloud = put('sdk/bin/gcloud', '#!/bin/sh\n');
  mkdirSync(join(machine, 'bin'), { recursive: true });
  symlinkSync(gcloud, join(machine, 'bin/gcloud'));
}

const fail = () => Promise.reject(new Error('there is no connection'));
const find = (downloads: Partial<Downloads> = {}, env: Record<string, string> = {}) =>
  findFirestoreProgram(
    { PATH: join(machine, 'bin'), HOME: machine, ...env },
    { java: fail, jar: fail, ...downloads },
  );

describe('finds the Firestore emulator', () => {
  it('in the Google Cloud SDK of the gcloud on PATH', async () => {
    const java = installJava('17.0.15');
    installGcloud();
    const jar = put(sdkJar, '');
    expect(await find()).toEqual({ java, jar });
  });

  it('in the root that gcloud prints, if the gcloud on PATH is a wrapper', async () => {
    installJava('17.0.15');
    put('bin/gcloud', `#!/bin/sh\necho '${join(machine, 'sdk')}'\n`);
    const jar = put(sdkJar, '');
    expect(await find()).toMatchObject({ jar });
  });

  it("in the Firebase CLI's cache, the newest version", async () => {
    installJava('21.0.2');
    put(cachedJar('1.9.9'), '');
    const jar = put(cachedJar('1.22.0'), '');
    expect(await find()).toMatchObject({ jar });
  });

  it('in the SDK, if Java is too old for the jar in the cache', async () => {
    installJava('17.0.15');
    installGcloud();
    put(cachedJar('1.22.0'), '');
    const jar = put(sdkJar, '');
    expect(await find()).toMatchObject({ jar });
  });

  it('with Java from JAVA_HOME rather than from PATH', async () => {
    installJava('21.0.1');
    const java = installJava('21.0.2', 'jdk/bin/java');
    put(cachedJar('1.22.0'), '');
    expect(await find({}, { JAVA_HOME: join(machine, 'jdk') })).toMatchObject({ java });
  });

  it('with a Java that is new enough, after one that is not', async () => {
    installJava('11.0.1', 'jdk/bin/java');
    const java = installJava('21.0.2');
    put(cachedJar('1.22.0'), '');
    expect(await find({}, { JAVA_HOME: join(machine, 'jdk') })).toMatchObject({ java });
  });

  it('with the Java of an earlier download', async () => {
    const java = installJava('21.0.2', relative(machine, getDownloadedJava({ HOME: machine })));
    put(cachedJar('1.22.0'), '');
    expect(await find()).toMatchObject({ java });
  });
});

describe('downloads once, and says so', () => {
  const download = (path: string) => vi.fn(async () => join(machine, path));

  it('the jar, if neither the SDK nor the cache has it', async () => {
    installJava('21.0.2');
    const jar = download(cachedJar('1.22.0'));
    expect(await find({ jar })).toMatchObject({ jar: join(machine, cachedJar('1.22.0')) });
    expect(jar).toHaveBeenCalledOnce();
  });

  it.each(['none', 'a stub', '1.8.0_392', '17.0.15'])('Java, if the machine has %s', async (version) => {
    if (version === 'a stub')
      put('bin/java', '#!/bin/sh\necho Unable to locate a Java Runtime >&2\nexit 1\n');
    else if (version !== 'none') installJava(version);
    put(cachedJar('1.22.0'), '');
    const java = download('temurin/bin/java');
    expect(await find({ java })).toMatchObject({ java: join(machine, 'temurin/bin/java') });
    expect(java).toHaveBeenCalledOnce();
  });

  it('both', async () => {
    const [java, jar] = [download('java'), download('jar')];
    expect(await find({ java, jar })).toEqual({ java: join(machine, 'java'), jar: join(machine, 'jar') });
  });
});

describe('refuses to start, with the commands to run', () => {
  const install = process.platform === 'darwin' ? 'brew install' : 'apt-get install';

  it('if Java cannot be downloaded', async () => {
    const refusal = await find().catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(StartRefused);
    expect((refusal as Error).message).toContain('Java could not be downloaded: there is no connection.');
    expect((refusal as Error).message).toContain(install);
  });

  it('if the jar cannot be downloaded', async () => {
    installJava('21.0.2');
    await expect(find()).rejects.toThrow('npx firebase setup:emulators:firestore');
    await expect(find()).rejects.toThrow('gcloud components install cloud-firestore-emulator');
  });

  it('if NO_DOWNLOADS is set and Java is missing or too old', async () => {
    const java = vi.fn(fail);
    const refuse = () => find({ java }, { NO_DOWNLOADS: '1' });
    await expect(refuse()).rejects.toThrow(/no Java on PATH or in JAVA_HOME\. NO_DOWNLOADS is set/);
    await expect(refuse()).rejects.toThrow(install);
    installJava('17.0.15');
    const jar = put(cachedJar('1.22.0'), '');
    await expect(refuse()).rejects.toThrow(/Java 17 .* too old .* needs Java 21/);
    await expect(refuse()).rejects.toThrow(jar);
    expect(java).not.toHaveBeenCalled();
  });

  it('if NO_DOWNLOADS is set and the jar is missing', async () => {
    installJava('21.0.2');
    const jar = vi.fn(fail);
    await expect(find({ jar }, { NO_DOWNLOADS: '1' })).rejects.toThrow('setup:emulators:firestore');
    expect(jar).not.toHaveBeenCalled();
  });

  it('on Windows, which runs this project in WSL', async () => {
    vi.spyOn(process, 'platform', 'get').mockReturnValue('win32');
    await expect(find()).rejects.toThrow('WSL');
    vi.restoreAllMocks();
  });
});

it("reads the required Java version from the emulator's error", () => {
  const log = `Exception in thread "main" java.lang.UnsupportedClassVersionError: com/google/X has been
    compiled by a more recent version of the Java Runtime (class file version 65.0), this version …`;
  expect(parseRequiredJava(log)).toBe(21);
  expect(parseRequiredJava('Dev App Server is now running.')).toBeUndefined();
});
