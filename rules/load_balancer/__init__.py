"""Load balancer: weights that mean something, requests that are screened and logged."""
