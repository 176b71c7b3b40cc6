"""Changes to the workflow interpreter of moto."""
