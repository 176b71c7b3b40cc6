// Answers each line of stdin, a JSON document, with one line of stdout, until stdin ends.
// {"simulations": [Simulation]} -> ["Allowed" | "ImplicitlyDenied" | "ExplicitlyDenied" | "error: …"]
// {"policies": [{kind, document}]} -> [[message]]
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const require = createRequire(`${process.argv[2]}/package.json`);
const { runSimulation } = require("@cloud-copilot/iam-simulate");
const policy = require("@cloud-copilot/iam-policy");

const KINDS = {
  endpoint: policy.validateEndpointPolicy,
  identity: policy.validateIdentityPolicy,
  resource: policy.validateResourcePolicy,
  trust: policy.validateTrustPolicy,
};

async function answersTo(asked) {
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
  return answers;
}

for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(`${JSON.stringify(await answersTo(JSON.parse(line)))}\n`);
}
