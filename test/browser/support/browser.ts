/** A real Chromium: from the npm packages on Linux x64, an installed browser elsewhere. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import bundled from '@sparticuz/chromium';
import { type Browser, chromium } from 'playwright-core';

const installHint = `No browser found for the tests. The npm packages include one for Linux x64 only. On any other system
install Google Chrome, Microsoft Edge or Chromium, or set CHROME_PATH to the executable.`;

const launchMsMax = 30_000;
const fontsFile = 'fonts-of-the-tests.conf';

/**
 * Launches a headless Chromium.
 * @throws if there is no browser, with what to install: a browser test must not pass without one
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

// Without the package's own arguments, which are for serverless functions: they disable web security, which would
// hide what a real browser refuses, and use a single process, which exits with its first window.
const launch = (options: { executablePath?: string; channel?: string; env?: NodeJS.ProcessEnv }) =>
  chromium.launch({ ...options, headless: true, timeout: launchMsMax } as Parameters<
    typeof chromium.launch
  >[0]);

/**
 * Returns the folder of the unpacked browser, in node_modules/.cache. The folder is created atomically, because
 * several test files may need it at the same time.
 */
async function unpackChromium(): Promise<string> {
  const packageFolder = join(dirname(createRequire(import.meta.url).resolve('@sparticuz/chromium')), '..');
  const { version } = JSON.parse(readFileSync(join(packageFolder, 'package.json'), 'utf8'));
  const cache = join(packageFolder, '../../.cache/nano-banana-studio');
  const folder = join(cache, `chromium-${version}`);
  if (existsSync(folder)) return folder;
  mkdirSync(cache, { recursive: true });
  const temporary = mkdtempSync(join(cache, 'unpacking-'));
  await unpackInto(temporary);
  writeFileSync(join(temporary, fontsFile), createFontsConfig(folder));
  try {
    renameSync(temporary, folder);
  } catch (error) {
    rmSync(temporary, { recursive: true, force: true });
    // Fine if another process was faster.
    if (!existsSync(folder)) throw error;
  }
  return folder;
}

/** The package unpacks into TMPDIR, which it reads synchronously; so TMPDIR can be restored before awaiting it. */
async function unpackInto(folder: string): Promise<void> {
  const { TMPDIR } = process.env;
  process.env.TMPDIR = folder;
  const unpacking = bundled.executablePath();
  if (TMPDIR === undefined) delete process.env.TMPDIR;
  else process.env.TMPDIR = TMPDIR;
  await unpacking;
}

/**
 * Uses only fonts from the npm packages, so that lines break at the same word on every machine, even on one
 * without any fonts.
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
