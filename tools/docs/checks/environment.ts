/** Every variable of the schema is documented; whether the tables are current is known from making them. */
import { environmentPath } from '../environmentTable.ts';
import { regionOf } from '../regions.ts';
import type { Tree } from '../tree.ts';

export function environmentFaults(tree: Tree): string[] {
  const document = tree.documents.get(environmentPath);
  return document && regionOf(document, 'environment')
    ? []
    : [`${environmentPath}: the variables' tables are missing`];
}
