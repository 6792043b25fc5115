/** A language whose sentences cannot be fetched. */

import { expect, test } from "vitest";
import { visit } from "./server";
import { begin } from "./stage";

const { server, browser } = await begin();

test("a page that cannot speak German says so once, and does when it can", async () => {
  const { page } = await visit(browser, "about:blank", { locale: "de-AT" });
  const away = "**/assets/de-*.js";
  await page.route(away, (route) => route.abort());
  await page.goto(server.entry);
  await page.getByRole("button", { name: "New meeting" }).waitFor();
  const notice = page.getByRole("status").filter({ hasText: "Deutsch" });
  await notice.waitFor();
  expect(await page.locator("html").getAttribute("lang")).toBe("en");
  await page.unroute(away);
  await notice.getByRole("button", { name: "Try again" }).click();
  await page.getByRole("button", { name: "Neue Besprechung" }).waitFor();
  expect(await page.locator("html").getAttribute("lang")).toBe("de");
  expect(await notice.count()).toBe(0);
  await page.context().close();
});

test("who was told that German is missing is not told again", async () => {
  const { page } = await visit(browser, "about:blank", { locale: "de-AT" });
  await page.clock.install();
  let asked = 0;
  await page.route("**/assets/de-*.js", (route) => {
    asked += 1;
    return route.abort();
  });
  await page.goto(server.entry);
  const notice = page.getByRole("status").filter({ hasText: "Deutsch" });
  await notice.getByRole("button", { name: "Close" }).click();
  await page.clock.fastForward(31_000);
  await expect.poll(() => asked).toBe(2);
  expect(await notice.count()).toBe(0);
  await page.context().close();
});
