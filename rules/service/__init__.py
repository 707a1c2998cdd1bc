"""Service: containers that can do little, deployments that roll back, a task in every zone."""
