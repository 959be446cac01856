import { startStudio } from '../support/studio.ts';

/** Without retries and fallback models, so that failures reach the user; more of them an hour than usual. */
export const startHistoriesStudio = () =>
  startStudio({
    RETRY_ATTEMPTS: '1',
    IMAGEGEN_FALLBACK_MODEL_IDS: '',
    MAX_REFUNDS_PER_HOUR_PER_USER: '1000',
    MAX_ENHANCE_PER_DAY_PER_USER: '1000',
    SUPPORT_EMAIL: 'support@example.com',
  });
