import * as z from 'zod';
import { packsAnswerSchema } from '../shared/contract/payments.ts';
import { endpoint } from '../shared/http/endpoint.ts';
import { toPack } from '../shared/payments/packs.ts';

/** The credit packs on sale, with the prices that Stripe has for them. */
export const packs = endpoint({
  method: 'GET',
  access: 'anyone',
  input: z.strictObject({}),
  answer: packsAnswerSchema,
  async run(_call, services) {
    const payments = await services.payments();
    const list = payments ? await payments.packs.read() : [];
    return { body: { packs: list.map(toPack) } };
  },
});
