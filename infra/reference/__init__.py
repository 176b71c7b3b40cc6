"""AWS's service authorization reference as data: which IAM actions an API call needs, on which resources."""
