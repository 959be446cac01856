/** The pages that Stripe hosts: checkout, customer portal, invoice and receipt. They work without JavaScript. */
import { createHash } from 'node:crypto';
import { priceText } from '../../../web/strings/format.ts';
import type { Reply } from '../server.ts';
import type { Account } from './account.ts';
import { StripeRefusal } from './errors.ts';
import { parseForm } from './form.ts';
import { toId } from './moneyObjects.ts';
import { declinePayment, paySession, takesDebit } from './payments.ts';
import type { SessionRow } from './store.ts';

const style = `body{font:16px/1.5 system-ui,sans-serif;margin:0;background:#f6f8fa;color:#1a1f36}
main{max-width:28rem;margin:3rem auto;padding:2rem;background:#fff;border:1px solid #d8dee4;border-radius:12px}
h1{font-size:1.25rem;margin:0 0 1rem}table{width:100%;border-collapse:collapse}td{padding:.3rem 0}
td:last-child{text-align:right}button,input{font:inherit;width:100%;padding:.6rem;margin:.3rem 0;box-sizing:border-box;border-radius:6px;border:1px solid #8792a2}
button{cursor:pointer;background:#fff;color:#1a1f36}button.main{background:#4b45c6;border-color:#4b45c6;color:#fff}
.note{color:#545969;font-size:.875rem}.error{color:#b3093c}a{color:#4b45c6}:focus-visible{outline:3px solid #1a1f36;outline-offset:2px}`;
const styleHash = `'sha256-${createHash('sha256').update(style).digest('base64')}'`;

const escapeHtml = (text: string) => text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);

/** `formTargets` are the addresses to which the answer to a form may redirect: browsers check those too. */
function page(status: number, title: string, content: string, formTargets: readonly string[] = []): Reply {
  const origins = formTargets.filter((one) => URL.canParse(one)).map((one) => new URL(one).origin);
  const targets = [...new Set(["'self'", ...origins])].join(' ');
  return {
    status,
    headers: {
      'cache-control': 'no-store',
      'content-security-policy': `default-src 'none'; style-src ${styleHash}; form-action ${targets}; base-uri 'none'; frame-ancestors 'none'`,
      'content-type': 'text/html; charset=utf-8',
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
    },
    body: `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>${escapeHtml(title)}</title><style>${style}</style></head><body><main><h1>${escapeHtml(title)}</h1>${content}<p class="note">Fake Stripe of the local run. No money moves.</p></main></body></html>`,
  };
}

const redirect = (location: string): Reply => ({
  status: 303,
  headers: { location, 'cache-control': 'no-store' },
  body: '',
});

const notFound = () => page(404, 'Page not found', '<p>There is nothing at this address.</p>');

const formatMoney = (amount: number, currency: string) => priceText(amount, currency, 'en-US');

/** Answers a request for a page; undefined if the path is none. `account` has no mode yet: the object decides. */
export function answerPage(account: Account, method: string, path: string, body: string): Reply | undefined {
  const [, kind = '', id = ''] = /^\/(c\/pay|p\/session|i|receipts)\/([\w-]+)$/.exec(path) ?? [];
  if (kind === '') return undefined;
  if (kind === 'c/pay') {
    const row = account.store.get('sessions', id);
    if (row === undefined) return notFound();
    const owner = { ...account, livemode: row.livemode };
    return method === 'POST' ? answerCheckout(owner, row, body) : checkoutPage(row);
  }
  if (method !== 'GET') return notFound();
  return kind === 'p/session' ? portalPage(account, id) : documentPage(account, kind, id);
}

function checkoutPage({ shown: session, lineItems }: SessionRow, error = ''): Reply {
  const { currency, cancel_url: cancelUrl, success_url: successUrl } = session;
  if (session.status !== 'open') {
    const text =
      session.status === 'complete'
        ? 'This payment is complete.'
        : 'This page has expired. Go back to the shop and start again.';
    return page(200, session.status === 'complete' ? 'All done' : 'Expired', `<p>${text}</p>`);
  }
  const rows = lineItems.map(
    ({ description, quantity, amount_total: amount }) =>
      `<tr><td>${escapeHtml(description ?? '')} × ${quantity}</td><td>${formatMoney(amount, currency ?? 'usd')}</td></tr>`,
  );
  const total = formatMoney(session.amount_total ?? 0, currency ?? 'usd');
  const email = session.customer_email ?? '';
  const content = `<table>${rows.join('')}<tr><td><strong>Total</strong></td><td><strong>${total}</strong></td></tr></table>
${error === '' ? '' : `<p class="error" role="alert">${escapeHtml(error)}</p>`}
<form method="post"><label>E-mail <input name="email" type="email" autocomplete="email" value="${escapeHtml(email)}"></label>
<button class="main" name="outcome" value="pay">Pay ${total}</button>
${takesDebit(session) ? '<button name="outcome" value="later">Pay by bank debit (the money arrives later, or fails)</button>' : ''}
<button name="outcome" value="decline">Pay with a card that is declined</button></form>
${cancelUrl === null ? '' : `<p><a href="${escapeHtml(cancelUrl)}">Leave without paying</a></p>`}`;
  return page(200, 'Checkout', content, [successUrl ?? '']);
}

function answerCheckout(account: Account, row: SessionRow, body: string): Reply {
  const { outcome, email: typed } = parseForm(body);
  const email = typeof typed === 'string' && typed !== '' ? typed : undefined;
  const { id, success_url: successUrl } = row.shown;
  try {
    if (outcome === 'decline') {
      declinePayment(account, id);
      return checkoutPage(row, 'Your card was declined. Try again, or leave.');
    }
    if (outcome !== 'pay' && outcome !== 'later') return checkoutPage(row, 'Choose one of the buttons.');
    paySession(account, id, { later: outcome === 'later', email });
    return redirect((successUrl ?? '/').replaceAll('{CHECKOUT_SESSION_ID}', id));
  } catch (error) {
    if (error instanceof StripeRefusal) return checkoutPage(account.store.get('sessions', id) ?? row);
    throw error;
  }
}

function portalPage(account: Account, token: string): Reply {
  const session = account.store
    .list('portalSessions')
    .find(({ shown }) => shown.url.endsWith(`/${token}`))?.shown;
  if (session === undefined) return notFound();
  const invoices = account.store
    .list('invoices')
    .filter(({ shown }) => toId(shown.customer) === session.customer)
    .map(
      ({ shown: { id, created, currency, number, total } }) =>
        `<tr><td><a href="/i/${id}">${escapeHtml(number ?? id)}</a>, ${new Date(created * 1000).toISOString().slice(0, 10)}</td><td>${formatMoney(total, currency)}</td></tr>`,
    );
  const list = invoices.length > 0 ? `<table>${invoices.join('')}</table>` : '<p>No invoices yet.</p>';
  const back =
    session.return_url === null
      ? ''
      : `<p><a href="${escapeHtml(session.return_url)}">Return to the shop</a></p>`;
  return page(200, 'Invoices and receipts', `${list}${back}`);
}

function documentPage(account: Account, kind: string, id: string): Reply {
  const invoice = kind === 'i' ? account.store.get('invoices', id)?.shown : undefined;
  const charge = kind === 'receipts' ? account.store.get('charges', id)?.shown : undefined;
  const found = invoice ?? charge;
  if (found === undefined) return notFound();
  const amount = formatMoney(invoice ? invoice.total : (charge?.amount ?? 0), found.currency);
  const rows = [
    ['Number', invoice?.number ?? id],
    ['Date', new Date(found.created * 1000).toISOString().slice(0, 10)],
    ['Paid', amount],
    ...(charge && charge.amount_refunded > 0
      ? [['Refunded', formatMoney(charge.amount_refunded, charge.currency)]]
      : []),
  ].map(([name = '', value = '']) => `<tr><td>${name}</td><td>${escapeHtml(value)}</td></tr>`);
  return page(200, invoice ? 'Invoice' : 'Receipt', `<table>${rows.join('')}</table>`);
}
