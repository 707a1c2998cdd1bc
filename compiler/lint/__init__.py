"""cfn-lint in process: the same configuration and findings as its command line, in parallel and cached."""
