"""Changes to the DynamoDB of moto."""
