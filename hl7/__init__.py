"""HL7 v2 kit: the one place that reads and writes ER7 and MLLP. Standard library alone.

Receiver, ParseMessage, the PIX/PDQ client, `ens` and the simulators use the same functions on the same
bytes. Two readings of one message would be a security fault: a sender could be checked under one
name and recorded under another.
"""
