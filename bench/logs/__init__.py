"""The size of what an execution writes to CloudWatch Logs."""
