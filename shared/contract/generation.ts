/** A generation as every function shows it, and the requests that name one. */
import * as z from 'zod';
import { countOf, describe, time } from './describe.ts';
import { generationIdSchema, idempotencyKeySchema } from './ids.ts';
import { nextPageTokenSchema, pageQuerySchema } from './pages.ts';
import { aspectRatioSchema, orientationSchema, resolutionSchema, tierSchema } from './tiers.ts';

/** The query of `generation`: exactly one of the two. */
export const generationQuerySchema = z
  .strictObject({
    id: describe("The generation's id.", generationIdSchema.optional()),
    key: describe('The `Idempotency-Key` of the request.', idempotencyKeySchema.optional()),
  })
  .refine(({ id, key }) => (id === undefined) !== (key === undefined), {
    path: ['id'],
    message: 'or key is required, but not both',
  });

export const deleteGenerationRequestSchema = describe(
  'The generation to delete.',
  z.strictObject({ id: generationIdSchema }),
);

export const favouriteRequestSchema = describe(
  'The image, and whether it is a favourite.',
  z.strictObject({
    id: generationIdSchema,
    favourite: describe(
      'True to mark the image, false to remove the mark.',
      z.boolean({ error: 'must be true or false' }),
    ),
  }),
);

/** The longest `query` of `gallery`, in UTF-16 code units. */
export const queryCharactersMax = 200;

export const galleryQuerySchema = pageQuerySchema.extend({
  query: describe(
    'Only images with a prompt, or an `originalPrompt`, that has all these words. Case and order do not matter. A query without letters and digits finds everything.',
    z
      .string()
      .max(queryCharactersMax, `must have at most ${countOf(queryCharactersMax, 'character')}`)
      .optional(),
  ),
  favourite: describe(
    'Only favourites.',
    z.literal('true', { error: 'must be true, or left out' }).optional(),
  ),
});

export type GalleryQuery = z.infer<typeof galleryQuerySchema>;

export const imageSchema = describe(
  'A finished image.',
  z.strictObject({
    url: describe('The address of the image.', z.url()),
    thumbnailUrl: describe('The address of a small version.', z.url()),
    mimeType: describe('The format of the image.', z.enum(['image/png', 'image/jpeg', 'image/webp'])),
    width: describe('In pixels.', z.int().positive()),
    height: describe('In pixels.', z.int().positive()),
    bytes: describe('The size of the file in bytes.', z.int().positive()),
    contentCredentials: describe(
      'Whether the file has C2PA content credentials. Absent if that is not known.',
      z.enum(['present', 'absent']).optional(),
    ),
  }),
);

export type Image = z.infer<typeof imageSchema>;

export const statusSchema = describe(
  'The state of a generation. `pending` ends in `succeeded` or `refunded`. `succeeded` becomes `deleted` when the user deletes the image, or the studio removes it.',
  z.enum(['pending', 'succeeded', 'refunded', 'deleted']),
);

export type Status = z.infer<typeof statusSchema>;

export const generationSchema = describe(
  'One request for an image and its result. It looks the same in every answer.',
  z.strictObject({
    id: generationIdSchema,
    status: statusSchema,
    tier: tierSchema,
    orientation: orientationSchema,
    resolution: resolutionSchema,
    aspectRatio: describe(
      "The shape of the image, if the request set one in place of the tier's.",
      aspectRatioSchema.optional(),
    ),
    prompt: describe('The prompt of the request. Null after the user deleted it.', z.string().nullable()),
    enhancedPrompt: describe(
      'The improved prompt that the model got. Null if the model got `prompt`.',
      z.string().nullable(),
    ),
    originalPrompt: describe(
      'What the user wrote before an improvement: the `originalPrompt` of the request, or else its `prompt` if it asked to `enhance`. Absent otherwise, and after the user deleted it.',
      z.string().optional(),
    ),
    reducedReferences: describe(
      'The images of which the model got smaller versions, because they were too large for one request: their positions, from 0, with the edited image before the references. Absent if there are none.',
      z.array(z.int().min(0)).optional(),
    ),
    parentId: describe('The image that this one changes. Absent if it is no edit.', z.string().optional()),
    group: describe(
      'The `group` of the request, if it had one. Absent after the user deleted the image.',
      z.string().optional(),
    ),
    references: describe(
      "The reference images of the request: `generation:` and an id for one of the caller's images, or a hash of an image in the request, which is not kept. Absent if there are none, and after the user deleted the image.",
      z.array(z.string()).optional(),
    ),
    model: describe('The model that made the image. Null if there is none.', z.string().nullable()),
    cached: describe('True if the image came from the cache. It then cost nothing.', z.boolean()),
    credits: describe('What it cost. 0 after a refund, and for an image from the cache.', z.int().min(0)),
    createdAt: time('When the generation was requested.'),
    image: describe('Null unless `status` is `succeeded`.', imageSchema.nullable()),
    favourite: describe('True if the user has marked the image.', z.boolean()),
    failure: describe(
      'Why the generation failed. Present only if `status` is `refunded`.',
      z
        .strictObject({
          reason: describe('One of the reasons of an error.', z.string()),
          message: describe('The explanation for a person.', z.string()),
        })
        .optional(),
    ),
    shareUrl: describe(
      'The address under which anyone can see the image. Absent if it is private.',
      z.url().optional(),
    ),
    removedBy: describe(
      'Present if the studio removed the image, not the user. `status` is then `deleted`.',
      z.literal('studio').optional(),
    ),
    removedReason: describe('Why the studio removed the image.', z.string().optional()),
  }),
);

export type Generation = z.infer<typeof generationSchema>;

export const receiptSchema = describe(
  'The cost of a generation, and the account after its last ledger commit.',
  z.strictObject({
    charged: describe('Credits charged.', z.int().min(0)),
    refunded: describe('Credits refunded.', z.int().min(0)),
    balance: describe('Credits in the account after that commit.', z.int()),
    sequence: describe(
      "The number of the account's last entry then. The receipt with the highest number is the newest.",
      z.int().min(0),
    ),
  }),
);

export type Receipt = z.infer<typeof receiptSchema>;

/** The most ancestors that `generation` answers. */
export const ancestorsMax = 20;

export const generationAnswerSchema = describe(
  'One generation, and what it was made from.',
  z.strictObject({
    generation: generationSchema,
    ancestors: describe(
      `In the answer of \`generation\` for an edit: the image that it changes, the parent of that image, and so on, newest first, at most ${ancestorsMax}. A deleted one is listed without words and image. Absent if the generation is no edit.`,
      z.array(generationSchema).max(ancestorsMax).optional(),
    ),
  }),
);

export type GenerationAnswer = z.infer<typeof generationAnswerSchema>;

export const galleryAnswerSchema = describe(
  'A page of generations. With `query` or `favourite` it may have fewer than `pageSize`, even none, and still a `nextPageToken`.',
  z.strictObject({
    generations: describe('Newest first.', z.array(generationSchema)),
    nextPageToken: nextPageTokenSchema,
  }),
);

export type GalleryAnswer = z.infer<typeof galleryAnswerSchema>;
