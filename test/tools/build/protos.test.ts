/** Reducing descriptions of protocol buffers keeps every type that a service uses, and removes the rest. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { keepServices, type ProtoDescription } from '../../../tools/build/protos.ts';
import { rules } from '../../../tools/build/rules.ts';

const message = (
  fields: Record<string, string>,
  nested?: Record<string, ProtoDescription>,
): ProtoDescription => ({
  fields: Object.fromEntries(Object.entries(fields).map(([name, type]) => [name, { type }])),
  ...(nested && { nested }),
});
const service = (requestType: string, responseType: string): ProtoDescription => ({
  methods: { Ask: { requestType, responseType } },
});
const toPackage = (nested: Record<string, ProtoDescription>): ProtoDescription => ({ nested });

it('keeps all types that the service refers to, by any form of name, in their namespaces', () => {
  const api = toPackage({
    Shop: service('Order', '.shop.common.Receipt'),
    Admin: service('Secret', 'Secret'),
    // Names relative to the outermost namespace, to the own scope, and into another message.
    Order: message(
      { id: 'string', item: 'Item', size: 'common.Sizes.Size' },
      { Item: message({ order: 'Order' }) },
    ),
    Secret: message({ id: 'string' }),
  });
  const common = toPackage({
    Receipt: message({ paid: 'bool' }),
    Sizes: message({ other: 'Extra' }, { Size: { values: { SMALL: 0 } } }),
    Extra: message({}),
    Unused: message({}),
  });
  const all = toPackage({ shop: { nested: { v1: api, common } }, other: toPackage({ Thing: message({}) }) });
  expect(keepServices(all, ['shop.v1.Shop'])).toEqual(
    toPackage({
      shop: toPackage({
        v1: toPackage({
          Shop: api.nested?.Shop as ProtoDescription,
          Order: api.nested?.Order as ProtoDescription,
        }),
        common: toPackage({
          Receipt: common.nested?.Receipt as ProtoDescription,
          Sizes: common.nested?.Sizes as ProtoDescription,
          Extra: common.nested?.Extra as ProtoDescription,
        }),
      }),
    }),
  );
});

it("keeps protocol buffers' own options, and removes those in parentheses", () => {
  const all = {
    nested: { Thing: { fields: { id: { type: 'string', options: { packed: false, '(x.y)': 1 } } } } },
  };
  expect(keepServices(all, ['Thing'])).toEqual({
    nested: { Thing: { fields: { id: { type: 'string', options: { packed: false } } } } },
  });
});

it('refuses a name without a description', () => {
  expect(() => keepServices(toPackage({}), ['shop.v1.Shop'])).toThrow('shop.v1.Shop is not described');
});

const rulesWithServices = rules.filter((rule) => 'services' in rule);

it.each(rulesWithServices)('leaves no type of $file without its description', async ({ file, services }) => {
  // protobufjs resolves every name, and throws at the first unknown one.
  const { default: protobuf } = await import('protobufjs');
  const whole = JSON.parse(readFileSync(`node_modules/${file}`, 'utf8'));
  const prunedFile = keepServices(whole, services);
  const root = protobuf.Root.fromJSON(prunedFile as never);
  root.resolveAll();
  for (const name of services) expect(root.lookupService(name).methodsArray.length).toBeGreaterThan(0);
  expect(JSON.stringify(prunedFile).length).toBeLessThan(JSON.stringify(whole).length / 2);
});
