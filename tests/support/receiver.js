// A receiver of the Forward protocol: the fluent organisation's own server, which writes each event as a line to a file.
// node receiver.js CONFIG: {port, file, tls, security, memory, die}
"use strict";
const fs = require("fs");
const Module = require("module");

// the server's one dependency lies beside it
const resolve = Module._resolveFilename;
Module._resolveFilename = (name, ...rest) => resolve(name === "@msgpack/msgpack" ? `${__dirname}/vendor/msgpack/index.js` : name, ...rest);
const { FluentServer } = require("./vendor/fluent/server.js");

const config = JSON.parse(process.argv[2]);
const file = fs.openSync(config.file, "a");
const kept = [];
let count = 0;

class Receiver extends FluentServer {
  handleConnection(socket) {
    // the server acknowledges before it hands the events on: what it says is held back until they are written
    const write = socket.write.bind(socket);
    socket.write = (...given) => {
      if (given[0][0] !== 0x81) return write(...given); // no acknowledgement (a map of one): HELO, PONG
      setImmediate(() => write(...given));
      return true;
    };
    return super.handleConnection(socket);
  }

  onEntry(tag, time, record) {
    const at = typeof time === "number" ? [time, 0] : [time.epoch, time.nano];
    const line = JSON.stringify([tag, at, record]) + "\n";
    if (config.memory) kept.push(line);
    else fs.writeSync(file, line);
    count += 1;
    if (config.die && count === config.die) process.kill(process.pid, "SIGKILL");
  }
}

const read = (name) => fs.readFileSync(name, "utf8");
const tls = config.tls && {
  key: read(config.tls.key),
  cert: read(config.tls.cert),
  ca: config.tls.ca && read(config.tls.ca),
  requestCert: Boolean(config.tls.ca),
  rejectUnauthorized: Boolean(config.tls.ca),
};
const server = new Receiver({
  listenOptions: { port: config.port, host: "127.0.0.1" },
  tlsOptions: tls || undefined,
  security: config.security,
});
server.server.on("tlsClientError", () => {});
process.on("SIGTERM", () => {
  const end = () => {
    for (const line of kept) fs.writeSync(file, line);
    process.exit(0);
  };
  // what has been sent is taken in first: from connections that wait to be accepted, then from those that have ended
  setTimeout(() => server.server.close(() => setTimeout(end, 50)), 20);
});
server.listen().then(() => console.log(server.port));
