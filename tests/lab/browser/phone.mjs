// phone.mjs OPTIONS - a browser as a telephone: headless Chromium with JsSIP, SIP over WSS. OPTIONS is JSON: keyHash, the SHA-256
// of the one server key that is believed; page, where the web page is served; microphone, a WAV file that is said again and again; start,
// what JsSIP starts with. A line
// of stdin is JSON, [function of phone.html, arguments]; a line of stdout is JSON too, [event, cause], or ["sent" | "received", the
// text of a WebSocket message]. Driven by ../browser_ua.py. Origin: the lab scripts of this project.
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { createInterface } from "node:readline";
import { chromium } from "playwright-core";

const { keyHash, page: address, microphone, start } = JSON.parse(process.argv[2]);
const tell = (...what) => process.stdout.write(JSON.stringify(what) + "\n");
const files = { "/": "phone.html", "/jssip.js": "jssip.js" };
const here = name => new URL(name, import.meta.url).pathname;
const web = createServer((asked, answer) =>
  files[asked.url] ? answer.end(readFileSync(here(files[asked.url]))) : answer.writeHead(404).end());
// http://localhost is a secure context, without which a page gets no microphone.
await new Promise(listening => web.listen(new URL(address).port, "127.0.0.1", listening));

const browser = await chromium.launch({
  executablePath: "/usr/bin/chromium", headless: true,
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream",
    "--autoplay-policy=no-user-gesture-required", `--ignore-certificate-errors-spki-list=${keyHash}`,
    // Host candidates as addresses: nobody here resolves mDNS names.
    "--disable-features=WebRtcHideLocalIpsWithMdns",
    ...(microphone ? [`--use-file-for-fake-audio-capture=${microphone}`] : [])],
});
const page = await browser.newPage();
page.on("pageerror", error => tell("error", error.message));
page.on("websocket", socket => {
  socket.on("framesent", frame => tell("sent", String(frame.payload)));
  socket.on("framereceived", frame => tell("received", String(frame.payload)));
});
await page.exposeFunction("tell", tell);
await page.goto(address);
await page.evaluate(start => window.start(start), start);
for await (const line of createInterface({ input: process.stdin })) {
  const [name, ...given] = JSON.parse(line);
  await page.evaluate(([name, given]) => { window[name](...given); }, [name, given]);
}
await browser.close();
process.exit(0);
