"""HL7 v2 kit: all reading and writing of ER7 and MLLP. Needs the standard library alone.

Receiver, ParseMessage, the PIX/PDQ client, `ens` and the simulators use the same functions on the same
bytes. Two readings of one message would be a security fault: a sender could be authorised under one
name and recorded under another (docs/adr/0030-one-hl7-kit.md).
"""
