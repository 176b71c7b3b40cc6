"""The core stack: synthesised, deployed to the AWS double, and its registry filled."""
