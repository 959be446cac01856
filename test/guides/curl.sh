# BASE: where the functions are. TOKEN: an ID token of the user. KEY: new for each image, as of uuidgen.
set -eu
call() { curl -sS -H "Authorization: Bearer $TOKEN" "$@"; }

call "$BASE/account"

# Tries again, with the same key, after a lost connection and after 408, 429 and 5xx; heeds Retry-After.
call "$BASE/generate" --retry 5 --retry-all-errors --max-time 150 -o answer.json \
  -H 'Content-Type: application/json' -H "Idempotency-Key: $KEY" \
  -d '{"prompt":"A banana in a space suit","tier":"premium2","orientation":"portrait"}'
cat answer.json

# The same generation again by its key, then the images and the entries, newest first.
call "$BASE/generation?key=$KEY"
call "$BASE/gallery?pageSize=10"
call "$BASE/ledger"

ID=$(sed 's/.*"generation":{"id":"\([0-9a-f]*\)".*/\1/' answer.json)
call "$BASE/deleteGeneration" -H 'Content-Type: application/json' -d "{\"id\":\"$ID\"}"
