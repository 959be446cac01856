/**
 * The default of each variable that is a number. `environment.ts` says what each variable does. The default prices are in
 * `prices.ts`, the default models in `../imagegen/modelOrder.ts`.
 */
export const defaults = {
  SIGNUP_CREDITS: 10,
  DISPOSABLE_EMAIL_CREDITS: 0,
  ALLOWANCE_CREDITS: 0,

  MAX_IN_FLIGHT_PER_USER: 4,
  MAX_PER_MINUTE_PER_USER: 20,
  MAX_REFUNDS_PER_HOUR_PER_USER: 30,
  MAX_ENHANCE_PER_DAY_PER_USER: 100,

  GENERATE_TIMEOUT_MS: 120_000,
  HOLD_GRACE_MS: 60_000,
  CACHE_TTL_SECONDS: 0,

  PROMPT_TIMEOUT_MS: 4_000,
  RETRY_ATTEMPTS: 3,
  RETRY_BASE_DELAY_MS: 500,
};
