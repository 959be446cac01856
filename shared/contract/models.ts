/** What every list of models shows. */
import * as z from 'zod';
import { describe } from './describe.ts';

export const modelIdSchema = describe('The name of the model.', z.string());

export const modelReasonSchema = describe('Why the model is not ready.', z.string().optional());

export const modelRetryAtSchema = describe('When `exhausted` ends.', z.iso.datetime().optional());
