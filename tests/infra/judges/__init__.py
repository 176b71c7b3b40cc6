"""Tools of other projects that judge the synthesised templates: cfn-lint, checkov, IAM's evaluation logic.

`python -m tests.infra.judges` installs them and prints every open finding.
"""
