// node-hl7-client: PORT [CA-FILE SERVER-NAME]; the message on standard input, its answer on standard output.
import { readFileSync } from "node:fs";
import { Client, Message } from "node-hl7-client";

const [port, ca, servername] = process.argv.slice(2);
const tls = ca ? { ca: readFileSync(ca), servername } : undefined;
const client = new Client({ host: "127.0.0.1", tls });
const text = readFileSync(0, "latin1");
const connection = client.createConnection({ port: Number(port) }, (answer) => {
  process.stdout.write(answer.getMessage().toString());
  client.closeAll?.();
  connection.close?.();
  setTimeout(() => process.exit(0), 50);
});
await connection.sendMessage(new Message({ text }));
