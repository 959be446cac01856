import type { OverviewAnswer } from '../../shared/contract.ts';
import { deskText } from '../strings/en/desk.ts';
import { timeText, wholeTimeText } from '../strings/format.ts';

const { overview: words, models: modelWords } = deskText;

/** The models in the order in which they are asked. */
export function Models({ models }: { models: OverviewAnswer['models'] }) {
  return (
    <section class="card" aria-labelledby="models">
      <h2 id="models">{modelWords.title}</h2>
      <ul class="states">
        {models.map(({ id, state, reason, retryAt }) => (
          <li key={id}>
            <p>
              {id === 'all' ? modelWords.all : id}
              {(reason || retryAt) && (
                <span class="quiet">
                  {reason && modelWords.reason(reason)} {retryAt && modelWords.until(timeText(retryAt))}
                </span>
              )}
            </p>
            <span class={`state ${state}`}>{modelWords.states[state]}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}

/** When each scheduled job last handled everything. */
export function Jobs({ jobs }: { jobs: OverviewAnswer['jobs'] }) {
  return (
    <section class="card" aria-labelledby="jobs">
      <h2 id="jobs">{words.jobs}</h2>
      <ul class="states">
        {jobs.map(({ name, finishedAt, late }) => (
          <li key={name}>
            <p>
              {words.jobNames[name] ?? name}
              <span class="quiet">
                {finishedAt === null ? (
                  words.neverFinished
                ) : (
                  <time dateTime={finishedAt} title={wholeTimeText(finishedAt)}>
                    {words.lastFinished(timeText(finishedAt))}
                  </time>
                )}
              </span>
            </p>
            {late && <span class="state off">{words.late}</span>}
          </li>
        ))}
      </ul>
    </section>
  );
}
