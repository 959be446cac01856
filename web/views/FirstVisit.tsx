import { EmptyWallDrawing } from '../components/drawings.tsx';
import { EmptyState } from '../components/EmptyState.tsx';
import { usePageState } from '../state/pageState.ts';
import { text } from '../strings/en.ts';
import { enoughForText, pricesText } from '../strings/prices.ts';

type Example = (typeof text.gallery.examplePrompts)[number];

/** A gallery without images: what the studio makes, what it costs, and prompts to begin with. */
export function FirstVisit() {
  const { draft, account } = usePageState();
  const balance = account.balance.value?.balance;
  const tiers = account.tiers.value;
  const images = balance === undefined ? '' : enoughForText(balance, tiers);
  const begin = ({ prompt, tier }: Example) => {
    draft.prompt.value = prompt;
    draft.tier.value = tier;
    document.getElementById('prompt')?.focus();
  };
  return (
    <EmptyState drawing={<EmptyWallDrawing />} title={text.gallery.emptyTitle}>
      <p>{text.gallery.empty}</p>
      {tiers.length > 0 && <p>{images ? text.gallery.enoughFor(balance ?? 0, images) : pricesText(tiers)}</p>}
      <p class="examples-title">{text.gallery.examples}</p>
      <ul class="examples">
        {text.gallery.examplePrompts.map((example) => (
          <li key={example.prompt}>
            <button type="button" onClick={() => begin(example)}>
              <span class="quiet">{example.kind}</span>
              <span>{example.prompt}</span>
            </button>
          </li>
        ))}
      </ul>
    </EmptyState>
  );
}
