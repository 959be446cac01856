/**
 * Loaded before every measured server that verifies tokens. Connections to www.googleapis.com go to the bench's
 * key server, so that production code fetches from the production address and verifies real RS256 tokens.
 */
const net = require('node:net');

const port = Number(process.env.BENCH_KEYS_PORT);
const { connect } = net.Socket.prototype;
net.Socket.prototype.connect = function (...args) {
  const [first] = args;
  // net.connect passes [options, callback], already normalised; tls.connect passes the options.
  const options = Array.isArray(first) ? first[0] : first;
  if (options?.host === 'www.googleapis.com') Object.assign(options, { host: '127.0.0.1', port });
  return connect.apply(this, args);
};
