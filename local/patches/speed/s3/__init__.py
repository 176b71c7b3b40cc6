"""Changes to the S3 of moto."""
