"""Changes to moto and botocore: additions that AWS has and moto lacks, and the same answers with less work."""
