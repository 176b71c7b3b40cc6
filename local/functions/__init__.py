"""The Lambda functions, each in processes of its own."""
