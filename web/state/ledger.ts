/** The credits page: the ledger month by month, the images that it names, and the CSV file. */
import { computed, effect, type Signal, signal } from '@preact/signals';
import type { Entry, Generation } from '../../shared/contract.ts';
import type { Client } from '../client.ts';
import { saveBlob } from '../saveFile.ts';
import { credits as creditsText } from '../strings/en/credits.ts';
import { entryText } from '../strings/ledger.ts';
import { problemText } from '../strings/messages.ts';
import type { AccountState } from './account.ts';
import { getMonthStart, groupEntries, listMonths, toCsv, toMonth } from './ledgerLines.ts';
import { createPagedList } from './pagedList.ts';

/** The first page fills the window soon; the next ones are for a whole month. */
const firstEntries = 30;
const entriesPerPage = 100;
/** Images that are asked for at the same time. */
const lookupsMax = 4;

type Options = {
  client: Pick<Client, 'ledger' | 'generation'>;
  account: Pick<AccountState, 'createdAt'>;
  /** An image that the page has loaded already. */
  findImage: (id: string) => Generation | undefined;
};

export function createLedger({ client, account, findImage }: Options) {
  const list = createPagedList<Entry>(
    async (pageToken) => {
      const pageSize = pageToken === undefined ? firstEntries : entriesPerPage;
      const { entries, nextPageToken } = await client.ledger({ pageSize, pageToken });
      return { items: entries, nextPageToken };
    },
    (one, other) => other.sequence - one.sequence,
  );
  const { items, state, isLoading, problem } = list;
  /** Empty: all months. */
  const month = signal('');
  const images = createImageLookup(client, findImage);

  const lines = computed(() =>
    groupEntries(items.value).filter(({ createdAt }) => isIn(month.value, createdAt)),
  );
  const months = computed(() => {
    const oldest = items.value.at(-1)?.createdAt;
    const first = [account.createdAt.value, oldest].filter((time) => time !== undefined).sort()[0];
    return first === undefined ? [] : listMonths(toMonth(first), toMonth(Date.now()));
  });
  const isMonthWhole = computed(() => state.value === 'complete' || hasWholeMonth(items.value, month.value));

  // A chosen month is loaded as a whole, for its sums.
  const stop = effect(() => {
    const isBusy = isLoading.value || problem.value !== '';
    if (month.value !== '' && state.value === 'more' && !isBusy && !isMonthWhole.value) void list.more();
  });

  return {
    ...list,
    lines,
    month,
    months,
    /** False while entries of the chosen month may be missing. */
    isMonthWhole,
    /** The image of a line, which is asked for once. */
    getImage: images.get,

    ...createCsvDownload(client, month),

    close: stop,
  };
}

/** @param month empty for all months */
const isIn = (month: string, time: string) => month === '' || toMonth(time) === month;

/** True if entries from before the month are loaded. @param entries newest first */
function hasWholeMonth(entries: readonly Entry[], month: string): boolean {
  const oldest = entries.at(-1);
  return month !== '' && oldest !== undefined && Date.parse(oldest.createdAt) < getMonthStart(month);
}

function createCsvDownload(client: Pick<Client, 'ledger'>, month: Signal<string>) {
  const isSaving = signal(false);
  const csvProblem = signal('');

  async function readEntries(wanted: string): Promise<Entry[]> {
    const entries: Entry[] = [];
    let pageToken: string | undefined;
    do {
      const page = await client.ledger({ pageSize: entriesPerPage, pageToken });
      entries.push(...page.entries);
      pageToken = page.nextPageToken;
    } while (pageToken !== undefined && !hasWholeMonth(entries, wanted));
    return entries.filter(({ createdAt }) => isIn(wanted, createdAt));
  }

  return {
    isSaving,
    csvProblem,

    /** Saves the entries of the chosen month, or all. */
    async saveCsv(): Promise<void> {
      if (isSaving.value) return;
      const wanted = month.value;
      isSaving.value = true;
      csvProblem.value = '';
      try {
        const rows = (await readEntries(wanted)).map((entry) => [
          entry.createdAt,
          entryText(entry),
          entry.amount,
          entry.balance,
          entry.generationId ?? '',
        ]);
        const csv = toCsv([creditsText.csvColumns, ...rows]);
        saveBlob(new Blob([csv], { type: 'text/csv' }), creditsText.csvName(wanted));
      } catch (error) {
        csvProblem.value = problemText(error);
      } finally {
        isSaving.value = false;
      }
    },
  };
}

/** Undefined until it is known; null if it could not be read. */
type Lookup = Signal<Generation | null | undefined>;

function createImageLookup(client: Options['client'], findImage: Options['findImage']) {
  const found = new Map<string, Lookup>();
  const waiting: (() => Promise<void>)[] = [];
  let running = 0;

  function next(): void {
    const work = running < lookupsMax ? waiting.shift() : undefined;
    if (!work) return;
    running += 1;
    void work().finally(() => {
      running -= 1;
      next();
    });
  }

  return {
    get(id: string): Lookup {
      const existing = found.get(id);
      if (existing) return existing;
      const lookup: Lookup = signal(findImage(id));
      found.set(id, lookup);
      if (lookup.value) return lookup;
      waiting.push(async () => {
        lookup.value = (await client.generation({ id }).catch(() => undefined))?.generation ?? null;
      });
      next();
      return lookup;
    },
  };
}
