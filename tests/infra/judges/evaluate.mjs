// Reads one JSON document from stdin and writes one to stdout.
// {"simulations": [Simulation]} -> ["Allowed" | "ImplicitlyDenied" | "ExplicitlyDenied" | "error: …"]
// {"policies": [{kind, document}]} -> [[message]]
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const require = createRequire(`${process.argv[2]}/package.json`);
const { runSimulation } = require("@cloud-copilot/iam-simulate");
const policy = require("@cloud-copilot/iam-policy");

const KINDS = {
  endpoint: policy.validateEndpointPolicy,
  identity: policy.validateIdentityPolicy,
  resource: policy.validateResourcePolicy,
  trust: policy.validateTrustPolicy,
};

const asked = JSON.parse(readFileSync(0, "utf-8"));
const answers = [];
for (const simulation of asked.simulations ?? []) {
  const answer = await runSimulation(simulation, {});
  answers.push(
    answer.resultType === "error"
      ? `error: ${JSON.stringify(answer.errors)}`
      : answer.overallResult,
  );
}
for (const { kind, document } of asked.policies ?? []) {
  const found = [...KINDS[kind](document), ...policy.lintPolicy(document)];
  answers.push(found.map((one) => `${one.path}: ${one.message}`));
}
process.stdout.write(JSON.stringify(answers));
