API=http://127.0.0.1:8080 AUTH=http://127.0.0.1:9099/identitytoolkit.googleapis.com/v1
read_json() { node -p "JSON.parse(fs.readFileSync(0))$1"; }
call() { curl -s -H 'Content-Type: application/json' "$@"; echo; }

EMAIL=ada-$(date +%s)@example.com
TOKEN=$(call "$AUTH/accounts:signUp?key=local" \
  -d "{\"email\":\"$EMAIL\",\"password\":\"nano-banana\",\"returnSecureToken\":true}" | read_json .idToken)
ACCOUNT=$(call "$API/account" -H "Authorization: Bearer $TOKEN" | read_json .account.uid)

call "$API/grant" -H 'Authorization: Bearer owner' -H "Idempotency-Key: welcome-$ACCOUNT" \
  -d "{\"uid\":\"$ACCOUNT\",\"amount\":10,\"reason\":\"welcome\"}"

call "$API/generate" -H "Authorization: Bearer $TOKEN" -H 'Idempotency-Key: first-image' \
  -d '{"prompt":"A banana in a space suit","tier":"premium2"}'
