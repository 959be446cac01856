/** What images cost, and how many a balance pays for. */
import type { StudioInfo } from '../../shared/contract.ts';
import { shapes } from './en/shapes.ts';
import { firstText } from './first.ts';
import { anyOf, countOf } from './format.ts';

type Prices = StudioInfo['tiers'];

/** The images that a balance pays for: `84 Square, 42 Photo, or 21 Wide images`. Empty if it pays for none. */
export function enoughForText(balance: number, tiers: Prices): string {
  const counts = tiers
    .map(({ id, credits }) => ({ count: Math.floor(balance / credits), name: shapes[id].name }))
    .filter(({ count }) => count > 0);
  const last = counts.length - 1;
  return anyOf(
    counts.map(({ count, name }, i) =>
      i === last ? countOf(count, `${name} image`) : countOf(count, name, name),
    ),
  );
}

/** The prices of the shapes: `Square 1 credit, Photo 2 credits, Wide 4 credits`. */
export const pricesText = (tiers: Prices): string =>
  tiers
    .map(({ id, credits }) =>
      firstText.signIn.points.price(shapes[id].name, firstText.common.credits(credits)),
    )
    .join(', ');
