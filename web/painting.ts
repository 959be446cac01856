/** The studio of a signed-in user: the form, the way of one picture, and what it does to the balance. */
import type { Orientation, Receipt, Tier } from '../shared/contract.ts';
import { ApiError, createApi, type TierOffer } from './api.ts';
import { type Asked, createAsked, type Wish } from './asked.ts';
import { byId, chosen, make, timeElement } from './dom.ts';
import { createGallery } from './gallery.ts';
import { pagedList } from './lists.ts';
import { type Session, SessionEnded } from './session.ts';
import { createStage } from './stage.ts';
import {
  credits,
  entryText,
  failureCreditsText,
  laterBalance,
  paidText,
  shapeOf,
  signed,
  tierNames,
} from './words.ts';

/** As the contract has it; in Unicode code points. */
const promptCharactersMax = 4000;
const entriesPerPage = 10;

export function openStudio(options: { session: Session; leave: () => void; say: (what: unknown) => void }) {
  const { session, leave, say } = options;
  const api = createApi({ token: session.token });
  const asked = createAsked(sessionStorage, session.user()?.uid ?? '');
  const stage = createStage();
  const form = byId('ask', HTMLFormElement);
  const prompt = byId('prompt', HTMLTextAreaElement);
  const generate = byId('generate', HTMLButtonElement);
  let offers: TierOffer[] = [];
  let known: { balance: number; sequence: number } | undefined;
  let painting = false;

  const gallery = createGallery({ api, onOpen: open, onDeleted: (id) => stage.forget(id), problem });
  const entries = pagedList({
    name: 'entries',
    emptyText: 'Nothing here yet.',
    problem,
    async page(pageToken) {
      const page = await api.ledger(entriesPerPage, pageToken);
      const items = page.entries.map((entry) =>
        make(
          'tr',
          { id: `entry-${entry.id}` },
          make('td', {}, timeElement(entry.createdAt)),
          make('td', {}, entryText(entry)),
          make('td', { className: 'number' }, signed(entry.amount)),
          make('td', { className: 'number' }, String(entry.balance)),
        ),
      );
      return { items, nextPageToken: page.nextPageToken };
    },
  });

  /** What an error says to a person; who must sign in again is taken there. */
  function problem(error: unknown): string {
    const signedOut =
      error instanceof SessionEnded || (error instanceof ApiError && error.details.code === 401);
    if (signedOut) leave();
    return error instanceof Error ? error.message : String(error);
  }

  function open(generation: Parameters<typeof stage.show>[0]): void {
    stage.show(generation);
    byId('stage', HTMLElement).scrollIntoView({ block: 'nearest' });
  }

  function heardBalance(heard: { balance: number; sequence: number } | undefined): void {
    if (!heard) return;
    known = laterBalance(known, heard);
    byId('balance', HTMLElement).textContent = credits(known.balance);
    drawForm();
  }

  async function loadAccount(): Promise<void> {
    try {
      const { account, tiers } = await api.account();
      if (offers.length === 0) drawTiers(tiers);
      heardBalance(account);
      say(account.suspended ? 'This account is suspended. Nothing can be painted.' : '');
    } catch (error) {
      say(problem(error));
    }
  }

  function drawTiers(tiers: TierOffer[]): void {
    offers = tiers;
    const choices = tiers.map(({ id }, i) =>
      make(
        'label',
        { className: 'choice' },
        make('input', { type: 'radio', name: 'tier', value: id, checked: i === 0 }),
        make('span', {}, make('strong', {}, tierNames[id] ?? id), make('small', { id: `tier-${id}` })),
      ),
    );
    byId('tiers', HTMLElement).replaceChildren(...choices);
    const unsettled = asked.read();
    if (unsettled) fillForm(unsettled.request);
  }

  function fillForm({ prompt: text, tier, orientation }: Wish): void {
    prompt.value = text;
    for (const [name, value] of Object.entries({ tier, orientation })) {
      const choice = form.querySelector<HTMLInputElement>(`input[name=${name}][value=${value}]`);
      if (choice) choice.checked = true;
    }
  }

  const request = (): Wish => ({
    prompt: prompt.value,
    tier: chosen(form, 'tier') as Tier,
    orientation: chosen(form, 'orientation') as Orientation,
  });

  const shape = ({ tier, orientation }: Wish) => {
    const offer = offers.find(({ id }) => id === tier);
    return offer && shapeOf(offer, orientation);
  };

  /** Everything in the form that follows from what is chosen and what there is to spend. */
  function drawForm(): void {
    const { tier, orientation } = request();
    for (const each of offers) {
      const { aspectRatio, width, height } = shapeOf(each, orientation);
      byId(`tier-${each.id}`, HTMLElement).textContent =
        `${credits(each.credits)} · ${aspectRatio} · ${width} × ${height}`;
    }
    const offer = offers.find(({ id }) => id === tier);
    byId('orientations', HTMLFieldSetElement).disabled = offer?.width === offer?.height;
    generate.disabled = offer === undefined;
    generate.setAttribute('aria-disabled', String(painting));
    generate.textContent = offer ? `Generate for ${credits(offer.credits)}` : 'Generate';
    const short = offer && known ? offer.credits - known.balance : 0;
    byId('hint', HTMLElement).textContent = short > 0 ? `You are ${credits(short)} short.` : '';

    const left = promptCharactersMax - [...prompt.value].length;
    const over = left < 0 ? `${-left} over the limit of ${promptCharactersMax} characters.` : '';
    prompt.setCustomValidity(over);
    byId('prompt-left', HTMLElement).textContent =
      over || (left < promptCharactersMax / 10 ? `${left} of ${promptCharactersMax} characters left` : '');
  }

  async function paint({ key, request: what, askedAt }: Asked): Promise<void> {
    painting = true;
    drawForm();
    stage.painting(askedAt, shape(what));
    byId('stage', HTMLElement).scrollIntoView({ block: 'nearest' });
    try {
      const { generation, receipt } = await api.generate(what, key, {
        onAsk: () => stage.say('Painting your picture …'),
        onWait(error, waitMs) {
          heardBalance(error.details.receipt);
          if (error.details.reason === 'IN_PROGRESS') return;
          stage.say(`${error.message} Asking again in ${Math.ceil(waitMs / 1000)} s.`);
        },
      });
      asked.settled();
      settled(receipt);
      stage.done(generation, `Your picture is ready. ${paidText(receipt)}`);
      gallery.add(generation);
    } catch (error) {
      failed(error);
    } finally {
      painting = false;
      drawForm();
    }
  }

  function settled(receipt: Receipt | undefined): void {
    heardBalance(receipt);
    void entries.restart();
  }

  function failed(error: unknown): void {
    const message = problem(error);
    if (!(error instanceof ApiError)) {
      stage.failed(message, 'Asking again cannot charge you twice.', 'Ask again');
      return;
    }
    const { retry, receipt, reason } = error.details;
    if (retry !== 'same_key') asked.settled();
    settled(receipt);
    // What was refused before it was debited (a balance too low, say) may rest on what we did not know.
    if (reason === 'INSUFFICIENT_CREDITS') void loadAccount();
    const againLabel = { same_key: 'Ask again', new_key: 'Try again', no: undefined }[retry];
    stage.failed(message, failureCreditsText(error), againLabel);
  }

  let last: Wish | undefined;
  function start(what: Wish): void {
    if (painting) return;
    last = what;
    void paint(asked.keep(what));
  }

  form.addEventListener('input', drawForm);
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    start(request());
  });
  prompt.addEventListener('keydown', (event) => {
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) form.requestSubmit();
  });
  stage.onAgain(() => last && start(last));
  // An admin may have added credits meanwhile.
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState === 'visible') void loadAccount();
  });

  void loadAccount().then(() => {
    const unsettled = asked.read();
    if (unsettled) start(unsettled.request);
    // The account's first call may add its entries.
    return Promise.all([gallery.restart(), entries.restart()]);
  });
}
