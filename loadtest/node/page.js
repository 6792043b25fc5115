// The web page in Chromium: how fast it opens, takes keys and shows words. See loadtest/page.py.
//
//     node page.js '{"url": ..., "transcript": ..., "chromium": ..., "voice": ..., "minutes": N}'
//
// Says what it is doing, a line each, and at last what it measured, as JSON.

import { chromium } from "playwright-core";
import WebSocket from "ws";
import { WebsocketProvider } from "y-websocket";
import * as Y from "yjs";

const plan = JSON.parse(process.argv[2]);
const address = new URL(plan.url);
const COMMENTS = 200;
const OPENINGS = 5;
const SAMPLES = 12;
const KEYS = 250;
const KEY_MS = 40;

/** Comments as the page writes them, evenly. */
async function comment() {
  const doc = new Y.Doc();
  const sync = `ws://${address.host}/v1/transcripts`;
  const provider = new WebsocketProvider(sync, `${plan.transcript}/sync`, doc, {
    params: { token: address.searchParams.get("token") },
    WebSocketPolyfill: WebSocket,
    disableBc: true,
  });
  await new Promise((resume) => provider.once("sync", resume));
  const text = doc.getText("text");
  const at = (index) =>
    Y.relativePositionToJSON(Y.createRelativePositionFromTypeIndex(text, index));
  doc.transact(() => {
    for (let n = 0; n < COMMENTS; n++) {
      const start = Math.floor((text.length * n) / COMMENTS) + 3;
      const said = { text: "Is that so?", author: "Ada", created_ms: 0, resolved: false };
      const fields = { start: at(start), end: at(start + 6), quote: "words", ...said };
      doc.getMap("comments").set(`comment-${n}`, fields);
    }
  });
  await new Promise((resume) => setTimeout(resume, 1000)); // so that it is on its way
  provider.destroy();
}

/** Notes when what a message says is painted; runs in the page. */
function watchMessages() {
  const shown = { partials: [], finals: [] };
  const waiting = { partials: null, finals: null };
  let last = "";
  const Real = window.WebSocket;
  window.WebSocket = class extends Real {
    constructor(...given) {
      super(...given);
      if (!String(given[0]).includes("/sync")) return;
      this.addEventListener("message", ({ data }) => {
        if (typeof data === "string") return;
        const now = performance.now();
        const said = new TextDecoder("latin1").decode(data);
        const partials = /"partials":\s*\{\s*".*/s.exec(said)?.[0];
        if (partials && partials !== last) waiting.partials ??= now;
        if (partials) last = partials;
        if (/\d+:\d+:\d+"/.test(said)) waiting.finals ??= now;
      });
    }
  };
  const { port1, port2 } = new MessageChannel();
  const painted = [];
  port1.onmessage = () => painted.shift()?.();
  /** After the next frame: its own task, once all of it is drawn. */
  const paint = (then) =>
    requestAnimationFrame(() => {
      painted.push(then);
      port2.postMessage(null);
    });
  const take = (kind) => {
    const began = waiting[kind];
    waiting[kind] = null;
    if (began !== null) paint(() => shown[kind].push(performance.now() - began));
  };
  const observer = new MutationObserver((records) => {
    const partial = ({ target, addedNodes }) =>
      [target, ...addedNodes].some((node) => node.classList?.contains("partials"));
    if (records.some(partial)) take("partials");
    if (records.some((each) => !partial(each))) take("finals");
  });
  const keys = [];
  window.measured = { shown, keys, paint };
  window.observeWords = () => {
    const options = { childList: true, characterData: true, subtree: true };
    observer.observe(document.querySelector(".text .cm-content"), options);
  };
  document.addEventListener(
    "keydown",
    ({ timeStamp }) => {
      paint(() => keys.push(performance.now() - timeStamp));
    },
    true,
  );
}

/** Opens a transcript from the start page; how long until its first words are painted. */
function open(hash) {
  return new Promise((resume) => {
    const began = performance.now();
    const look = () => {
      if (document.querySelectorAll(".text .cm-line").length > 3) {
        window.measured.paint(() => resume(performance.now() - began));
      } else requestAnimationFrame(look);
    };
    location.assign(hash);
    look();
  });
}

/** Scrolls to the end; how long until that is painted. */
function scrollToEnd() {
  return new Promise((resume) => {
    const began = performance.now();
    const scroller = document.querySelector(".text .cm-scroller");
    const step = () => {
      const far = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight;
      if (far < 2) return window.measured.paint(() => resume(performance.now() - began));
      scroller.scrollTop = scroller.scrollHeight;
      requestAnimationFrame(step);
    };
    step();
  });
}

/** What the page has fetched of itself: each file, and what it weighs as it was sent. */
const parts = () =>
  [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")]
    .map(({ name, encodedBodySize }) => ({ path: new URL(name).pathname, bytes: encodedBodySize }))
    .filter(({ path }) => /\.(js|css|svg)$|\/$/.test(path))
    // Without the hash of what is in it.
    .map(({ path, bytes }) => [path.replace(/^.*\/|-[\w-]{8}(?=\.)/g, "") || "index.html", bytes]);

/** What hears and speaks, which is fetched behind the text. */
const AUDIO = /^(PlayerBar|speech|worklet)\./;

/** Each part with when it is needed: at the start, to read and write, or to hear and speak. */
function staged(start, all) {
  const first = new Map(start);
  const stage = (name) => (first.has(name) ? "start" : AUDIO.test(name) ? "audio" : "text");
  return [...new Map(all)].map(([name, bytes]) => ({ name, bytes, stage: stage(name) }));
}

/** Chromium's own instruments, for each page. */
const sessions = new WeakMap();

/** What Chromium counts of a page; times of its main thread are processor time. */
async function metrics(page) {
  const devtools = sessions.get(page);
  await devtools.send("HeapProfiler.collectGarbage");
  const counted = await devtools.send("Performance.getMetrics");
  const of = (wanted) => counted.metrics.find(({ name }) => name === wanted).value;
  const [bytes, nodes, listeners] = ["JSHeapUsedSize", "Nodes", "JSEventListeners"].map(of);
  return { bytes, nodes, listeners, busyMs: 1000 * of("TaskDuration") };
}

/** How many words stand in the transcript. */
async function words() {
  const token = address.searchParams.get("token");
  const path = `/v1/transcripts/${plan.transcript}/export?format=txt`;
  const answer = await fetch(new URL(path, address), {
    headers: { Authorization: `Bearer ${token}` },
  });
  return (await answer.text()).split(/\s+/).length;
}

/** Listens; what is in memory meanwhile, again and again. */
async function listen(page) {
  const began = performance.now();
  const samples = [];
  for (let n = 0; n <= SAMPLES; n++) {
    const due = began + (plan.minutes * 60_000 * n) / SAMPLES;
    await page.waitForTimeout(Math.max(0, due - performance.now()));
    const minute = (performance.now() - began) / 60_000;
    samples.push({ minute, ...(await metrics(page)), words: await words() });
    const { bytes } = samples.at(-1);
    const minutes = `${minute.toFixed(1)} of ${plan.minutes} min`;
    console.log(`Listening, ${minutes}: ${(bytes / 1e6).toFixed(1)} MB ...`);
  }
  return samples;
}

async function visit(browser) {
  const context = await browser.newContext({ permissions: ["microphone"], locale: "en-GB" });
  await context.addInitScript(watchMessages);
  const page = await context.newPage();
  const devtools = await context.newCDPSession(page);
  await devtools.send("Performance.enable", { timeDomain: "threadTicks" });
  sessions.set(page, devtools);
  await page.goto(plan.url);
  await page.getByRole("button", { name: "New meeting" }).waitFor();
  return page;
}

/** Presses keys where the cursor is; how long each took until it was painted. */
async function press(page) {
  await page.evaluate(() => window.measured.keys.splice(0));
  for (let n = 0; n < KEYS; n++) await page.keyboard.type("x", { delay: KEY_MS });
  return page.evaluate(() => window.measured.keys);
}

/** The same in an empty page: what no page can be quicker than, in this browser and now. */
async function pressInEmpty(browser) {
  const context = await browser.newContext();
  await context.addInitScript(watchMessages);
  const page = await context.newPage();
  await page.goto("data:text/html,<textarea></textarea>");
  await page.locator("textarea").click();
  const keys = await press(page);
  await context.close();
  return keys;
}

console.log("Writing comments ...");
await comment();
const args = ["--no-sandbox", "--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream"];
args.push(`--use-file-for-fake-audio-capture=${plan.voice}`);
const browser = await chromium.launch({ executablePath: plan.chromium, args });
try {
  const [paints, openings, openingsBusy, scrolls] = [[], [], [], []];
  let [page, atStart] = [null, []];
  for (let n = 0; n < OPENINGS; n++) {
    console.log(`Opening, ${n + 1} of ${OPENINGS} ...`);
    await page?.context().close();
    page = await visit(browser);
    // What is on the page may not be painted yet.
    const paint = await page.waitForFunction(
      () => performance.getEntriesByName("first-contentful-paint")[0]?.startTime,
    );
    paints.push(await paint.jsonValue());
    atStart = await page.evaluate(parts);
    const started = await metrics(page);
    openings.push(await page.evaluate(open, `#/t/${plan.transcript}`));
    // The words of the pass come, and have times.
    await page.waitForFunction(() => document.querySelector(".turn-time")?.textContent);
    openingsBusy.push((await metrics(page)).busyMs - started.busyMs);
    scrolls.push(await page.evaluate(scrollToEnd));
  }
  const opened = await metrics(page);
  await page.getByRole("button", { name: "Start speaking" }).click();
  await page.locator(".partial").first().waitFor({ state: "attached" });
  await page.evaluate(() => window.observeWords());
  const fetched = staged(atStart, await page.evaluate(parts));
  await page.evaluate(scrollToEnd);
  const memory = await listen(page);
  const { partials, finals } = await page.evaluate(() => window.measured.shown);
  console.log("Typing while somebody speaks ...");
  await page.evaluate(() => {
    document.querySelector(".text .cm-scroller").scrollTop /= 2;
  });
  await page.waitForTimeout(1000);
  await page.locator(".text .cm-line").nth(5).click();
  const idle = await metrics(page);
  const keys = await press(page);
  const keyBusyMs = ((await metrics(page)).busyMs - idle.busyMs) / KEYS;
  const emptyKeys = await pressInEmpty(browser);
  const pressed = { keys, keyBusyMs, emptyKeys };
  const times = { paints, openings, openingsBusy, scrolls, partials, finals, ...pressed };
  console.log(JSON.stringify({ parts: fetched, opened, memory, ...times }));
} finally {
  await browser.close();
}
