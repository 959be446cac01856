# BASE: the address of the functions. TOKEN: an ID token of the user. KEY: new for each image, for example from uuidgen.
set -eu
call() { curl -sS -H "Authorization: Bearer $TOKEN" "$@"; }

call "$BASE/account"

# Retries with the same key after a lost connection, 408, 429 and 5xx. Waits as long as Retry-After says.
call "$BASE/generate" --retry 5 --retry-all-errors --max-time 150 -o answer.json \
  -H 'Content-Type: application/json' -H "Idempotency-Key: $KEY" \
  -d '{"prompt":"A banana in a space suit","tier":"premium2","orientation":"portrait"}'
cat answer.json

# The same generation by its key, then the images and the ledger entries, newest first.
call "$BASE/generation?key=$KEY"
call "$BASE/gallery?pageSize=10"
call "$BASE/ledger"

ID=$(sed 's/.*"generation":{"id":"\([0-9a-f]*\)".*/\1/' answer.json)
call "$BASE/deleteGeneration" -H 'Content-Type: application/json' -d "{\"id\":\"$ID\"}"
