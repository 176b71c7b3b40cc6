"""The receiver beside its peers: same load, same stand-ins for S3 and SQS, one table."""
