import type { OverviewAnswer } from '../../shared/contract.ts';
import { deskText } from '../strings/en/desk.ts';
import { number } from '../strings/format.ts';

const { overview: words } = deskText;

/** The failures of a period by their reason, most frequent first. */
export function Failures({ failures }: { failures: OverviewAnswer['failures'] }) {
  const most = Math.max(...failures.map(({ count }) => count), 1);
  return (
    <section class="card" aria-labelledby="failures">
      <h2 id="failures">{words.failures}</h2>
      {failures.length === 0 && <p class="quiet">{words.noFailures}</p>}
      <dl class="sums bars">
        {failures.map(({ reason, count }) => (
          <div key={reason}>
            <dt>
              {words.failureReasons[reason] ?? reason}
              <svg viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true" focusable="false">
                <rect width={(count / most) * 100} height="4" />
              </svg>
            </dt>
            <dd>{number(count)}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
