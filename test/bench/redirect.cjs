/**
 * Loaded before every server that is measured with tokens: connections to www.googleapis.com go to the
 * bench's own key server, so that production's code fetches production's address and checks real RS256 tokens.
 */
const net = require('node:net');

const port = Number(process.env.BENCH_KEYS_PORT);
const { connect } = net.Socket.prototype;
net.Socket.prototype.connect = function (...args) {
  const [first] = args;
  // net.connect hands on [options, callback] already normalised; tls.connect the options themselves.
  const options = Array.isArray(first) ? first[0] : first;
  if (options?.host === 'www.googleapis.com') Object.assign(options, { host: '127.0.0.1', port });
  return connect.apply(this, args);
};
