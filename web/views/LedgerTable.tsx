import { useEffect, useRef, useState } from 'preact/hooks';
import type { Entry } from '../../shared/contract.ts';
import { Icon, type IconName } from '../components/Icon.tsx';
import { Tile } from '../components/Tile.tsx';
import type { LedgerLine } from '../state/ledgerLines.ts';
import { usePageState } from '../state/pageState.ts';
import { imageHref } from '../state/route.ts';
import { credits as creditsText } from '../strings/en/credits.ts';
import { number, signed, timeText, wholeTimeText } from '../strings/format.ts';
import { entryExplanation, entryText, imageOutcomes } from '../strings/ledger.ts';
import { useLedger } from './useLedger.ts';

/** The ledger, newest first: what happened, what it did to the credits, and the balance after it. */
export function LedgerTable({ lines }: { lines: readonly LedgerLine[] }) {
  return (
    <div class="table">
      <table>
        <thead>
          <tr>
            <th scope="col">{creditsText.what}</th>
            <th scope="col" class="number">
              {creditsText.amount}
            </th>
            <th scope="col" class="number">
              {creditsText.balance}
            </th>
          </tr>
        </thead>
        <tbody>
          {lines.map((line) => (
            <tr key={line.id}>
              <td>
                {line.generationId === undefined ? (
                  <EntryCell entry={line.entries[0] as Entry} />
                ) : (
                  <ImageCell line={line} generationId={line.generationId} />
                )}
              </td>
              <td class={line.amount > 0 ? 'number plus' : 'number'}>
                {signed(line.amount)}
                {line.entries.length > 1 && <Parts entries={line.entries} />}
              </td>
              <td class="number">{number(line.balance)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** What was charged and what was returned, for a line that has both. */
function Parts({ entries }: { entries: readonly Entry[] }) {
  const sum = (sign: 1 | -1) => entries.reduce((total, { amount }) => total + Math.max(0, sign * amount), 0);
  return <small class="quiet">{creditsText.wasCharged(sum(-1), sum(1))}</small>;
}

function Time({ at }: { at: string }) {
  return (
    <time dateTime={at} title={wholeTimeText(at)}>
      {timeText(at)}
    </time>
  );
}

const icons: Partial<Record<Entry['type'], IconName>> = {
  grant: 'spark',
  allowance: 'spark',
  adjustment: 'pen',
  clawback: 'warning',
  reinstatement: 'check',
};

function EntryCell({ entry }: { entry: Entry }) {
  const explanation = entryExplanation(entry);
  return (
    <div class="what">
      <span class={`sign ${entry.type}`}>
        <Icon name={icons[entry.type] ?? 'plus'} />
      </span>
      <div>
        <strong dir="auto">{entryText(entry)}</strong>
        {explanation && <p class="quiet">{explanation}</p>}
        <p class="quiet">
          <Time at={entry.createdAt} />
        </p>
      </div>
    </div>
  );
}

function ImageCell({ line, generationId }: { line: LedgerLine; generationId: string }) {
  const { holder, generation } = useImage(generationId);
  const image = generation?.image;
  const prompt = generation?.prompt;
  const name =
    prompt ?? (generation?.status === 'deleted' ? creditsText.imageDeleted : creditsText.imageMissing);
  return (
    <div class="what" ref={holder}>
      {image ? (
        <span class="sign">
          <Tile image={image} />
        </span>
      ) : (
        <span class="sign">
          <Icon name="image" />
        </span>
      )}
      <div>
        {generation ? (
          <a class="clamp" dir="auto" href={imageHref(generationId)}>
            {name}
          </a>
        ) : (
          <strong>{generation === null ? creditsText.imageMissing : creditsText.imageInProgress}</strong>
        )}
        {imageOutcomes(line.entries).map((outcome) => (
          <p key={outcome} class="quiet">
            {outcome}
          </p>
        ))}
        <p class="quiet">
          <Time at={line.createdAt} />
        </p>
      </div>
    </div>
  );
}

/** The image of a line, asked for once the line is near the window. */
function useImage(id: string) {
  const { gallery } = usePageState();
  const ledger = useLedger();
  const holder = useRef<HTMLDivElement>(null);
  const [isNear, setIsNear] = useState(false);
  const loaded = gallery.find(id);
  useEffect(() => {
    if (isNear || loaded || !holder.current) return;
    const observer = new IntersectionObserver(([entry]) => entry?.isIntersecting && setIsNear(true), {
      rootMargin: '300px',
    });
    observer.observe(holder.current);
    return () => observer.disconnect();
  }, [isNear, loaded]);
  return { holder, generation: loaded ?? (isNear ? ledger.getImage(id).value : undefined) };
}
