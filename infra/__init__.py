"""The CDK app: three stacks per environment. It reads lambdas/, receiver/ and statemachine/ as files."""

import os

# jsii prints a banner on stderr for every Node release it does not know or no longer supports; Node
# 20 still runs all of it. Set before aws_cdk is imported, which starts jsii.
os.environ.setdefault("JSII_SILENCE_WARNING_UNTESTED_NODE_VERSION", "1")
os.environ.setdefault("JSII_SILENCE_WARNING_DEPRECATED_NODE_VERSION", "1")
os.environ.setdefault("JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION", "20")
