"""Changes to the KMS of moto."""
