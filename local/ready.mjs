/**
 * Checks that this machine can run the project, before anything that needs the packages or Node 24 is loaded. Plain
 * JavaScript without imports of packages, so that every version of Node can run it and say what to do.
 */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const nodeMin = 24;

/** The message for the user; undefined if nothing is missing. */
function findProblem() {
  if (process.platform === 'win32')
    return 'On Windows, this project runs in WSL. Install it (wsl --install), and clone the project there.';
  // On Linux, the packages bring Node along, and npm's scripts use it.
  const hasPackagedNode = process.platform === 'linux' && ['x64', 'arm64'].includes(process.arch);
  if (!existsSync(join(root, 'node_modules'))) {
    const node = hasPackagedNode ? '' : describeOldNode();
    return `The packages are not installed.${node && ` ${node}`}\n${node && '  nvm install 24\n'}  npm ci`;
  }
  const old = describeOldNode();
  if (old) return `${old}\n${hasPackagedNode ? '' : '  nvm install 24\n'}  npm ci`;
  if (hasOtherPackages()) return 'The installed packages are not those of package-lock.json.\n  npm ci';
  return undefined;
}

function describeOldNode() {
  return Number(process.versions.node.split('.')[0]) < nodeMin
    ? `This project needs Node ${nodeMin} or newer. This is Node ${process.versions.node}.`
    : '';
}

/** True if npm has installed another version of a package, or not all that are required. */
function hasOtherPackages() {
  const installed = readPackages('node_modules/.package-lock.json');
  const wanted = readPackages('package-lock.json');
  // npm did not install them, so there is nothing to compare.
  if (!installed || !wanted) return false;
  return Object.keys(wanted).some((path) => {
    if (path === '') return false;
    const found = installed[path];
    return found ? found.version !== wanted[path].version : !wanted[path].optional;
  });
}

function readPackages(path) {
  try {
    return JSON.parse(readFileSync(join(root, path), 'utf8')).packages;
  } catch {
    return undefined;
  }
}

const problem = findProblem();
if (problem) {
  process.stderr.write(`${problem}\n`);
  process.exit(1);
}
