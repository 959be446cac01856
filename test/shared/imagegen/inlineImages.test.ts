/** The images taken out of a streamed reply, compared with what JSON.parse and Buffer make of the whole reply. */
import { describe, expect, it } from 'vitest';
import { createBase64Decoder } from '../../../shared/imagegen/base64.ts';
import {
  findImagePart,
  imagesMax,
  readInlineReply,
  restBytesMax,
} from '../../../shared/imagegen/inlineImages.ts';
import { imageBytesMax } from '../../../shared/images/imageFormat.ts';
import { fc } from '../../support/properties.ts';
import { type Choices, createChoices, cut, type Value, write } from '../../support/writtenJson.ts';

const numbers = fc.array(fc.nat({ max: 200 }), { minLength: 1, maxLength: 40 });
const whole = (json: unknown) => cut(JSON.stringify(json), () => 65_536);

const parse = (json: Uint8Array) => JSON.parse(new TextDecoder().decode(json));

/** Reads a reply in chunks and puts each image back as base64. */
async function read(text: string, choose: Choices): Promise<unknown> {
  const { json, image } = await readInlineReply(cut(text, choose));
  return eachImage(parse(json), (data) => Buffer.concat(image(data)).toString('base64'));
}
const expected = (text: string) =>
  eachImage(JSON.parse(text), (data) => Buffer.from(data, 'base64').toString('base64'));

/** Replaces the data of every image in a reply. */
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
const keys = fc.constantFrom(
  ...['data', 'inlineData', 'thought', 'thoughtSignature', 'text', 'mimeType', 'parts', 'inlinedata', '"'],
);
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
/** An object of some of these members in random order. */
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
  it('gives the same result in chunks as whole, for any formatting and any cuts', async () => {
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

  it('with invalid JSON is refused exactly if JSON.parse refuses it', async () => {
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

  it('keeps an empty body or an HTML page as it is', async () => {
    for (const body of ['', '<!DOCTYPE html><html>"data":"QUJD"</html>']) {
      const { json } = await readInlineReply(cut(body, () => 7));
      expect(Buffer.from(json).toString()).toBe(body);
    }
  });

  it('fails with the error of its body', async () => {
    async function* breaksOff() {
      yield Buffer.from('{"candidates":[{"content":{"parts":[{"inlineData":{"data":"QUJ');
      throw new TypeError('terminated');
    }
    await expect(readInlineReply(breaksOff())).rejects.toThrow(new TypeError('terminated'));
  });
});

it('decodes base64 as Buffer does, for any cuts', () => {
  fc.assert(
    fc.property(base64, numbers, (data, cuts) => {
      const [choose, out]: [Choices, number[]] = [createChoices(cuts), []];
      const decode = createBase64Decoder((bytes) => out.push(...bytes));
      const letters = Buffer.from(data);
      for (let at = 0; at < letters.length; ) {
        const chunk = letters.subarray(0, at + 1 + choose());
        at = decode(chunk, at);
        // Skip a byte that is not base64, unless the chunk has ended.
        if (at < chunk.length) at += 1;
      }
      expect(Buffer.from(out)).toEqual(Buffer.from(data, 'base64'));
    }),
    { numRuns: 2_000 },
  );
});

describe('among several images', () => {
  const megabytes = (count: number, byte: number) => Buffer.alloc(count * 1_000_000, byte);
  const inline = (bytes: Buffer) => ({ inlineData: { data: bytes.toString('base64') } });
  const toReply = (...parts: object[]) => ({ candidates: [{ content: { parts } }] });

  /** The first byte of each image still in memory, and the bytes of the final image. */
  async function readImages(value: ReturnType<typeof toReply>) {
    const { json, image } = await readInlineReply(whole(value));
    const candidates: { content: { parts: Parameters<typeof findImagePart>[0] } }[] = parse(json).candidates;
    const all = candidates.flatMap(({ content: { parts } }) =>
      parts.map((each) => image(each.inlineData?.data)),
    );
    const finalPart = findImagePart(candidates[0]?.content.parts ?? []);
    return {
      kept: all.map((chunks) => chunks[0]?.[0]).filter((byte) => byte !== undefined),
      final: Buffer.concat(image(finalPart?.inlineData?.data)),
    };
  }

  it('drops drafts that can no longer be final', async () => {
    const [one, two, three] = [megabytes(2, 1), megabytes(2, 2), megabytes(3, 3)];
    const { kept, final } = await readImages(toReply(inline(one), inline(two), inline(three)));
    expect(kept).toEqual([2, 3]);
    expect(final.equals(three)).toBe(true);
  });

  it('drops thoughts, whether marked before or after their image', async () => {
    const thoughts = [
      { ...inline(megabytes(2, 1)), thought: true },
      { thought: true, ...inline(megabytes(2, 2)) },
    ];
    const { kept, final } = await readImages(toReply(...thoughts, inline(megabytes(2, 3))));
    expect(kept).toEqual([3]);
    expect(final.equals(megabytes(2, 3))).toBe(true);
  });

  it('keeps the last image that is not a thought, even if thoughts follow it', async () => {
    const thoughts = [4, 5, 6].map((byte) => ({ ...inline(megabytes(2, byte)), thought: true }));
    const { kept, final } = await readImages(
      toReply(inline(megabytes(2, 1)), inline(megabytes(2, 2)), ...thoughts),
    );
    expect(kept).toEqual([2, 6]);
    expect(final.equals(megabytes(2, 2))).toBe(true);
  });

  it('keeps the final image when another candidate follows', async () => {
    const [first] = toReply(inline(megabytes(2, 1))).candidates;
    const [second] = toReply(inline(megabytes(2, 2)), inline(megabytes(2, 3))).candidates;
    const { final } = await readImages({ candidates: [first, second] as never });
    expect(final.equals(megabytes(2, 1))).toBe(true);
  });

  it('accepts more images in total than fit in memory if few are kept', async () => {
    const drafts = Array.from({ length: 4 }, (_, i) => inline(megabytes(25, i)));
    expect((await readImages(toReply(...drafts))).final.equals(megabytes(25, 3))).toBe(true);
  });

  it('has the image header in the first chunk', async () => {
    const { json, image } = await readInlineReply(whole(toReply(inline(megabytes(3, 1)))));
    const [first] = image(parse(json).candidates[0].content.parts[0].inlineData.data);
    expect(first?.length).toBeGreaterThanOrEqual(1_048_576);
  });
});

describe('limits the memory of an endless reply of', () => {
  /** How many bytes of an endless body are read before it is refused. The body must be closed then. */
  async function countBytesRead(start: string, again: string): Promise<number> {
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
  /** More bytes than any limit. */
  const longBytes = 60_000_000;
  const place = '{"candidates":[{"content":{"parts":[';
  const isAbout = (bytes: number, limit: number) => {
    expect(bytes).toBeGreaterThan(limit * 0.95);
    expect(bytes).toBeLessThan(limit * 1.05);
  };

  it('one image', async () => {
    const letters = await countBytesRead(`${place}{"inlineData":{"data":"`, 'QUJD'.repeat(10_000));
    isAbout(letters * 0.75, imageBytesMax);
  });

  it('text', async () => {
    isAbout(await countBytesRead(`${place}{"text":"`, 'word '.repeat(10_000)), restBytesMax);
  });

  it('bytes that are not base64 within an image', async () => {
    isAbout(await countBytesRead(`${place}{"inlineData":{"data":"`, '\\n'.repeat(10_000)), restBytesMax);
  });

  it('many images', async () => {
    const image = '{"inlineData":{"data":"QUJD"}},';
    isAbout((await countBytesRead(place, image)) / image.length, imagesMax);
  });
});
