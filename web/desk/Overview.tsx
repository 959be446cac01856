import { useState } from 'preact/hooks';
import type { OverviewAnswer } from '../../shared/contract.ts';
import { Segments } from '../components/Segments.tsx';
import { deskText } from '../strings/en/desk.ts';
import { number } from '../strings/format.ts';
import { ActionRecord } from './ActionRecord.tsx';
import { Days } from './Days.tsx';
import { deskClient } from './deskClient.ts';
import { Failures } from './Failures.tsx';
import { Jobs, Models } from './Health.tsx';
import { LoadProblem } from './LoadProblem.tsx';
import { useLoaded } from './useLoaded.ts';

const { overview: words } = deskText;
const periods = [7, 30, 90];
const dayMs = 86_400_000;

/** The beginning of the first of so many days in UTC, today as the last. */
const getStart = (days: number, now: number) => new Date((Math.floor(now / dayMs) - days + 1) * dayMs);

/** What a period cost and earned, and the state of the studio now. */
export function Overview() {
  const [days, setDays] = useState(30);
  const { value, problem, isLoading, reload } = useLoaded(() => {
    const now = Date.now();
    return deskClient.overview(getStart(days, now), new Date(now));
  }, [days]);
  return (
    <>
      <div class="head">
        <h1 tabIndex={-1}>{words.title}</h1>
        <Segments
          name="period"
          legend={words.period}
          choices={periods.map((count) => ({ value: count, label: words.days(count) }))}
          value={days}
          onChange={setDays}
        />
      </div>
      <LoadProblem problem={problem} isLoading={isLoading && !value} onRetry={reload} />
      {value && (
        <div class="loaded" aria-busy={isLoading}>
          <Figures overview={value} />
          <Days days={value.days} />
          <div class="cards">
            <Credits overview={value} />
            <div>
              <Failures failures={value.failures} />
              <Models models={value.models} />
            </div>
            <Jobs jobs={value.jobs} />
          </div>
          <section class="card" aria-labelledby="record">
            <h2 id="record">{words.record}</h2>
            <ActionRecord actions={value.actions} />
          </section>
        </div>
      )}
    </>
  );
}

function Figures({ overview }: { overview: OverviewAnswer }) {
  const { money, marginMicros, providerCostMicros, images } = overview;
  return (
    <ul class="figures">
      <li>
        <h2>{words.moneyIn}</h2>
        {money.length === 0 && <p class="figure">{words.noMoney}</p>}
        {money.map(({ currency, paid, purchases }) => (
          <p key={currency} class="figure">
            {words.paid(paid, currency)} <span class="quiet">{words.purchases(purchases)}</span>
          </p>
        ))}
      </li>
      <li>
        <h2>{words.providerCost}</h2>
        <p class="figure">{words.dollars(providerCostMicros)}</p>
        <p class="quiet">{words.providerCostNote}</p>
      </li>
      <li>
        <h2>{words.margin}</h2>
        <p class={marginMicros !== null && marginMicros < 0 ? 'figure minus' : 'figure'}>
          {marginMicros === null ? words.marginUnknown : words.dollars(marginMicros)}
        </p>
        <p class="quiet">{marginMicros === null ? words.marginOfCurrencies : words.marginNote}</p>
      </li>
      <li>
        <h2>{words.images}</h2>
        <p class="figure">{number(images.succeeded)}</p>
        <p class="quiet">{words.imagesNote(images.refunded, images.pending)}</p>
      </li>
    </ul>
  );
}

function Credits({ overview: { credits, outstanding } }: { overview: OverviewAnswer }) {
  return (
    <section class="card" aria-labelledby="credits">
      <h2 id="credits">{words.credits}</h2>
      <Sums sums={credits} names={words.creditRows} />
      <h3>{words.now}</h3>
      <Sums sums={outstanding} names={words.nowRows} />
    </section>
  );
}

function Sums<K extends string>({ sums, names }: { sums: Record<K, number>; names: Record<K, string> }) {
  return (
    <dl class="sums">
      {(Object.keys(names) as K[]).map((name) => (
        <div key={name}>
          <dt>{names[name]}</dt>
          <dd>{number(sums[name])}</dd>
        </div>
      ))}
    </dl>
  );
}
