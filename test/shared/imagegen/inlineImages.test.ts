/** Images taken out of a reply while it arrives: the reply is what JSON.parse would have made of it, image for image. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createBase64Decoder } from '../../../shared/imagegen/base64.ts';
import {
  imageBytesMax,
  imagePart,
  imagesMax,
  readInlineReply,
  restBytesMax,
} from '../../../shared/imagegen/inlineImages.ts';
import { type Choices, createChoices, cut, type Value, write } from '../../support/writtenJson.ts';

const numbers = fc.array(fc.nat({ max: 200 }), { minLength: 1, maxLength: 40 });
const whole = (json: unknown) => cut(JSON.stringify(json), () => 65_536);

const parse = (json: Uint8Array) => JSON.parse(new TextDecoder().decode(json));

/** What is read, with the image of each place in base64 again, as JSON.parse and Buffer make it. */
async function read(text: string, choose: Choices): Promise<unknown> {
  const { json, image } = await readInlineReply(cut(text, choose));
  return eachImage(parse(json), (data) => Buffer.concat(image(data)).toString('base64'));
}
const expected = (text: string) =>
  eachImage(JSON.parse(text), (data) => Buffer.from(data, 'base64').toString('base64'));

/** A reply with something else in the place of the images' data. */
function eachImage(value: unknown, replace: (data: string) => string, depth = 1, key = ''): unknown {
  if (Array.isArray(value)) return value.map((each) => eachImage(each, replace, depth + 1));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([name, inner]) => {
    const isImage = depth === 7 && key === 'inlineData' && name === 'data' && typeof inner === 'string';
    return [name, isImage ? replace(inner) : eachImage(inner, replace, depth + 1, name)];
  });
  return Object.fromEntries(entries);
}

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const text = (characters: string, maxLength: number) =>
  fc.array(fc.constantFrom(...characters), { maxLength }).map((each) => each.join(''));
const base64 = fc.oneof(
  fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes).toString('base64')),
  fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes).toString('base64url')),
  text(alphabet, 60),
  text(`${alphabet}-_ \n\r\t!"\\{}[]:,.é€`, 60),
  text(`${alphabet}=`, 60),
);
const keys = fc.constantFrom('data', 'inlineData', 'thought', 'text', 'mimeType', 'parts', 'inlinedata', '"');
const names = fc.oneof(
  { weight: 4, arbitrary: keys },
  { weight: 1, arbitrary: fc.string({ maxLength: 12 }) },
);
const { any } = fc.letrec<{ any: Value }>((tie) => ({
  any: fc.oneof(
    { maxDepth: 5 },
    base64,
    fc.string(),
    fc.constantFrom<Value>(
      '"data":"QUJD',
      '{"inlineData":{"data":"QUJD"}}',
      '\\',
      0,
      -1.5e7,
      true,
      false,
      null,
    ),
    fc.array(tie('any'), { maxLength: 4 }),
    fc.array(fc.tuple(names, tie('any')), { maxLength: 5 }).map((entries) => ({ entries })),
  ),
}));
/** An object of some of these members, in any order. */
const members = (...entries: fc.Arbitrary<[string, Value]>[]) =>
  fc
    .shuffledSubarray(entries, { minLength: Math.ceil(entries.length / 2) })
    .chain((some) => fc.tuple(...some).map((each): Value => ({ entries: each })));
const member = (name: string, value: fc.Arbitrary<Value>) =>
  fc.tuple(fc.constant(name), value) as fc.Arbitrary<[string, Value]>;
const inlineData = members(
  member('data', base64),
  member('data', fc.oneof(base64, any)),
  member('mimeType', fc.constant('image/png')),
  member('inlineData', any),
);
const part = fc.oneof(
  any,
  members(member('inlineData', inlineData), member('thoughtSignature', base64)),
  members(
    member('inlineData', inlineData),
    member('inlineData', fc.oneof(inlineData, any)),
    member('thought', fc.constantFrom(true, false)),
    member('text', fc.string()),
    member('thoughtSignature', base64),
  ),
);
const content = members(
  member('parts', fc.array(part, { minLength: 1, maxLength: 4 })),
  member('role', fc.string()),
);
const candidate = members(member('content', content), member('finishReason', any));
const reply = fc.oneof(
  any,
  members(
    member('candidates', fc.array(candidate, { minLength: 1, maxLength: 2 })),
    member('usageMetadata', any),
  ),
);

describe('a reply', () => {
  it('is what it would be as a whole, however it is written and wherever it is cut', async () => {
    let images = 0;
    await fc.assert(
      fc.asyncProperty(reply, numbers, numbers, async (value, style, cuts) => {
        const json = write(value, createChoices(style));
        expect(await read(json, createChoices(cuts))).toEqual(expected(json));
        eachImage(JSON.parse(json), (data) => {
          images += 1;
          return data;
        });
      }),
      { numRuns: 1_500 },
    );
    expect(images).toBeGreaterThan(200);
  });

  it('that is no JSON is none here either', async () => {
    let broken = 0;
    const wrong = fc.constantFrom(
      '"',
      '\\',
      '\n',
      '\0',
      '{',
      '}',
      '[',
      ']',
      ':',
      ',',
      'x',
      '\\u12x4',
      '0',
      '',
    );
    await fc.assert(
      fc.asyncProperty(reply, numbers, numbers, fc.nat(), wrong, fc.boolean(), async (...drawn) => {
        const [value, style, cuts, place, character, isCutOff] = drawn;
        const good = write(value, createChoices(style));
        const at = place % (good.length + 1);
        const json = `${good.slice(0, at)}${character}${isCutOff ? '' : good.slice(at + 1)}`;
        const [ours, theirs] = await Promise.all([
          read(json, createChoices(cuts)).catch((error) => error.name),
          Promise.resolve(json)
            .then(expected)
            .catch((error) => error.name),
        ]);
        expect(ours).toEqual(theirs);
        if (theirs === 'SyntaxError') broken += 1;
      }),
      { numRuns: 1_500 },
    );
    expect(broken).toBeGreaterThan(500);
  });

  it('is no JSON where its body is empty, or a page', async () => {
    for (const body of ['', '<!DOCTYPE html><html>"data":"QUJD"</html>']) {
      const { json } = await readInlineReply(cut(body, () => 7));
      expect(Buffer.from(json).toString()).toBe(body);
    }
  });

  it('that breaks off fails as its body does', async () => {
    async function* breaksOff() {
      yield Buffer.from('{"candidates":[{"content":{"parts":[{"inlineData":{"data":"QUJ');
      throw new TypeError('terminated');
    }
    await expect(readInlineReply(breaksOff())).rejects.toThrow(new TypeError('terminated'));
  });
});

it('base64 is decoded as Buffer does, wherever it is cut', () => {
  fc.assert(
    fc.property(base64, numbers, (data, cuts) => {
      const [choose, out]: [Choices, number[]] = [createChoices(cuts), []];
      const decode = createBase64Decoder((bytes) => out.push(...bytes));
      const letters = Buffer.from(data);
      for (let at = 0; at < letters.length; ) {
        const chunk = letters.subarray(0, at + 1 + choose());
        at = decode(chunk, at);
        // What is no letter is skipped; where the chunk ended, the next one begins.
        if (at < chunk.length) at += 1;
      }
      expect(Buffer.from(out)).toEqual(Buffer.from(data, 'base64'));
    }),
    { numRuns: 2_000 },
  );
});

describe('of several images', () => {
  const megabytes = (count: number, byte: number) => Buffer.alloc(count * 1_000_000, byte);
  const inline = (bytes: Buffer) => ({ inlineData: { data: bytes.toString('base64') } });
  const replyOf = (...parts: object[]) => ({ candidates: [{ content: { parts } }] });

  /** The images of a reply that are still there, by their first byte, and the one that is meant. */
  async function held(value: ReturnType<typeof replyOf>) {
    const { json, image } = await readInlineReply(whole(value));
    const candidates: { content: { parts: Parameters<typeof imagePart>[0] } }[] = parse(json).candidates;
    const all = candidates.flatMap(({ content: { parts } }) =>
      parts.map((each) => image(each.inlineData?.data)),
    );
    const meant = imagePart(candidates[0]?.content.parts ?? []);
    return {
      kept: all.map((chunks) => chunks[0]?.[0]).filter((byte) => byte !== undefined),
      meant: Buffer.concat(image(meant?.inlineData?.data)),
    };
  }

  it('drafts that cannot be meant any more are not kept', async () => {
    const [one, two, three] = [megabytes(2, 1), megabytes(2, 2), megabytes(3, 3)];
    const { kept, meant } = await held(replyOf(inline(one), inline(two), inline(three)));
    expect(kept).toEqual([2, 3]);
    expect(meant.equals(three)).toBe(true);
  });

  it('thoughts are not kept, whether they say so before their image or behind it', async () => {
    const thoughts = [
      { ...inline(megabytes(2, 1)), thought: true },
      { thought: true, ...inline(megabytes(2, 2)) },
    ];
    const { kept, meant } = await held(replyOf(...thoughts, inline(megabytes(2, 3))));
    expect(kept).toEqual([3]);
    expect(meant.equals(megabytes(2, 3))).toBe(true);
  });

  it('the last that is no thought is kept, however many thoughts come behind it', async () => {
    const thoughts = [4, 5, 6].map((byte) => ({ ...inline(megabytes(2, byte)), thought: true }));
    const { kept, meant } = await held(
      replyOf(inline(megabytes(2, 1)), inline(megabytes(2, 2)), ...thoughts),
    );
    expect(kept).toEqual([2, 6]);
    expect(meant.equals(megabytes(2, 2))).toBe(true);
  });

  it('those of another candidate do not put away the one that is meant', async () => {
    const [first] = replyOf(inline(megabytes(2, 1))).candidates;
    const [second] = replyOf(inline(megabytes(2, 2)), inline(megabytes(2, 3))).candidates;
    const { meant } = await held({ candidates: [first, second] as never });
    expect(meant.equals(megabytes(2, 1))).toBe(true);
  });

  it('more in all than is ever held is no matter, where little of it is kept', async () => {
    const drafts = Array.from({ length: 12 }, (_, i) => inline(megabytes(4, i)));
    expect((await held(replyOf(...drafts))).meant.equals(megabytes(4, 11))).toBe(true);
  });

  it('the header is in the first piece', async () => {
    const { json, image } = await readInlineReply(whole(replyOf(inline(megabytes(3, 1)))));
    const [first] = image(parse(json).candidates[0].content.parts[0].inlineData.data);
    expect(first?.length).toBeGreaterThanOrEqual(1_048_576);
  });
});

describe('of a reply without end no more is held than', () => {
  /** How many bytes of an endless body are taken before it is refused. It must be closed then. */
  async function taken(start: string, again: string): Promise<number> {
    let [bytes, isClosed] = [0, false];
    async function* endless() {
      try {
        yield Buffer.from(start);
        for (const chunk = Buffer.from(again); bytes < longBytes; bytes += chunk.length) yield chunk;
      } finally {
        isClosed = true;
      }
    }
    await expect(readInlineReply(endless())).rejects.toMatchObject({ name: 'TooLarge' });
    expect(isClosed).toBe(true);
    return bytes;
  }
  /** As good as endless: more than any limit. */
  const longBytes = 60_000_000;
  const place = '{"candidates":[{"content":{"parts":[';
  const isAbout = (bytes: number, limit: number) => {
    expect(bytes).toBeGreaterThan(limit * 0.95);
    expect(bytes).toBeLessThan(limit * 1.05);
  };

  it('an image', async () => {
    const letters = await taken(`${place}{"inlineData":{"data":"`, 'QUJD'.repeat(10_000));
    isAbout(letters * 0.75, imageBytesMax);
  });

  it('words', async () => {
    isAbout(await taken(`${place}{"text":"`, 'word '.repeat(10_000)), restBytesMax);
  });

  it('what is no base64 within an image', async () => {
    isAbout(await taken(`${place}{"inlineData":{"data":"`, '\\n'.repeat(10_000)), restBytesMax);
  });

  it('images', async () => {
    const image = '{"inlineData":{"data":"QUJD"}},';
    isAbout((await taken(place, image)) / image.length, imagesMax);
  });
});
