import { useEffect, useRef } from 'preact/hooks';
import type { AdminAccountAnswer, Generation } from '../../shared/contract.ts';
import { Button } from '../components/Button.tsx';
import { Tile } from '../components/Tile.tsx';
import { deskText } from '../strings/en/desk.ts';
import { timeText, wholeTimeText } from '../strings/format.ts';
import { newestMax } from './limits.ts';
import { findPrice, type Price } from './prices.ts';

const { account: words, overview } = deskText;

type Events = { onRefund: (generation: Generation) => void; onTakeDown: (generation: Generation) => void };
type Props = Events & {
  answer: AdminAccountAnswer;
  /** The generation that was searched for. */
  marked: string | undefined;
};

/** The newest generations of an account, with what each cost and what an admin can do about it. */
export function Generations({ answer: { generations, entries, account }, marked, ...events }: Props) {
  const isMissing = marked !== undefined && !generations.some(({ id }) => id === marked);
  return (
    <section class="card" aria-labelledby="images">
      <h2 id="images">{words.images}</h2>
      {isMissing && <p class="problem">{words.notAmongNewest(newestMax)}</p>}
      {generations.length === 0 && <p class="quiet">{words.noImages}</p>}
      <ul class="generations">
        {generations.map((generation) => (
          <GenerationItem
            key={generation.id}
            generation={generation}
            price={findPrice(entries, generation.id)}
            isMarked={generation.id === marked}
            isClosed={account.closedAt !== undefined}
            {...events}
          />
        ))}
      </ul>
      {generations.length >= newestMax && <p class="quiet">{words.newest(newestMax)}</p>}
    </section>
  );
}

type ItemProps = Events & { generation: Generation; price: Price; isMarked: boolean; isClosed: boolean };

function GenerationItem({ generation, price, isMarked, isClosed, onRefund, onTakeDown }: ItemProps) {
  const { id, status, prompt, image, model, createdAt, cached } = generation;
  const item = useRef<HTMLLIElement>(null);
  useEffect(() => {
    if (isMarked) item.current?.scrollIntoView({ block: 'center' });
  }, [isMarked]);
  const name = prompt ?? words.noPrompt;
  const isPaid = (status === 'succeeded' || status === 'deleted') && !cached && price.credits !== 0;
  return (
    <li ref={item} class={isMarked ? 'marked' : undefined}>
      <div class="thumbnail">
        {image && (
          <a href={image.url} target="_blank" rel="noopener noreferrer">
            <Tile image={image} alt={words.open(name)} />
          </a>
        )}
      </div>
      <div class="about">
        <p class="clamp" dir="auto" title={prompt ?? undefined}>
          {name}
        </p>
        <StateText generation={generation} />
        <p class="quiet">
          <time dateTime={createdAt} title={wholeTimeText(createdAt)}>
            {timeText(createdAt)}
          </time>
          {model && <span> · {model}</span>}
        </p>
        <p class="quiet">{costText(generation, price)}</p>
        <p class="quiet code">{words.code(id)}</p>
        <div class="row">
          {isPaid && price.refunded === 0 && !isClosed && (
            <Button
              aria-haspopup="dialog"
              aria-label={words.refundOf(name)}
              aria-description={timeText(createdAt)}
              onClick={() => onRefund(generation)}
            >
              {words.refund}
            </Button>
          )}
          {status === 'succeeded' && (
            <Button
              aria-haspopup="dialog"
              aria-label={words.takeDownOf(name)}
              aria-description={timeText(createdAt)}
              onClick={() => onTakeDown(generation)}
            >
              {words.takeDown}
            </Button>
          )}
        </div>
      </div>
    </li>
  );
}

function costText({ cached, status }: Generation, { credits, refunded, isGoodwill }: Price): string {
  if (cached) return words.fromCache;
  const cost = credits === undefined ? '' : words.cost(credits);
  if (refunded === 0) return status === 'pending' ? `${cost} · ${words.imagePending}` : cost;
  return `${cost} · ${isGoodwill ? words.goodwilled(refunded) : words.refunded(refunded)}`;
}

/** Why there is no image. */
function StateText({
  generation: { status, failure, removedBy, removedReason = '' },
}: {
  generation: Generation;
}) {
  if (status === 'refunded' && failure) {
    const reason = overview.failureReasons[failure.reason] ?? failure.reason;
    return (
      <p class="problem" title={failure.message}>
        {words.failed(reason)}
      </p>
    );
  }
  if (status !== 'deleted') return null;
  return <p class="problem">{removedBy ? words.imageRemoved(removedReason) : words.imageDeleted}</p>;
}
