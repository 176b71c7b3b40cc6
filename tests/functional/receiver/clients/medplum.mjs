// @medplum/hl7: PORT; the message on standard input, its answer on standard output.
import { readFileSync } from "node:fs";
import { Hl7Message } from "@medplum/core";
import { Hl7Client } from "@medplum/hl7";

const client = new Hl7Client({ host: "127.0.0.1", port: Number(process.argv[2]) });
const answer = await client.sendAndWait(Hl7Message.parse(readFileSync(0, "latin1")));
process.stdout.write(answer.toString());
await client.close();
