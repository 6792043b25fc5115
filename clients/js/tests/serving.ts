/** A real server, and a network before it that can be cut. */

import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer, connect as dial, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

export const TOKEN = "a-token-for-tests-only";
const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const VENV = join(ROOT, ".venv/bin/python");
const PYTHON = process.env.TRAX_PYTHON ?? (existsSync(VENV) ? VENV : "python3");

/** Python of the server's own environment, which tests of the client may ask for help. */
export function python(...args: string[]): void {
  execFileSync(PYTHON, args, { cwd: ROOT, env: environment() });
}

function environment(): NodeJS.ProcessEnv {
  return { ...process.env, PYTHONPATH: `${ROOT}:${join(ROOT, "clients/py")}` };
}

/** Words that scripted engines hear: two a second, a pause after every fifth. */
export function talk(count: number): string {
  const rows = Array.from({ length: count }, (_, n) => {
    const start = 0.5 * n + Math.floor(n / 5);
    const speaker = `S${(Math.floor(n / 5) % 2) + 1}`;
    return { word: `w${n}`, start, end: start + 0.4, speaker };
  });
  return JSON.stringify(rows);
}

/** Audio: a tone, since scripted engines do not listen. */
export function samples(seconds: number): Uint8Array {
  const pcm = Int16Array.from({ length: seconds * 16_000 }, (_, at) =>
    Math.round(Math.sin((at * 2 * Math.PI * 220) / 16_000) * 8_000),
  );
  return new Uint8Array(pcm.buffer);
}

/** One server with data of its own; `stop` removes them. */
export class Server {
  private process: ChildProcess | null = null;
  private port = 0;
  private readonly folder = mkdtempSync(join(tmpdir(), "trax-js-"));

  private constructor(private readonly env: Record<string, string>) {}

  /**
   * Starts one that hears a script, or with `null` what the real models hear.
   *
   * @param again - Whether all of it is heard once more, as by default: it costs a process.
   */
  static async start(
    script: string | null,
    env: Record<string, string> = {},
    again = false,
  ): Promise<Server> {
    const server = new Server({ ...env });
    if (!again) {
      const passes = join(server.folder, "passes.toml");
      writeFileSync(passes, '[[stage]]\nname = "utterance"\nwhen = "utterance"\n');
      server.env.TRAX_PASSES = passes;
    }
    if (script !== null) {
      writeFileSync(join(server.folder, "script.json"), script);
      server.env.TRAX_LIVE_MODEL = `scripted:${join(server.folder, "script.json")}`;
    }
    await server.launch();
    return server;
  }

  get url(): string {
    return this.urlAt(this.port);
  }

  urlAt(port: number): string {
    return `http://127.0.0.1:${port}/?token=${TOKEN}`;
  }

  /** Starts it, again on the same port and with the same data. */
  async launch(): Promise<void> {
    this.port ||= await freePort();
    const started = spawn(PYTHON, ["-m", "server", "serve", "--port", `${this.port}`], {
      cwd: ROOT,
      env: {
        ...environment(),
        TRAX_TOKEN: TOKEN,
        TRAX_DATA_DIR: join(this.folder, "data"),
        ...this.env,
      },
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.process = started;
    const told: string[] = [];
    started.stderr.on("data", (text) => told.push(String(text)));
    for await (const line of createInterface({ input: started.stdout })) {
      told.push(line);
      if (line.includes("Trax is ready")) {
        started.stdout.resume();
        return;
      }
    }
    throw new Error(`a server that starts expected, got:\n${told.join("\n")}`);
  }

  /** Kills it as a crash does. */
  async kill(): Promise<void> {
    const running = this.process;
    this.process = null;
    if (running === null) return;
    running.kill("SIGKILL");
    await once(running, "exit");
  }

  async stop(): Promise<void> {
    await this.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** A network between a client and a server that fails when it is told to. */
export class Network {
  /** Connections that were made through it. */
  count = 0;
  private up = true;
  private readonly ends = new Set<Socket>();
  private readonly listener = createServer((near) => this.join(near));

  private constructor(private readonly target: number) {}

  static async before(server: Server): Promise<Network> {
    const network = new Network(Number(new URL(server.url).port));
    network.listener.listen(0, "127.0.0.1");
    await once(network.listener, "listening");
    return network;
  }

  get port(): number {
    return (this.listener.address() as AddressInfo).port;
  }

  /** Cuts all connections; none can be made until it is mended. */
  cut(): void {
    this.up = false;
    for (const end of this.ends) end.destroy();
  }

  mend(): void {
    this.up = true;
  }

  close(): void {
    this.cut();
    this.listener.close();
  }

  private join(near: Socket): void {
    this.count += 1;
    if (!this.up) {
      near.destroy();
      return;
    }
    const far = dial(this.target, "127.0.0.1");
    for (const [end, other] of [
      [near, far],
      [far, near],
    ] as const) {
      this.ends.add(end);
      end.pipe(other);
      end.on("error", () => undefined);
      end.on("close", () => {
        this.ends.delete(end);
        other.destroy();
      });
    }
  }
}

async function freePort(): Promise<number> {
  const listener = createServer();
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  const { port } = listener.address() as AddressInfo;
  listener.close();
  await once(listener, "close");
  return port;
}

/** The samples of one of the repository's recordings: 16 kHz, mono, 16 bits. */
export function recording(name: string): Uint8Array {
  const folder = mkdtempSync(join(tmpdir(), "trax-js-"));
  const file = join(folder, "sound.raw");
  const code = `import sys, soundfile
pcm, rate = soundfile.read(sys.argv[1], dtype="int16", always_2d=True)
assert rate == 16000
open(sys.argv[2], "wb").write(pcm[:, 0].astype("<i2").tobytes())`;
  python("-c", code, join(ROOT, "tests/data/items", `${name}.flac`), file);
  const pcm = readFileSync(file);
  rmSync(folder, { recursive: true });
  return new Uint8Array(pcm);
}

/** What is said in one of the repository's recordings. */
export function said(name: string): string {
  return readFileSync(join(ROOT, "tests/data/items", `${name}.txt`), "utf8");
}

/** Waits until something holds. */
export async function until(holds: () => boolean, what: string, ms = 15_000): Promise<void> {
  const deadline = performance.now() + ms;
  while (!holds()) {
    if (performance.now() > deadline) throw new Error(`${what} expected within ${ms} ms`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
