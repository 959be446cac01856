/** Requests one image with the same key until it is settled, so that it is charged once. */
export async function generate(baseUrl: string, token: () => Promise<string>, key: string, request: object) {
  for (let attempt = 1; ; attempt++) {
    const response = await fetch(`${baseUrl}/generate`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${await token()}`,
        'content-type': 'application/json',
        'idempotency-key': key,
      },
      body: JSON.stringify(request),
      signal: AbortSignal.timeout(150_000),
    }).catch(() => undefined);
    const answer = await response?.json().catch(() => undefined);
    if (response?.ok && answer) return answer; // {"generation", "receipt"}

    const status = response?.status ?? 0;
    const info = answer?.error?.details?.[0];
    const retry = info?.metadata?.retry ?? (status >= 400 && status < 500 ? 'no' : 'same_key');
    if (retry !== 'same_key' || attempt === 60) {
      throw Object.assign(new Error(answer?.error?.message ?? 'The studio did not answer.'), {
        reason: info?.reason,
        retry,
        receipt: answer?.receipt,
      });
    }
    const seconds = Number(response?.headers.get('retry-after')) || 1;
    await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  }
}
