/**
 * The fields of a GenerateContentRequest. Google's JSON parser refuses unknown names at every level, so a misspelt or
 * misplaced name must fail here too. Fields that the product never uses are `any`.
 */
type Shape =
  | 'any'
  | 'string'
  | 'number'
  | 'boolean'
  | 'bytes'
  | { list: Shape }
  | { fields: Readonly<Record<string, Shape>> }
  | { oneOf: readonly string[]; type: string };

const part: Shape = {
  fields: {
    text: 'string',
    inlineData: { fields: { mimeType: 'string', data: 'bytes' } },
    fileData: { fields: { mimeType: 'string', fileUri: 'string' } },
    thought: 'boolean',
    thoughtSignature: 'bytes',
    functionCall: 'any',
    functionResponse: 'any',
    executableCode: 'any',
    codeExecutionResult: 'any',
    videoMetadata: 'any',
    mediaResolution: 'any',
    partMetadata: 'any',
  },
};
const content: Shape = { fields: { role: 'string', parts: { list: part } } };
const protoPackage = 'type.googleapis.com/google.ai.generativelanguage.v1beta';
const harmCategories = [
  'HATE_SPEECH',
  'SEXUALLY_EXPLICIT',
  'DANGEROUS_CONTENT',
  'HARASSMENT',
  'CIVIC_INTEGRITY',
];

const generateContentRequest: Shape = {
  fields: {
    model: 'string',
    contents: { list: content },
    systemInstruction: content,
    safetySettings: {
      list: {
        fields: {
          category: {
            oneOf: harmCategories.map((name) => `HARM_CATEGORY_${name}`),
            type: `${protoPackage}.HarmCategory`,
          },
          threshold: {
            oneOf: ['BLOCK_LOW_AND_ABOVE', 'BLOCK_MEDIUM_AND_ABOVE', 'BLOCK_ONLY_HIGH', 'BLOCK_NONE', 'OFF'],
            type: `${protoPackage}.SafetySetting.HarmBlockThreshold`,
          },
        },
      },
    },
    generationConfig: {
      fields: {
        responseModalities: {
          list: { oneOf: ['TEXT', 'IMAGE', 'AUDIO'], type: `${protoPackage}.GenerationConfig.Modality` },
        },
        imageConfig: { fields: { aspectRatio: 'string', imageSize: 'string' } },
        thinkingConfig: {
          fields: { includeThoughts: 'boolean', thinkingBudget: 'number', thinkingLevel: 'string' },
        },
        candidateCount: 'number',
        stopSequences: { list: 'string' },
        maxOutputTokens: 'number',
        temperature: 'number',
        topP: 'number',
        topK: 'number',
        seed: 'number',
        presencePenalty: 'number',
        frequencyPenalty: 'number',
        responseMimeType: 'string',
        responseSchema: 'any',
        responseJsonSchema: 'any',
        responseLogprobs: 'boolean',
        logprobs: 'number',
        speechConfig: 'any',
        mediaResolution: 'string',
        enableEnhancedCivicAnswers: 'boolean',
        audioTranscriptionConfig: 'any',
      },
    },
    tools: 'any',
    toolConfig: 'any',
    cachedContent: 'string',
    labels: 'any',
    serviceTier: 'string',
    store: 'boolean',
  },
};

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const snake = (name: string) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
const camel = (name: string) => name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());

export type FieldProblem = { field: string; description: string };

/** Finds the problems that Google's parser reports, with its spelling of paths: `generation_config.image_config`. */
export function findProblems(
  value: unknown,
  shape: Shape = generateContentRequest,
  path = '',
): FieldProblem[] {
  // A protobuf parser treats a JSON null as "not set", in any field.
  if (shape === 'any' || value === null || value === undefined) return [];
  if (typeof shape === 'string') return primitiveProblem(value, shape, path);
  if ('oneOf' in shape) {
    return typeof value === 'string' && shape.oneOf.includes(value) ? [] : [invalid(path, shape.type, value)];
  }
  if ('list' in shape) {
    if (!Array.isArray(value)) return [invalid(path, 'LIST', value)];
    return value.flatMap((item, index) => findProblems(item, shape.list, `${path}[${index}]`));
  }
  if (!isObject(value)) return [invalid(path, 'MESSAGE', value)];
  return Object.entries(value).flatMap(([name, item]) => {
    const fieldShape = shape.fields[camel(name)];
    if (fieldShape === undefined) {
      const at = path === '' ? '' : ` at '${path}'`;
      return [
        {
          field: path,
          description: `Invalid JSON payload received. Unknown name "${name}"${at}: Cannot find field.`,
        },
      ];
    }
    return findProblems(item, fieldShape, path === '' ? snake(name) : `${path}.${snake(name)}`);
  });
}

/** Checks characters and length. A pattern for the whole text would backtrack over megabytes. */
function isBase64(text: string): boolean {
  const digits = text.replace(/={1,2}$/, '');
  return digits.length % 4 !== 1 && !/[^A-Za-z0-9+/_-]/.test(digits);
}

function primitiveProblem(value: unknown, shape: 'string' | 'number' | 'boolean' | 'bytes', path: string) {
  if (shape === 'bytes') {
    if (typeof value === 'string' && isBase64(value)) return [];
    const preview =
      typeof value === 'string' ? `Base64 decoding failed for "${value.slice(0, 80)}"` : String(value);
    return [{ field: path, description: `Invalid value at '${path}' (TYPE_BYTES), ${preview}` }];
  }
  const types = { string: 'TYPE_STRING', number: 'TYPE_FLOAT', boolean: 'TYPE_BOOL' } as const;
  return typeof value === shape ? [] : [invalid(path, types[shape], value)];
}

function invalid(path: string, type: string, value: unknown): FieldProblem {
  const preview = JSON.stringify(value)?.slice(0, 80);
  return { field: path, description: `Invalid value at '${path || 'request'}' (${type}), ${preview}` };
}

/** Renames all fields to camelCase: Google accepts both `image_config` and `imageConfig`. */
export function toCamelCaseFields(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(toCamelCaseFields);
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [camel(name), toCamelCaseFields(item)]),
  );
}
