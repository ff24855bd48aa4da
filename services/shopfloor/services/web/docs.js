"use strict";

/** An element with text and children. */
function make(name, text = "", ...children) {
  const element = document.createElement(name);
  if (text) element.textContent = text;
  element.append(...children);
  return element;
}

function soft(name, text) {
  const element = make(name, text);
  element.className = "soft";
  return element;
}

/** A schema as one line of text; names of models stay names. */
function shape(schema) {
  if (!schema) return "";
  if (schema.$ref) return schema.$ref.split("/").pop();
  if (schema.anyOf) return schema.anyOf.map(shape).join(" | ");
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(" | ");
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.type === "array") return `[${shape(schema.items) || "any"}]`;
  if (schema.type === "object" && schema.additionalProperties) return `{name: ${shape(schema.additionalProperties) || "any"}}`;
  return schema.type || "any";
}

function models(schema, all, found = new Map()) {
  const name = schema?.$ref?.split("/").pop();
  if (name && !found.has(name) && all[name]) {
    found.set(name, all[name]);
    Object.values(all[name].properties || {}).forEach((part) => models(part, all, found));
  }
  [schema?.items, schema?.additionalProperties, ...(schema?.anyOf || [])].filter(Boolean).forEach((part) => models(part, all, found));
  return found;
}

function table(headings, rows) {
  const head = make("tr", "", ...headings.map((text) => make("th", text)));
  const body = rows.map((cells) => make("tr", "", ...cells.map((cell) => make("td", String(cell ?? "")))));
  return make("table", "", make("thead", "", head), make("tbody", "", ...body));
}

function describe(schema, all) {
  const parts = [make("pre", shape(schema))];
  for (const [name, model] of models(schema, all)) {
    parts.push(make("p", "", make("strong", name), soft("span", model.description ? ` ${model.description}` : "")));
    const rows = Object.entries(model.properties || {}).map(([key, part]) => [key, shape(part), part.description]);
    parts.push(table(["name", "type", ""], rows));
  }
  return parts;
}

function operation(verb, path, entry, all) {
  const verbElement = make("span", verb.toUpperCase());
  verbElement.className = "verb";
  const body = make("div", "", make("p", entry.description || ""));
  const inputs = (entry.parameters || []).map((p) => [p.name, p.in, shape(p.schema), p.required ? "required" : "", p.description || p.schema?.description]);
  if (inputs.length) body.append(make("h3", "Asks for"), table(["name", "where", "type", "", ""], inputs));
  for (const [kind, content] of Object.entries(entry.requestBody?.content || {})) {
    body.append(make("h3", `Body: ${kind}`), ...describe(content.schema, all));
  }
  for (const [status, reply] of Object.entries(entry.responses || {})) {
    body.append(make("h3", `Answer ${status}`), soft("p", reply.description || ""));
    for (const content of Object.values(reply.content || {})) {
      if (content.schema && Number(status) < 300) body.append(...describe(content.schema, all));
    }
  }
  return make("details", "", make("summary", "", verbElement, make("code", path), soft("span", entry.summary || "")), body);
}

function show(api) {
  const all = api.components?.schemas || {};
  document.getElementById("title").textContent = `${api.info.title} ${api.info.version}`;
  const about = document.getElementById("about");
  about.replaceChildren(api.info.description || "", " For programs: ", Object.assign(make("a", "/openapi.json"), { href: "/openapi.json" }));
  const groups = new Map();
  for (const [path, verbs] of Object.entries(api.paths)) {
    for (const [verb, entry] of Object.entries(verbs)) {
      const group = entry.tags?.[0] || "other";
      if (!groups.has(group)) groups.set(group, []);
      groups.get(group).push(operation(verb, path, entry, all));
    }
  }
  const list = document.getElementById("list");
  for (const [group, entries] of groups) list.append(make("h2", group), ...entries);
}

fetch("/openapi.json")
  .then((reply) => (reply.ok ? reply.json() : Promise.reject(new Error(`the server answered ${reply.status}`))))
  .then(show)
  .catch((problem) => {
    document.getElementById("about").textContent = `The description of the API cannot be read: ${problem.message}.`;
  });
