/** The webhook as a careful tutorial writes it. It has a file to itself, so that no other function loads Stripe's library. */
import { initializeApp } from 'firebase-admin/app';
import { FieldValue, getFirestore } from 'firebase-admin/firestore';
import { onRequest } from 'firebase-functions/v2/https';
import Stripe from 'stripe';

initializeApp();
const db = getFirestore();
const stripe = new Stripe(process.env.STRIPE_SECRET_KEY);

/** Adds the credits of a paid session once. */
function addCredits({ id, metadata: { uid, credits } }) {
  const account = db.doc(`accounts/${uid}`);
  const entry = account.collection('entries').doc(`purchase:${id}`);
  return db.runTransaction(async (transaction) => {
    const [accountNow, entryNow] = await transaction.getAll(account, entry);
    if (entryNow.exists) return;
    const balance = (accountNow.get('balance') ?? 0) + Number(credits);
    transaction.update(account, { balance, updatedAt: FieldValue.serverTimestamp() });
    const amount = Number(credits);
    transaction.create(entry, {
      type: 'purchase',
      amount,
      balance,
      createdAt: FieldValue.serverTimestamp(),
    });
  });
}

export const stripeWebhook = onRequest(async (request, response) => {
  let event;
  try {
    const signature = request.get('stripe-signature');
    event = stripe.webhooks.constructEvent(request.rawBody, signature, process.env.STRIPE_WEBHOOK_SECRET);
  } catch {
    response.status(400).json({ error: { message: 'The signature is wrong.' } });
    return;
  }
  const session = event.data.object;
  if (event.type === 'checkout.session.completed' && session.payment_status === 'paid')
    await addCredits(session);
  response.json({ received: true });
});
