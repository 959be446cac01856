/** What the composer remembers of a prompt before its improvement, and of the names of references. */
import { expect, it } from 'vitest';
import { createDraft } from '../../web/state/draft.ts';

function improvedDraft() {
  const draft = createDraft();
  draft.write('A harbour');
  draft.ownPrompt.value = draft.prompt.value;
  draft.prompt.value = 'A harbour at dawn, boats in the mist';
  return draft;
}

it("an improved prompt keeps the user's own one while it is edited", () => {
  const draft = improvedDraft();
  draft.write('A harbour at dawn, boats in the mist, gulls', ', gulls');
  draft.write('A harbour at dawn, gulls', null);
  expect(draft.toRequest()).toMatchObject({
    prompt: 'A harbour at dawn, gulls',
    originalPrompt: 'A harbour',
  });
});

it('a prompt that is emptied forgets the own one', () => {
  const draft = improvedDraft();
  draft.write(' ');
  draft.write('A dog');
  expect(draft.toRequest()).not.toHaveProperty('originalPrompt');
});

it('a prompt that is replaced as a whole forgets the own one', () => {
  const draft = improvedDraft();
  draft.write('A', 'A');
  draft.write('A dog', ' dog');
  expect(draft.toRequest()).not.toHaveProperty('originalPrompt');
});

it('the references of a failed request have their names again', () => {
  const draft = createDraft();
  const file = { mimeType: 'image/png', data: 'AAAA', bytes: 3, previewUrl: '' } as const;
  draft.references.value = [
    { kind: 'file', name: 'one.png', ...file },
    { kind: 'generation', id: 'two', previewUrl: '', name: 'A bridge' },
  ];
  const request = draft.toRequest();
  draft.references.value = [];
  draft.edit(request);
  expect(draft.references.value.map(({ name }) => name)).toEqual(['one.png', 'A bridge']);
});
