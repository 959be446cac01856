/** A real Chromium: the one that comes with the packages on Linux, an installed one elsewhere. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import bundled from '@sparticuz/chromium';
import { type Browser, chromium } from 'playwright-core';

const installHint = `There is no browser for the tests. Packages bring one for Linux on x64; on any other system
install Google Chrome, Microsoft Edge or Chromium, or set CHROME_PATH to the program of one.`;

const launchMsMax = 30_000;
const fontsFile = 'fonts-of-the-tests.conf';

/**
 * Launches a headless Chromium.
 * @throws telling what to install where there is none: a test that needs one must not pass without it.
 */
export async function launchBrowser(): Promise<Browser> {
  const { CHROME_PATH } = process.env;
  if (CHROME_PATH) return launch({ executablePath: CHROME_PATH });
  if (process.platform === 'linux' && process.arch === 'x64') {
    const folder = await unpackChromium();
    const env = { ...process.env, FONTCONFIG_FILE: join(folder, fontsFile) };
    return launch({ executablePath: join(folder, 'chromium'), env });
  }
  const reasons: string[] = [];
  for (const channel of ['chrome', 'msedge', 'chromium']) {
    try {
      return await launch({ channel });
    } catch (error) {
      reasons.push(`${channel}: ${error instanceof Error ? error.message.split('\n', 1)[0] : error}`);
    }
  }
  throw new Error([installHint, ...reasons].join('\n'));
}

// The package's own arguments are for another place: among them are ones that switch off web security, which
// would hide what a real browser refuses, and a single process, which ends with its first window.
const launch = (options: { executablePath?: string; channel?: string; env?: NodeJS.ProcessEnv }) =>
  chromium.launch({ ...options, headless: true, timeout: launchMsMax } as Parameters<
    typeof chromium.launch
  >[0]);

/**
 * The folder with the unpacked browser. It is kept beside the packages, and appears whole or not at all:
 * several test files may want it at the same moment.
 */
async function unpackChromium(): Promise<string> {
  const packageFolder = join(dirname(createRequire(import.meta.url).resolve('@sparticuz/chromium')), '..');
  const { version } = JSON.parse(readFileSync(join(packageFolder, 'package.json'), 'utf8'));
  const cache = join(packageFolder, '../../.cache/nano-banana-studio');
  const folder = join(cache, `chromium-${version}`);
  if (existsSync(folder)) return folder;
  mkdirSync(cache, { recursive: true });
  const fresh = mkdtempSync(join(cache, 'unpacking-'));
  await unpackInto(fresh);
  writeFileSync(join(fresh, fontsFile), createFontsConfig(folder));
  try {
    renameSync(fresh, folder);
  } catch (error) {
    rmSync(fresh, { recursive: true, force: true });
    // Somebody else was quicker.
    if (!existsSync(folder)) throw error;
  }
  return folder;
}

/** The package unpacks into the system's temporary folder, whose name it reads before its first wait. */
async function unpackInto(folder: string): Promise<void> {
  const { TMPDIR } = process.env;
  process.env.TMPDIR = folder;
  const unpacking = bundled.executablePath();
  if (TMPDIR === undefined) delete process.env.TMPDIR;
  else process.env.TMPDIR = TMPDIR;
  await unpacking;
}

/**
 * Which fonts there are: the packages' own, so that a line breaks at the same word on every machine, and one
 * without any fonts shows texts at all.
 */
const createFontsConfig = (folder: string) => `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir>${join(folder, 'fonts')}</dir>
  <dir>${dirname(createRequire(import.meta.url).resolve('dejavu-fonts-ttf/ttf/DejaVuSans.ttf'))}</dir>
  <cachedir>${join(folder, 'fonts-cache')}</cachedir>
  <alias><family>sans-serif</family><prefer><family>Open Sans</family></prefer></alias>
  <alias><family>system-ui</family><prefer><family>Open Sans</family></prefer></alias>
  <alias><family>serif</family><prefer><family>DejaVu Serif</family></prefer></alias>
  <alias><family>monospace</family><prefer><family>DejaVu Sans Mono</family></prefer></alias>
</fontconfig>
`;
