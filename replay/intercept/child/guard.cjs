// Loaded by Node programs that the harness starts (NODE_OPTIONS): what the agent may not reach,
// they may not. The same list as in ../hosts.py; refusals are told on REPLAY_GUARD_FD.
"use strict";

const dns = require("node:dns");
const dgram = require("node:dgram");
const fs = require("node:fs");
const net = require("node:net");

const list = process.env.REPLAY_ALLOW_HOSTS;
if (list !== undefined) {
  const LOOPBACK = /^(localhost\.?|127(\.\d+){3}|::1|0:0:0:0:0:0:0:1|::ffff:127(\.\d+){3})$/;
  const plain = (host) => {
    const name = String(host).replace(/^\[|\]$/g, "").replace(/\.$/, "").toLowerCase();
    return LOOPBACK.test(name) ? "loopback" : name;
  };
  const rules = list.split(",").filter(Boolean).map((entry) => {
    const found = /^(\[.*\]|[^:]*):(\d+)$/.exec(entry);
    return found ? [plain(found[1]), Number(found[2])] : [plain(entry), null];
  });
  const matches = (name, pattern) =>
    new RegExp(`^${pattern.replace(/[.+^${}()|[\]\\]/g, "\\$&").replace(/\*/g, ".*")}$`).test(name);
  const learnt = new Map(); // address -> the allowed name that it was looked up for
  const allows = (host, port) =>
    [plain(host), learnt.get(plain(host))].some(
      (name) =>
        name !== undefined &&
        rules.some(([pattern, only]) => matches(name, pattern) && (!only || !port || only === port)),
    );
  const refusal = (host, port) => {
    try {
      fs.writeSync(Number(process.env.REPLAY_GUARD_FD), `${host}${port ? `:${port}` : ""}\n`);
    } catch {} // a program further down does not have it
    const error = new Error(`replay: ${host} is not in allow_hosts`);
    return Object.assign(error, { code: "ECONNREFUSED", syscall: "connect" });
  };

  const connect = net.Socket.prototype.connect;
  net.Socket.prototype.connect = function (...args) {
    const given = Array.isArray(args[0]) ? args[0][0] : args[0];
    const options = typeof given === "object" && given !== null ? given : { port: given, host: args[1] };
    const host = typeof options.host === "string" && options.host ? options.host : "localhost";
    const isPath = options.path !== undefined || (typeof given === "string" && Number.isNaN(Number(given)));
    if (isPath || allows(host, Number(options.port))) return connect.apply(this, args);
    process.nextTick(() => this.destroy(refusal(host, Number(options.port))));
    return this;
  };

  const lookup = dns.lookup;
  dns.lookup = function (host, ...rest) {
    const done = rest[rest.length - 1];
    if (net.isIP(host) || plain(host) === "loopback") return lookup.call(dns, host, ...rest);
    if (!allows(host, null)) {
      const error = refusal(host, null);
      return process.nextTick(() => done(error));
    }
    rest[rest.length - 1] = (error, found, ...more) => {
      for (const entry of Array.isArray(found) ? found : [{ address: found }])
        if (entry.address) learnt.set(plain(entry.address), plain(host));
      done(error, found, ...more);
    };
    return lookup.call(dns, host, ...rest);
  };
  const send = dgram.Socket.prototype.send;
  dgram.Socket.prototype.send = function (...args) {
    const host = args.find((arg, i) => i > 0 && typeof arg === "string") ?? "localhost";
    if (allows(host, null)) return send.apply(this, args);
    throw refusal(host, null);
  };
}
