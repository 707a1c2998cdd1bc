"""Exposure: the load balancer is the only thing that the internet can reach."""
