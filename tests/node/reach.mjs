// Tries to reach what the input says, in the ways that Node has, and tells what came of each.
import dgram from "node:dgram";
import http from "node:http";
import net from "node:net";
import tls from "node:tls";
import { text } from "node:stream/consumers";

const { input } = JSON.parse(await text(process.stdin));
const [host, port] = input;
const settled = (start) =>
  new Promise((done) => start((word) => done(word), (error) => done(error.cause?.code ?? error.code ?? String(error))));
const output = {
  fetch: await settled((ok, no) => fetch(`http://${host}:${port}/`).then((r) => ok(r.status), no)),
  http: await settled((ok, no) => http.get({ host, port }, (r) => ok(r.statusCode)).on("error", no)),
  net: await settled((ok, no) => net.connect(port, host, () => ok("open")).on("error", no)),
  tls: await settled((ok, no) => tls.connect(port, host, () => ok("open")).on("error", no)),
  udp: await settled((ok, no) => {
    const socket = dgram.createSocket("udp4");
    try {
      socket.send("x", port, host, (error) => (error ? no(error) : ok("sent")));
    } catch (error) {
      no(error);
    }
  }),
};
console.log(JSON.stringify({ output }));
process.exit(0);
