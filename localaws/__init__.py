"""The embedded AWS: moto for the services, a CloudFormation control plane of our own in front of them."""
