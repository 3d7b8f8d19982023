// What only the browser can do on the pages that check certificates: look at the stamp behind the #, and scan codes.
// Every sentence stands in the page already, in its language; scripts show and hide, and never make markup from text.

import { ReaderMissing, prepare, readPicture, watch } from "./scan.js";
import { hostOf, isOfKnownKey, isWhole, readAddress, readStamp } from "./stamp.js";

const { keys, registered, hosts } = JSON.parse(document.getElementById("for-scripts").textContent);
// Below which path the service is: a sandbox has one.
const root = new URL(import.meta.url).pathname.split("/static/")[0];
const find = (selector) => document.querySelector(selector);

// Shows, of all elements with an attribute, the ones with this value; none for null.
function show(attribute, value) {
  for (const each of document.querySelectorAll(`[${attribute}]`)) {
    each.hidden = each.getAttribute(attribute) !== value;
  }
}

// The stamp behind the # of this page

async function checkStamp() {
  const text = location.hash.slice(1);
  const looksLikeStamp = text.startsWith("ey") || text.split(".").length === 3;
  const found = looksLikeStamp ? await judge(text) : null;
  show("data-stamp-when", found);
  putFirst(found === "other" || found === "forged" ? found : null);
  for (const link of document.querySelectorAll(".languages a")) link.hash = looksLikeStamp ? text : "";
}

// A stamp that contradicts the register is the only verdict of the page: its heading, its title, its colour.
const title = document.title;

function putFirst(found) {
  const answer = find("[data-verdict]");
  if (!answer || !find("[data-stamp-when=forged]")) return; // the page has such a verdict already, or none
  answer.hidden = found !== null;
  find("[data-register-says]")?.toggleAttribute("hidden", found === null);
  for (const each of document.querySelectorAll("[data-agrees]")) each.hidden = found !== null;
  for (const each of document.querySelectorAll("[data-stamp-when] .verdict-head > :first-child")) {
    level(each, found && each.closest(`[data-stamp-when=${found}]`) ? "h1" : "h2");
  }
  level(answer.querySelector("#verdict"), found ? "h2" : "h1");
  const word = found && find(`[data-stamp-when=${found}] h1`).textContent;
  document.title = word ? title.replace(/^[^·]*?(?= · )/, word) : title;
}

function level(heading, name) {
  if (heading.localName === name) return;
  const other = document.createElement(name);
  other.id = heading.id;
  other.textContent = heading.textContent;
  heading.replaceWith(other);
}

async function judge(text) {
  if (!isWhole(text)) return "cut";
  try {
    const stamp = await readStamp(text, keys);
    if (!stamp) return "forged";
    const fits = registered !== null && Object.keys(registered).every((name) => registered[name] === stamp[name]);
    return fits ? "genuine" : "other";
  } catch {
    return "unable";
  }
}

// A code that was scanned

// One sentence below the buttons, or none; what was found before no longer counts.
function say(what) {
  show("data-when", what);
  find("[data-offline]").hidden = true;
}

async function follow(text) {
  const host = hostOf(text);
  if (host && !hosts.includes(host) && (await reachable("/verify"))) {
    location.assign(pageOf("/verify", { number: text }));
    return;
  }
  const address = host && !hosts.includes(host) ? null : readAddress(text);
  if (!address) {
    say("foreign");
    return;
  }
  const path = `/v/${encodeURIComponent(address.number)}`;
  if (await reachable(path)) {
    say(null);
    const page = pageOf(path, {});
    const stamp = address.stamp ? `#${address.stamp}` : "";
    if (location.pathname + location.search === page) location.hash = stamp;
    else location.assign(page + stamp);
  } else {
    say(null);
    await showOffline(address.stamp);
  }
}

// An address of this service in the language that the reader chose.
function pageOf(path, query) {
  const language = new URLSearchParams(location.search).get("lang");
  const fields = new URLSearchParams(language ? { ...query, lang: language } : query).toString();
  return root + path + (fields ? `?${fields}` : "");
}

async function reachable(path) {
  try {
    await fetch(root + path, { method: "HEAD", cache: "no-store", signal: AbortSignal.timeout(6000) });
    return true;
  } catch {
    return false;
  }
}

async function showOffline(text) {
  const stamp = text && isWhole(text) ? await readStamp(text, keys).catch(() => null) : null;
  show("data-offline-when", stamp ? term(stamp) : refusal(text));
  find("[data-offline-facts]").hidden = !stamp;
  for (const each of document.querySelectorAll("[data-member]")) {
    each.textContent = stamp ? String(stamp[each.dataset.member]) : "";
  }
  const section = find("[data-offline]");
  section.hidden = false;
  section.focus();
}

// Keys that this page does not have may be newer than it: only the register can tell then.
function refusal(text) {
  if (!text) return "none";
  if (!isWhole(text)) return "cut";
  return isOfKnownKey(text, keys) ? "forged" : "unknown-key";
}

function term(stamp) {
  const today = new Date(Date.now() + 4 * 3_600_000).toISOString().slice(0, 10); // Baku keeps no summer time
  if (today > stamp.u) return "ended";
  return today < stamp.f ? "early" : "genuine";
}

function offerScanning(box) {
  const dialog = find("[data-camera]");
  const picture = find("[data-picture]");
  let stop = new AbortController();

  find("[data-open]").addEventListener("click", async () => {
    say(null);
    stop = new AbortController();
    try {
      dialog.showModal();
      const text = await watch(find("[data-camera] video"), stop.signal);
      dialog.close();
      if (text) await follow(text);
    } catch (error) {
      dialog.close();
      say(error instanceof ReaderMissing ? "reader" : "camera");
    }
  });
  dialog.addEventListener("close", () => stop.abort());
  find("[data-close]").addEventListener("click", () => dialog.close());
  find("[data-pick]").addEventListener("click", () => picture.click());
  picture.addEventListener("change", async () => {
    const [file] = picture.files;
    if (!file) return;
    say("reading");
    try {
      const text = await readPicture(file);
      if (text) await follow(text);
      else say("nothing");
    } catch (error) {
      say(error instanceof ReaderMissing ? "reader" : "nothing");
    }
    picture.value = ""; // else the same picture could not be chosen twice
  });
  box.hidden = false;
}

// After the page is visible: the verification page may be the only one that a reader opens before going offline.
function whenIdle(then) {
  const wait = globalThis.requestIdleCallback ?? ((task) => setTimeout(task, 500));
  if (document.readyState === "complete") wait(then);
  else addEventListener("load", () => wait(then), { once: true });
}

// A file that is dropped onto the page goes the way of the form.
function takeDrops(form) {
  addEventListener("dragover", (event) => event.preventDefault());
  addEventListener("drop", (event) => {
    event.preventDefault();
    if (!event.dataTransfer.files.length) return;
    form.querySelector("[type=file]").files = event.dataTransfer.files;
    form.closest("details").open = true;
    form.requestSubmit();
  });
}

const drop = find("[data-drop]");
if (drop) takeDrops(drop);
const box = find("[data-scan]");
if (box) offerScanning(box);
if (box?.hasAttribute("data-ahead")) whenIdle(prepare);
addEventListener("hashchange", checkStamp);
checkStamp();
