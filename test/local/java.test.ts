/** Finding the Firestore emulator and Java, and the messages if one is missing. */
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { findFirestoreProgram, parseRequiredJava } from '../../local/java.ts';

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

const cannotFetch = async () => {};
const find = (fetchJar = cannotFetch, env: Record<string, string> = {}) =>
  findFirestoreProgram({ PATH: join(machine, 'bin'), HOME: machine, ...env }, fetchJar);

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

  it('after the Firebase CLI has downloaded it, if neither has it', async () => {
    installJava('21.0.2');
    const fetchJar = vi.fn(async () => void put(cachedJar('1.22.0'), ''));
    expect(await find(fetchJar)).toMatchObject({ jar: join(machine, cachedJar('1.22.0')) });
    expect(fetchJar).toHaveBeenCalledOnce();
  });

  it('with Java from JAVA_HOME rather than from PATH', async () => {
    installJava('11.0.1');
    const java = installJava('21.0.2', 'jdk/bin/java');
    put(cachedJar('1.22.0'), '');
    expect(await find(cannotFetch, { JAVA_HOME: join(machine, 'jdk') })).toMatchObject({ java });
  });
});

describe('refuses to start, with the commands to run', () => {
  const install = process.platform === 'darwin' ? 'brew install' : 'apt-get install';

  it('without Java, or with a stub of java', async () => {
    await expect(find()).rejects.toThrow(/needs Java\. There is no Java on PATH/);
    put('bin/java', '#!/bin/sh\necho Unable to locate a Java Runtime >&2\nexit 1\n');
    await expect(find()).rejects.toThrow(install);
  });

  it.each(['1.8.0_392', '17.0.15'])('with Java %s and only the jar that needs Java 21', async (version) => {
    installJava(version);
    const jar = put(cachedJar('1.22.0'), '');
    const refusal = expect(find()).rejects;
    await refusal.toThrow(/too old .* needs Java 21/s);
    await expect(find()).rejects.toThrow(jar);
    await expect(find()).rejects.toThrow(install);
  });

  it('with an old Java and no jar, without downloading anything', async () => {
    installJava('17.0.15');
    const fetchJar = vi.fn(cannotFetch);
    await expect(find(fetchJar)).rejects.toThrow('gcloud components install cloud-firestore-emulator');
    expect(fetchJar).not.toHaveBeenCalled();
  });

  it('without a jar, if the download fails', async () => {
    installJava('21.0.2');
    await expect(find()).rejects.toThrow('npx firebase setup:emulators:firestore');
  });
});

it("reads the required Java version from the emulator's error", () => {
  const log = `Exception in thread "main" java.lang.UnsupportedClassVersionError: com/google/X has been
    compiled by a more recent version of the Java Runtime (class file version 65.0), this version …`;
  expect(parseRequiredJava(log)).toBe(21);
  expect(parseRequiredJava('Dev App Server is now running.')).toBeUndefined();
});
