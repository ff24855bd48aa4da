/** Texts of the overview. */
export const overview = {
  "figure.age": "Newest value",
  "figure.rate": "Values flowing",
  "figure.rows": "Values stored",
  "job.brain": "Brain",
  "job.history": "History is coming in",
  "job.rows": "values",
  "job.training": "The brain is training",
  "overview.abnormal": "{n} of {all} {all:asset|assets} {n:needs|need} attention. Worst: {name}, {why}.",
  "overview.brief": "The plant in one sentence",
  "overview.empty": "This plant has no assets yet",
  "overview.empty.next": "Describe them in the plant file; `shopfloor browse` lists what a device offers.",
  "overview.normal": "All normal: {n} {n:asset|assets}.",
  "overview.silent": "No values yet from {n} of {all} {all:asset|assets}.",
  "overview.watch": "No alarm. {n} of {all} {all:asset|assets} {n:needs|need} a look soon. First: {name}, {why}.",
  "overview.worst": "Worst first",
} as const;
