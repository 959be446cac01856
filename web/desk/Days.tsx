import type { OverviewAnswer } from '../../shared/contract.ts';
import { deskText } from '../strings/en/desk.ts';
import { number } from '../strings/format.ts';

const { overview: words } = deskText;

type Day = OverviewAnswer['days'][number];
type Column = Exclude<keyof Day, 'date'>;

const columns = Object.keys(words.columns) as Column[];
const formatOf = (column: Column) => (column === 'providerCostMicros' ? words.dollars : number);

/** The days of a period: a table, and a small plot of each column beside it. */
export function Days({ days }: { days: readonly Day[] }) {
  return (
    <section class="card days" aria-labelledby="days">
      <h2 id="days">{words.perDay}</h2>
      <div class="plots">
        {columns.map((column) => (
          <Plot key={column} days={days} column={column} />
        ))}
      </div>
      <DayTable days={days} />
    </section>
  );
}

const barWidth = 8;
const height = 48;

/** The table has the same numbers, so screen readers leave the bars out. */
function Plot({ days, column }: { days: readonly Day[]; column: Column }) {
  const format = formatOf(column);
  const values = days.map((day) => day[column]);
  const most = Math.max(...values, 0);
  const sum = values.reduce((all, value) => all + value, 0);
  // A day with little has still a bar that can be seen.
  const toHeight = (value: number) => (value <= 0 ? 0 : Math.max(2, (value / most) * height));
  return (
    <figure class={column === 'refunds' ? 'plot bad' : 'plot'}>
      <figcaption>
        {words.plots[column]} <b>{format(sum)}</b>
        {most > 0 && <span class="quiet"> {words.mostOnDay(format(most))}</span>}
      </figcaption>
      <svg
        viewBox={`0 0 ${days.length * barWidth} ${height}`}
        preserveAspectRatio="none"
        aria-hidden="true"
        focusable="false"
      >
        {values.map((value, i) => (
          <rect
            key={days[i]?.date}
            x={i * barWidth + 1}
            y={height - toHeight(value)}
            width={barWidth - 2}
            height={toHeight(value)}
          >
            <title>{`${words.dayText(days[i]?.date ?? '')}: ${format(value)}`}</title>
          </rect>
        ))}
      </svg>
    </figure>
  );
}

/** Newest first. It scrolls within its place, so the keyboard must reach it. */
function DayTable({ days }: { days: readonly Day[] }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: the keyboard scrolls the table.
    <section class="table scrolls" tabIndex={0} aria-label={words.table}>
      <table>
        <thead>
          <tr>
            <th scope="col">{words.day}</th>
            {columns.map((column) => (
              <th key={column} scope="col" class="number">
                {words.columns[column]}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {days.toReversed().map((day) => (
            <tr key={day.date}>
              <th scope="row">{words.dayText(day.date)}</th>
              {columns.map((column) => (
                <td key={column} class={day[column] === 0 ? 'number none' : 'number'}>
                  {formatOf(column)(day[column])}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
