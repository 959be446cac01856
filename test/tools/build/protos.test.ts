/** Descriptions of protocol buffers: whatever a service speaks of stays, and the rest goes. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { type Described, describeOnly } from '../../../tools/build/protos.ts';
import { rules } from '../../../tools/build/rules.ts';

const message = (fields: Record<string, string>, nested?: Record<string, Described>): Described => ({
  fields: Object.fromEntries(Object.entries(fields).map(([name, type]) => [name, { type }])),
  ...(nested && { nested }),
});
const service = (requestType: string, responseType: string): Described => ({
  methods: { Ask: { requestType, responseType } },
});
const packageOf = (nested: Record<string, Described>): Described => ({ nested });

it('keeps what the service refers to, by any way of naming it, in its namespaces', () => {
  const api = packageOf({
    Shop: service('Order', '.shop.common.Receipt'),
    Admin: service('Secret', 'Secret'),
    // From the outermost, from its own scope, and out of another message.
    Order: message(
      { id: 'string', item: 'Item', size: 'common.Sizes.Size' },
      { Item: message({ order: 'Order' }) },
    ),
    Secret: message({ id: 'string' }),
  });
  const common = packageOf({
    Receipt: message({ paid: 'bool' }),
    Sizes: message({ other: 'Extra' }, { Size: { values: { SMALL: 0 } } }),
    Extra: message({}),
    Unused: message({}),
  });
  const all = packageOf({ shop: { nested: { v1: api, common } }, other: packageOf({ Thing: message({}) }) });
  expect(describeOnly(all, ['shop.v1.Shop'])).toEqual(
    packageOf({
      shop: packageOf({
        v1: packageOf({ Shop: api.nested?.Shop as Described, Order: api.nested?.Order as Described }),
        common: packageOf({
          Receipt: common.nested?.Receipt as Described,
          Sizes: common.nested?.Sizes as Described,
          Extra: common.nested?.Extra as Described,
        }),
      }),
    }),
  );
});

it("keeps protocol buffers' own options, and not those in brackets", () => {
  const all = {
    nested: { Thing: { fields: { id: { type: 'string', options: { packed: false, '(x.y)': 1 } } } } },
  };
  expect(describeOnly(all, ['Thing'])).toEqual({
    nested: { Thing: { fields: { id: { type: 'string', options: { packed: false } } } } },
  });
});

it('refuses a name that is not described', () => {
  expect(() => describeOnly(packageOf({}), ['shop.v1.Shop'])).toThrow('shop.v1.Shop is not described');
});

const described = rules.filter((rule) => 'describes' in rule);

it.each(described)('leaves no type of $file without its description', async ({ file, describes }) => {
  // The vendor's own reader resolves every name, and throws at the first that it does not find.
  const { default: protobuf } = await import('protobufjs');
  const whole = JSON.parse(readFileSync(`node_modules/${file}`, 'utf8'));
  const cut = describeOnly(whole, describes);
  const root = protobuf.Root.fromJSON(cut as never);
  root.resolveAll();
  for (const name of describes) expect(root.lookupService(name).methodsArray.length).toBeGreaterThan(0);
  expect(JSON.stringify(cut).length).toBeLessThan(JSON.stringify(whole).length / 2);
});
