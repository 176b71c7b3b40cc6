"""Changes to the SQS of moto."""
