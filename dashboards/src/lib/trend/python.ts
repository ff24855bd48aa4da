const iso = (ms: number): string => new Date(ms).toISOString().replace("Z", "+00:00");

/** The lines of Python that fetch the same values into a table. */
export function pythonLines(tags: readonly string[], from: number, to: number, url: string): string {
  const listed = tags.map((tag) => `    ${JSON.stringify(tag)},`).join("\n");
  return `from shopfloor.models.client import history

tags = [
${listed}
]
values = history(
    tags,
    "${iso(from)}",
    "${iso(to)}",
    url=${JSON.stringify(url)},
)
table = values.pandas()
`;
}
