"""Compares the receiver with its peers, under the same load and with the same stubs of S3 and SQS."""
