/**
 * Checks the packages in the lockfile, as part of `npm run check`: each has a licence that we may use and a hash, and
 * each comes from the npm registry.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export type LockedPackage = {
  version?: string;
  license?: string;
  integrity?: string;
  resolved?: string;
  deprecated?: string;
  link?: boolean;
  dev?: boolean;
};
export type Packages = Record<string, LockedPackage>;

/** Licences that require only attribution. Deployed packages have no other licence. */
const deployLicences = [
  '0BSD',
  'Apache-2.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'BlueOak-1.0.0',
  'CC0-1.0',
  'ISC',
  'MIT',
];
/** Licences for development packages, which we neither change nor distribute. */
const developmentLicences = [...deployLicences, 'CC-BY-3.0', 'MPL-2.0', 'Python-2.0'];

/** Packages with an unclear `license` field, whose licence a person has read; and a font. */
const reviewedLicences: Record<string, string> = {
  '@fontsource-variable/figtree': 'OFL-1.1: the page may ship the font, unchanged and with its licence',
  'deep-freeze': 'public domain',
  'dejavu-fonts-ttf': 'Bitstream Vera, free to use and embed',
  format: 'MIT, in its Readme',
  fuzzy: 'MIT, in LICENSE-MIT',
  limiter: 'MIT, in LICENSE.txt',
  'spdx-exceptions': 'CC-BY-3.0, a list of names; not in the bundle',
  'url-template': 'BSD-3-Clause, in LICENSE',
  'valid-url': 'MIT, in LICENSE',
};

/** Finds the problems of these packages: one sentence for each; empty if there are none. */
export function findFaults(packages: Packages): string[] {
  const packageEntries = Object.entries(packages).filter(([path]) => path !== '');
  return packageEntries.flatMap(([path, lockedPackage]) => {
    const name = path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
    const { license, integrity, resolved, deprecated, link, dev } = lockedPackage;
    const licences = dev ? developmentLicences : deployLicences;
    const faults = [
      !isAllowed(license, licences) &&
        !(name in reviewedLicences) &&
        (license ? `has the licence ${license}` : 'has an unknown licence'),
      !integrity && 'has no hash',
      integrity && !/^sha512-[\w+/]{86}==$/.test(integrity) && 'has a weak hash',
      resolved &&
        !resolved.startsWith('https://registry.npmjs.org/') &&
        'does not come from the npm registry',
      link && 'is a link',
      deprecated && `is deprecated: ${deprecated}`,
    ];
    return faults
      .filter((fault) => typeof fault === 'string' && fault !== '')
      .map((fault) => `${path} ${fault}`);
  });
}

/** True if the SPDX expression allows us these licences: one of those joined by OR, all of those joined by AND. */
function isAllowed(license: string | undefined, licences: readonly string[]): boolean {
  if (!license) return false;
  const options = license.replaceAll(/[()]/g, '').split(' OR ');
  return options.some((option) => option.split(' AND ').every((one) => licences.includes(one)));
}

if (import.meta.main) {
  const lockfile = join(import.meta.dirname, '../package-lock.json');
  const { packages } = JSON.parse(readFileSync(lockfile, 'utf8')) as { packages: Packages };
  const faults = findFaults(packages);
  const count = Object.keys(packages).length - 1;
  process.stdout.write(
    faults.length > 0 ? `${faults.join('\n')}\n` : `${count} packages: licences and hashes are fine\n`,
  );
  if (faults.length > 0) process.exitCode = 1;
}
