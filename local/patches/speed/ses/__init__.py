"""Changes to the SES of moto."""
