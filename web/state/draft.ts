/** What the form holds: the next image as it is being thought of. */
import { computed, signal } from '@preact/signals';
import type { GenerateInput, Generation, Orientation, Tier } from '../../shared/contract.ts';
import type { PickedImage } from '../pickImages.ts';

/** A reference image: one of the gallery, or a file of the user's. */
export type Reference =
  | { kind: 'generation'; id: string; previewUrl: string; name: string }
  | ({ kind: 'file' } & PickedImage);

export function createDraft() {
  const prompt = signal('');
  /** What the user wrote before it was improved. */
  const ownPrompt = signal<string | undefined>();
  const tier = signal<Tier>('standard');
  const orientation = signal<Orientation>('landscape');
  const references = signal<Reference[]>([]);

  return {
    prompt,
    ownPrompt,
    tier,
    orientation,
    references,
    referenceBytes: computed(() =>
      references.value.reduce((sum, one) => sum + (one.kind === 'file' ? one.bytes : 0), 0),
    ),

    request(): GenerateInput {
      const images = references.value.map((one) =>
        one.kind === 'generation' ? { generationId: one.id } : { mimeType: one.mimeType, data: one.data },
      );
      return {
        prompt: prompt.value,
        tier: tier.value,
        orientation: orientation.value,
        ...(images.length > 0 && { references: images }),
      };
    },

    reuse(generation: Generation, own: string | undefined): void {
      prompt.value = generation.prompt ?? '';
      ownPrompt.value = own;
      tier.value = generation.tier;
      orientation.value = generation.orientation;
    },
  };
}
