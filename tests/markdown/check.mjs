// check.mjs PARSERS <LINES: parses each summary that write_summaries prints with the parsers that
// Markdown and Mermaid have in PARSERS, a node_modules. Whatever is in a name: the only elements are
// ours, a table has its columns, every text is shown as it is, and the chart has its tasks.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { join } from "node:path";

const require = createRequire(join(process.argv[2], "_"));
const load = (name) => import(pathToFileURL(require.resolve(name)).href);
const { JSDOM } = require("jsdom");
const { window } = new JSDOM("", { pretendToBeVisual: true });
globalThis.window = window;
globalThis.document = window.document;
globalThis.Element = window.Element;
// What jsdom leaves to browsers, and drawing a chart asks for.
globalThis.CSSStyleSheet = class { cssRules = []; insertRule() {} replaceSync() {} };
window.SVGElement.prototype.getBBox = () => ({ x: 0, y: 0, width: 100, height: 20 });
const { micromark } = await load("micromark");
const { gfm, gfmHtml } = await load("micromark-extension-gfm");
const { default: mermaid } = await load("mermaid");

const ours = new Set(["P", "STRONG", "TABLE", "THEAD", "TBODY", "TR", "TH", "TD", "UL", "LI", "BR", "PRE", "CODE"]);
const plain = (text) => text.replace(/\s+/gu, " ").trim();

function expect(holds, what, details = "") {
  if (!holds) throw new Error(`${what}: ${details}`);
}

function checkMarkdown({ markdown, shown }) {
  const html = micromark(markdown, { extensions: [gfm()], htmlExtensions: [gfmHtml()], allowDangerousHtml: true });
  const body = new JSDOM(html).window.document.body;
  for (const element of body.querySelectorAll("*")) expect(ours.has(element.tagName), "an element", element.outerHTML);
  expect(body.querySelectorAll("table").length === 1, "not one table", html);
  const headings = body.querySelectorAll("th").length;
  for (const row of body.querySelectorAll("tr")) expect(row.children.length === headings, "columns", row.outerHTML);
  expect(body.querySelectorAll("strong").length === 1, "bold that is not ours", html);
  expect(body.querySelectorAll("ul").length <= 1, "a list in a list", html);
  expect(body.querySelectorAll("li").length === body.querySelectorAll("li br").length, "points of the list", html);
  expect(body.querySelectorAll("code").length === 1, "code that is not ours", html);
  const text = plain(body.textContent);
  for (const one of shown) expect(text.includes(plain(one)), "not shown", `${one}\nin\n${text}`);
  return body.querySelector("code.language-mermaid").textContent;
}

async function checkChart(chart) {
  const tasks = [...chart.matchAll(/^ {4}(?!section |dateFormat |axisFormat )(.*) :(?:\w+, )?(\d+), (\d+)ms$/gm)];
  const sections = [...chart.matchAll(/^ {4}section (.*)$/gm)].map((found) => plain(found[1]));
  await mermaid.parse(chart);
  const { db } = await mermaid.mermaidAPI.getDiagramFromText(chart);
  const parsed = db.getTasks();
  expect(tasks.length === parsed.length && tasks.length > 0, "tasks of a chart", chart);
  tasks.forEach(([, name, start, length], n) => {
    expect(parsed[n].task.trim() === name.trim(), "the name of a task", `${parsed[n].task}\nin\n${chart}`);
    expect(parsed[n].startTime.getTime() === Number(start), "the start of a task", chart);
    expect(parsed[n].endTime - parsed[n].startTime === Number(length), "the length of a task", chart);
  });
  expect(db.getSections().map(plain).join("\n") === sections.join("\n"), "the sections", `${db.getSections()}\nin\n${chart}`);
  const { svg } = await mermaid.render("chart", chart);
  const drawn = [...new JSDOM(svg).window.document.querySelectorAll("text")].map((text) => plain(text.textContent));
  for (const name of [...tasks.map((task) => plain(task[1])), ...sections]) {
    expect(drawn.includes(name), "not drawn", `${name}\nin\n${drawn.join("\n")}`);
  }
}

const summaries = readFileSync(0, "utf8").split("\n").filter(Boolean).map((line) => JSON.parse(line));
let failed = 0;
for (const summary of summaries) {
  try {
    await checkChart(checkMarkdown(summary));
  } catch (error) {
    if (++failed <= 5) console.log(`${error.message}\n---- ${summary.markdown}\n`);
  }
}
console.log(`${summaries.length - failed} of ${summaries.length} summaries are parsed as what they are`);
process.exit(failed === 0 && summaries.length > 0 ? 0 : 1);
