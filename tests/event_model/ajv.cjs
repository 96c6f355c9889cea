// Reads {"folder": where node_modules is, "schemas": {name: schema}, "documents": [...]} from standard input,
// and writes for each schema whether Ajv, in strict mode, accepts each of the documents.
const { createRequire } = require("node:module");
const { readFileSync } = require("node:fs");

const asked = JSON.parse(readFileSync(0, "utf8"));
const Ajv = createRequire(asked.folder + "/")("ajv/dist/2020");
const verdicts = {};
for (const [name, schema] of Object.entries(asked.schemas)) {
  const accepts = new Ajv({ strict: true }).compile(schema);
  verdicts[name] = asked.documents.map((document) => accepts(document));
}
process.stdout.write(JSON.stringify(verdicts));
