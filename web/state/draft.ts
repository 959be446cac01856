/** The content of the form: the next image request while the user writes it. */
import { computed, signal } from '@preact/signals';
import type { GenerateInput, Generation, Orientation, Tier } from '../../shared/contract.ts';
import type { PickedImage } from '../pickImages.ts';

/** A reference image: from the gallery, or a file from the user's device. */
export type Reference =
  | { kind: 'generation'; id: string; previewUrl: string; name: string }
  | ({ kind: 'file' } & PickedImage);

export type DraftContent = {
  prompt: string;
  ownPrompt: string | undefined;
  tier: Tier;
  orientation: Orientation;
  references: Reference[];
};

export function createDraft() {
  const prompt = signal('');
  /** What the user wrote before they accepted an improved prompt. */
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
    /** Total size of the files; gallery images count 0 because only their id is sent. */
    referenceBytes: computed(() =>
      references.value.reduce((sum, one) => sum + (one.kind === 'file' ? one.bytes : 0), 0),
    ),

    toRequest(): GenerateInput {
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

    getContent: (): DraftContent => ({
      prompt: prompt.value,
      ownPrompt: ownPrompt.value,
      tier: tier.value,
      orientation: orientation.value,
      references: references.value,
    }),

    /** Fills the form with an earlier draft, unless the user has begun another one. */
    restore(content: DraftContent): void {
      if (prompt.value !== '' || references.value.length > 0) return;
      prompt.value = content.prompt;
      ownPrompt.value = content.ownPrompt;
      tier.value = content.tier;
      orientation.value = content.orientation;
      references.value = content.references.map(withPreview);
    },

    /** Fills the form with the prompt and settings of an existing image; references stay as they are. */
    reuse(generation: Generation, own: string | undefined): void {
      prompt.value = generation.prompt ?? '';
      ownPrompt.value = own;
      tier.value = generation.tier;
      orientation.value = generation.orientation;
    },
  };
}

/** The object URL of a file does not survive the page that made it. */
function withPreview(reference: Reference): Reference {
  if (reference.kind !== 'file') return reference;
  const bytes = Uint8Array.from(atob(reference.data), (character) => character.charCodeAt(0));
  return { ...reference, previewUrl: URL.createObjectURL(new Blob([bytes], { type: reference.mimeType })) };
}
