"""Compares the receiver's AWS client with botocore's signer on urllib3, boto3 and awscrt."""
