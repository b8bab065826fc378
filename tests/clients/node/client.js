// Sluice's conformance service called by Apache Thrift's Node.js library: HOST PORT TLS_PORT CA.
const assert = require("assert");
const fs = require("fs");
const Int64 = require("node-int64");
const thrift = require("thrift");
const Conformance = require("./Conformance");
const types = require("./conformance_types");

const [host, port, tlsPort, ca] = process.argv.slice(2);
const protocols = {
  binary: thrift.TBinaryProtocol,
  compact: thrift.TCompactProtocol,
  json: thrift.TJSONProtocol,
};
const transports = { buffered: thrift.TBufferedTransport, framed: thrift.TFramedTransport };

// The library's compact protocol reads each bool of a list as false, and its JSON protocol a map of
// lists as another one.
function mended(sample, protocol) {
  if (protocol === "compact") sample.truths = [true, false, true];
  if (protocol === "json")
    sample.series = { limits: [new Int64("8000000000000000"), new Int64("7fffffffffffffff")], none: [] };
  return sample;
}

async function check(client, protocol) {
  await client.ping();
  assert.strictEqual(await client.name(), "conformance");
  const sample = await client.sample();
  assert(sample.yes === true && sample.no === false);
  assert(sample.least_i8 === -128 && sample.most_i32 === 2147483647);
  assert(isNaN(sample.not_a_number) && (await client.negated(Infinity)) === -Infinity);
  assert.strictEqual(sample.planes, 'a " \\ / é € \u{1f600}');
  assert(sample.colour === types.Colour.GREEN && sample.choice.text === "chosen");
  assert.deepStrictEqual([...sample.primes].sort(), [2, 3]);
  assert.deepStrictEqual(Buffer.from(sample.every_byte), Buffer.from([...Array(256).keys()]));
  assert.strictEqual(await client.difference(mended(sample, protocol)), "");
  assert.strictEqual(await client.difference(mended(await client.echo(sample), protocol)), "");
  sample.least_i32 += 1;
  assert.strictEqual(await client.difference(sample), "least_i32");
  assert.strictEqual((await client.echo_leaf(new types.Leaf({ id: 5 }))).weight, 7);
  assert.strictEqual((await client.echo_painted(new types.Painted({ colour: 77 }))).colour, 77);
  client.note("from Node.js");
  await assert.rejects(client.refuse(7, "größer"),
    (error) => error instanceof types.Refused && error.code === 7 && error.why === "größer");
}

function connect(transport, protocol, secure) {
  const options = { protocol: protocols[protocol], ca: fs.readFileSync(ca) };
  const at = secure ? tlsPort : port;
  if (transport === "http") {
    options.transport = thrift.TBufferedTransport;
    options.path = "/";
    options.https = secure;
    options.nodeOptions = { ca: options.ca };
    const connection = thrift.createHttpConnection(host, at, options);
    return [connection, thrift.createHttpClient(Conformance, connection)];
  }
  if (transport === "websocket") {
    Object.assign(options, { transport: thrift.TBufferedTransport, path: "/", secure, wsOptions: { ca: options.ca } });
    const connection = thrift.createWSConnection(host, at, options);
    connection.open();
    return [connection, thrift.createWSClient(Conformance, connection)];
  }
  options.transport = transports[transport];
  const connection = secure
    ? thrift.createSSLConnection(host, at, options)
    : thrift.createConnection(host, at, options);
  return [connection, thrift.createClient(Conformance, connection)];
}

async function attempt(transport, protocol, secure) {
  const [connection, client] = connect(transport, protocol, secure);
  try {
    await Promise.race([
      check(client, protocol),
      new Promise((_, reject) => connection.on("error", reject).on("close", () => reject("closed"))),
    ]);
  } finally {
    if (connection.end) connection.end();
    else if (connection.close) connection.close();
  }
}

(async () => {
  let failures = 0;
  for (const secure of [false, true])
    for (const transport of ["buffered", "framed", "http", "websocket"])
      for (const protocol of Object.keys(protocols)) {
        const name = `${transport} ${protocol} ${secure ? "tls" : "plain"}`;
        try {
          await attempt(transport, protocol, secure);
          console.log("ok", name);
        } catch (error) {
          failures++;
          console.log("FAILED", name, String(error.stack || error).replace(/\n/g, " | "));
        }
      }
  process.exit(failures > 0 ? 1 : 0);
})();
